"""What is agreed with an identity provider. Apart from the sign-in itself, whose library takes long to load."""

from __future__ import annotations

from msgspec import Struct


class OidcTerms(Struct, frozen=True, kw_only=True):
    """What is agreed with the identity provider; keys of `[oidc]` in the sign-in file."""

    issuer: str
    client_id: str
    client_secret: str = ""
    name: str = "your organisation"
    scopes: tuple[str, ...] = ("openid", "profile")
    role_claim: str = "groups"  # a dot steps into an object: realm_access.roles
    name_claim: str = "preferred_username"
    auditor: tuple[str, ...] = ()  # values of the claim that make an auditor
    quality: tuple[str, ...] = ()
