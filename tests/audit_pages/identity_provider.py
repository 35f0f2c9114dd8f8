"""A small identity provider on a socket of this machine, which behaves as it should, or not."""

from __future__ import annotations

import base64
import hashlib
import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, parse_qsl, urlsplit

from joserfc import jwt
from joserfc.jwk import ECKey, OctKey, RSAKey

CLIENT_ID, CLIENT_SECRET = "lumbar-cds", "a-secret-of-the-client"


class Provider:
    """What it says can be changed before each sign-in: ``claims`` and ``metadata`` override what is right."""

    def __init__(self, port: int) -> None:
        self.issuer = f"http://127.0.0.1:{port}/realms/clinic"
        self.new_key("k1")
        self.algorithm = "ES256"
        self.claims: dict[str, Any] = {}
        self.metadata: dict[str, Any] = {}
        self.asked: list[str] = []
        self.sends_on = ""  # where its token endpoint sends whoever asks
        self._codes: dict[str, dict[str, str]] = {}

    def new_key(self, name: str) -> None:
        """Signs with another key from now on, and publishes that one."""
        self.kid = name
        self.key = ECKey.generate_key("P-256", {"kid": name, "use": "sig", "alg": "ES256"})
        self.signs_with: Any = self.key

    def authorize(self, url: str, code: str = "") -> dict[str, str]:
        """What a browser brings back when its user has signed in."""
        asked = dict(parse_qsl(urlsplit(url).query))
        assert asked["response_type"] == "code"
        code = code or secrets.token_hex(8)
        self._codes[code] = asked
        return {"code": code, "state": asked["state"]}

    def description(self) -> dict[str, Any]:
        return {
            "issuer": self.issuer,
            "authorization_endpoint": f"{self.issuer}/authorize",
            "token_endpoint": f"{self.issuer}/token",
            "jwks_uri": f"{self.issuer}/keys",
            "id_token_signing_alg_values_supported": ["ES256", "RS256", "HS256", "none"],
            **self.metadata,
        }

    def keys(self) -> dict[str, Any]:
        return {"keys": [self.key.as_dict(private=False)]}

    def token(self, form: dict[str, str], authorization: str) -> tuple[int, dict[str, Any]]:
        asked = self._codes.pop(form.get("code", ""), None)
        right = "Basic " + base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
        if (
            asked is None
            or authorization != right
            or not _proves(form.get("code_verifier", ""), asked["code_challenge"])
        ):
            return 400, {"error": "invalid_grant"}
        now = int(datetime.now(UTC).timestamp())
        claims = {
            "iss": self.issuer, "sub": "u-17", "aud": CLIENT_ID, "iat": now, "exp": now + 300, "nonce": asked["nonce"],
            "preferred_username": "grace", "groups": ["cds-auditors"], **self.claims,
        }  # fmt: skip
        claims = {name: value for name, value in claims.items() if value is not None}
        header = {"alg": self.algorithm, "kid": self.kid}
        token = (
            jwt.encode(header, claims, self.signs_with, algorithms=[self.algorithm])
            if self.algorithm != "none"
            else _unsigned(claims)
        )
        return 200, {"access_token": "at", "token_type": "Bearer", "expires_in": 300, "id_token": token}


def _proves(verifier: str, challenge: str) -> bool:
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() == challenge


def _unsigned(claims: dict[str, Any]) -> str:
    def part(value: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(value).encode()).rstrip(b"=").decode()

    return f"{part({'alg': 'none'})}.{part(claims)}."


@contextmanager
def identity_provider() -> Iterator[Provider]:
    """On a free port; ended afterwards."""
    made: list[Provider] = []

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            made[0].asked.append(self.path)
            if self.path.endswith("/openid-configuration"):
                self._say(200, made[0].description())
            elif self.path.endswith("/keys"):
                self._say(200, made[0].keys())
            else:
                self._say(404, {})

        def do_POST(self) -> None:
            made[0].asked.append(self.path)
            if made[0].sends_on:
                self.send_response(307)
                self.send_header("Location", made[0].sends_on)
                self.send_header("Content-Length", "0")
                self.end_headers()
                return
            body = self.rfile.read(int(self.headers["Content-Length"])).decode()
            form = {name: values[0] for name, values in parse_qs(body).items()}
            self._say(*made[0].token(form, self.headers.get("Authorization", "")))

        def _say(self, status: int, value: dict[str, Any]) -> None:
            body = json.dumps(value).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            return

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    made.append(Provider(server.server_port))
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield made[0]
    finally:
        server.shutdown()
        server.server_close()


OTHER_KEYS = {
    "another key": lambda: (ECKey.generate_key("P-256", {"kid": "k1"}), "ES256"),
    "a shared secret": lambda: (OctKey.import_key(CLIENT_SECRET * 2), "HS256"),
    "another kind of key": lambda: (RSAKey.generate_key(2048, {"kid": "k1"}), "RS256"),
    "nothing": lambda: (None, "none"),
}
