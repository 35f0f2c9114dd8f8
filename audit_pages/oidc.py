"""Sign-in by OpenID Connect: Authlib's authorization code flow with PKCE, over the connection that the shell gives."""

from __future__ import annotations

from typing import Any, Final

from authlib.common.errors import AuthlibBaseError
from authlib.integrations.flask_client import FlaskOAuth2App, OAuth
from flask import Flask
from joserfc.errors import JoseError
from requests import RequestException, Session

from audit_pages.oidc_terms import OidcTerms
from audit_pages.people import ROLES
from audit_pages.seams import ProviderTrouble, SomebodyElse

# Signed with the provider's private key. A shared secret (HS256) or none at all proves nothing here.
_ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "PS384", "PS512", "ES256", "ES384", "ES512", "EdDSA")


class OidcProvider:
    """The identity provider of the site; ``sessions`` makes the client that its requests go through."""

    def __init__(self, app: Flask, terms: OidcTerms, sessions: type[Session]) -> None:
        self.name = terms.name
        self._terms = terms

        class Client(FlaskOAuth2App):  # type: ignore[misc]  # Authlib ships no types
            client_cls = sessions

            def load_server_metadata(self) -> dict[str, Any]:
                metadata: dict[str, Any] = super().load_server_metadata()
                return _checked(metadata, terms.issuer)

        self._client = OAuth(app).register(
            "sign_in",
            client_cls=Client,
            client_id=terms.client_id,
            client_secret=terms.client_secret or None,
            server_metadata_url=f"{terms.issuer.rstrip('/')}/.well-known/openid-configuration",
            client_kwargs={
                "scope": " ".join(terms.scopes),
                "code_challenge_method": "S256",
                "token_endpoint_auth_method": "client_secret_basic" if terms.client_secret else "none",
            },
        )

    def begin(self, redirect_uri: str) -> object:
        """The answer that sends the browser to the provider."""
        try:
            return self._client.authorize_redirect(redirect_uri)
        except (AuthlibBaseError, RequestException, RuntimeError, ValueError) as problem:
            raise ProviderTrouble(_word_for(problem)) from None

    def finish(self) -> SomebodyElse:
        """Exchanges the code, checks the token, and reads who it is."""
        required = {
            "iss": {"essential": True, "values": [self._terms.issuer]},
            "aud": {"essential": True, "values": [self._terms.client_id]},
            "sub": {"essential": True},
        }
        try:
            token = self._client.authorize_access_token(claims_options=required, leeway=60)
        except (AuthlibBaseError, JoseError, RequestException, RuntimeError, ValueError, KeyError) as problem:
            raise ProviderTrouble(_word_for(problem)) from None
        claims = token.get("userinfo")
        if not claims:
            raise ProviderTrouble("no ID token")
        subject = str(claims["sub"])
        name = claims.get(self._terms.name_claim)
        return SomebodyElse(
            subject=subject,
            name=name if isinstance(name, str) and name else subject,
            roles=self._roles(claims),
        )

    def _roles(self, claims: dict[str, Any]) -> tuple[str, ...]:
        held: Any = claims
        for step in self._terms.role_claim.split("."):
            held = held.get(step) if isinstance(held, dict) else None
        listed = held if isinstance(held, list) else [held]
        values = {each for each in listed if isinstance(each, str)}
        ours = {"auditor": self._terms.auditor, "quality": self._terms.quality}
        return tuple(role for role in ROLES if values & set(ours[role]))


def _checked(metadata: dict[str, Any], issuer: str) -> dict[str, Any]:
    """The description is the issuer's own (OpenID Connect Discovery, 4.3), and its signatures prove something."""
    if metadata.get("issuer") != issuer:
        metadata.clear()
        raise ProviderTrouble("the description at the issuer's address names another issuer")
    offered = metadata.get("id_token_signing_alg_values_supported") or ["RS256"]
    trusted = [each for each in offered if each in _ALGORITHMS]
    if not trusted:  # an empty list would mean: any
        metadata.clear()
        raise ProviderTrouble("the provider offers no signature by a private key")
    metadata["id_token_signing_alg_values_supported"] = trusted
    return metadata


def _word_for(problem: BaseException) -> str:
    """A kind of trouble, without anything that the provider or the browser said."""
    return type(problem).__name__
