"""SMART App Launch, as far as an EHR needs it to open an app from a card: launch contexts, codes and tokens.

It pretends: whoever asks is let in, and the token opens nothing that is not open anyway. But an app is sent back only
to the site from which it was launched, a code works once, and PKCE is checked (SMART App Launch 2.1, RFC 7636).
"""

from __future__ import annotations

import base64
import hashlib
import secrets
from collections import OrderedDict
from threading import Lock
from typing import Any
from urllib.parse import parse_qsl, urlencode, urlsplit

import msgspec
from msgspec import Struct

from sandbox.fhir_server.shapes import outcome
from sandbox.fhir_server.store import Resource

LAUNCH = "/_services/smart/Launch"  # where the public CDS Hooks sandbox asks for a launch context
CONFIGURATION = "/.well-known/smart-configuration"
AUTHORIZE = "/auth/authorize"
TOKEN = "/auth/token"  # noqa: S105  an address
_MOST = 500  # launches and codes that are remembered
_LIFETIME = 3600

Reply = tuple[int, Resource, dict[str, str]]


class Launch(Struct, frozen=True):
    """What an app is opened with: the patient, whatever else the card said, and from where it comes."""

    patient: str
    app_context: str
    origin: str


class Code(Struct, frozen=True):
    """A code that can be changed for a token once."""

    launch: Launch
    challenge: str
    redirect: str
    scope: str


class Smart:
    """The launches of one server."""

    def __init__(self, base: str) -> None:
        self.base = base
        self._launches: OrderedDict[str, Launch] = OrderedDict()
        self._codes: OrderedDict[str, Code] = OrderedDict()
        self._lock = Lock()

    def answer(self, method: str, path: str, query: str, body: str) -> Reply | None:
        """The reply to a request of SMART App Launch; ``None`` when it is another's."""
        if method == "POST" and path == LAUNCH:
            return self._launch(body)
        if method == "GET" and path == CONFIGURATION:
            return 200, self.configuration(), {}
        if method == "GET" and path == AUTHORIZE:
            return self._authorize(dict(parse_qsl(query)))
        if method == "POST" and path == TOKEN:
            return self._token(dict(parse_qsl(body)))
        return None

    def configuration(self) -> Resource:
        """What `.well-known/smart-configuration` says."""
        return {
            "issuer": self.base,
            "authorization_endpoint": self.base + AUTHORIZE,
            "token_endpoint": self.base + TOKEN,
            "grant_types_supported": ["authorization_code"],
            "code_challenge_methods_supported": ["S256"],
            "capabilities": ["launch-ehr", "client-public", "context-ehr-patient", "permission-patient"],
        }

    def _launch(self, body: str) -> Reply:
        try:
            asked = msgspec.json.decode(body or "{}")
            context = asked.get("parameters") or {}
            address = urlsplit(str(asked.get("launchUrl", "")))
            patient = str(context.get("patient", ""))
        except (msgspec.DecodeError, AttributeError, ValueError):
            return _refused("expected launchUrl and parameters")
        if address.scheme not in ("http", "https") or not address.netloc or not patient:
            return _refused("expected launchUrl and parameters.patient")
        own = secrets.token_urlsafe(16)
        launch = Launch(patient, str(context.get("appContext", "")), f"{address.scheme}://{address.netloc}")
        with self._lock:
            _keep(self._launches, own, launch)
        return 200, {"launch_id": own}, {}

    def _authorize(self, asked: dict[str, str]) -> Reply:
        with self._lock:
            launch = self._launches.get(asked.get("launch", ""))
        redirect = asked.get("redirect_uri", "")
        to = urlsplit(redirect)
        if launch is None or f"{to.scheme}://{to.netloc}" != launch.origin:
            return _refused("no launch from there")
        if asked.get("response_type") != "code" or asked.get("code_challenge_method", "S256") != "S256":
            return _refused("expected response_type code, and S256")
        own = secrets.token_urlsafe(16)
        code = Code(launch, asked.get("code_challenge", ""), redirect, asked.get("scope", ""))
        with self._lock:
            _keep(self._codes, own, code)
        query = urlencode({"code": own, **({"state": asked["state"]} if "state" in asked else {})})
        return 302, {}, {"Location": f"{redirect}{'&' if to.query else '?'}{query}"}

    def _token(self, asked: dict[str, str]) -> Reply:
        with self._lock:
            code = self._codes.pop(asked.get("code", ""), None)
        if code is None or asked.get("redirect_uri") != code.redirect or not _proves(code, asked):
            return 400, {"error": "invalid_grant"}, {}
        token: dict[str, Any] = {
            "access_token": secrets.token_urlsafe(24),
            "token_type": "Bearer",
            "expires_in": _LIFETIME,
            "scope": code.scope,
            "patient": code.launch.patient,
        }
        if code.launch.app_context:
            token["appContext"] = code.launch.app_context
        return 200, token, {"Cache-Control": "no-store"}


def _proves(code: Code, asked: dict[str, str]) -> bool:
    """Is the one who changes the code the one who asked for it?"""
    if not code.challenge:
        return True
    digest = hashlib.sha256(asked.get("code_verifier", "").encode()).digest()
    return secrets.compare_digest(base64.urlsafe_b64encode(digest).decode().rstrip("="), code.challenge)


def _keep(kept: OrderedDict[str, Any], own: str, value: Launch | Code) -> None:
    kept[own] = value
    while len(kept) > _MOST:
        kept.popitem(last=False)


def _refused(why: str) -> Reply:
    return 400, outcome("error", "invalid", why), {}
