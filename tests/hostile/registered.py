"""A registered client with keys of its own, and the service as it runs in production, closed, with two workers."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any
from uuid import uuid4

import jwt
import requests
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from jwt.algorithms import ECAlgorithm, OKPAlgorithm, RSAAlgorithm

from tests.cds_service.service_under_test import SELECT, Address, Json, a_call

ROOT = Path(__file__).parents[2]
ISSUER = "https://ehr.example.org/fhir"
PAGE = "https://app.example.org"
EC_KID = "ab+c/d=="  # as one vendor writes them
RSA_KID = "rsa-1"
ED_KID = "ed-1"
FEEDBACK = SELECT + "/feedback"


@cache
def keys() -> dict[str, Any]:
    """Private keys by algorithm; `other` are keys of the same kinds that nobody registered."""
    p384, rsa_key = ec.generate_private_key(ec.SECP384R1()), rsa.generate_private_key(65537, 2048)
    return {
        "ES384": p384,
        "RS384": rsa_key,
        "RS256": rsa_key,
        "ES256": ec.generate_private_key(ec.SECP256R1()),
        "EdDSA": ed25519.Ed25519PrivateKey.generate(),
        "other ES384": ec.generate_private_key(ec.SECP384R1()),
        "other RS384": rsa.generate_private_key(65537, 2048),
    }


def public_jwk(private: Any, **more: Any) -> Json:
    """The public half as a JWK."""
    public = private.public_key()
    if isinstance(public, ec.EllipticCurvePublicKey):
        return {**json.loads(ECAlgorithm.to_jwk(public)), **more}
    if isinstance(public, rsa.RSAPublicKey):
        return {**json.loads(RSAAlgorithm.to_jwk(public)), **more}
    return {**json.loads(OKPAlgorithm.to_jwk(public)), **more}


def key_set() -> Json:
    """What the client sent to be registered."""
    return {
        "keys": [
            public_jwk(keys()["ES384"], kid=EC_KID, use="sig", alg="ES384"),
            public_jwk(keys()["RS384"], kid=RSA_KID, use="sig"),
            public_jwk(keys()["EdDSA"], kid=ED_KID),
            public_jwk(keys()["ES256"], kid="p256"),
        ]
    }


def a_token(
    audience: object,
    *,
    algorithm: str = "ES384",
    kid: str | None = EC_KID,
    key: Any = None,
    headers: Json | None = None,
    without: tuple[str, ...] = (),
    **claims: Any,
) -> str:
    """A token as a client makes it; every part can be spoiled."""
    now = int(time.time())
    filled = {"iss": ISSUER, "aud": audience, "iat": now, "exp": now + 300, "jti": str(uuid4()), **claims}
    filled = {name: value for name, value in filled.items() if name not in without}
    named: Json = {"kid": kid} if kid is not None else {}
    return raw_token(filled, {"alg": algorithm, "typ": "JWT", **named, **(headers or {})}, key or keys()[algorithm])


def raw_token(claims: Json | bytes, header: Json | bytes, key: Any) -> str:
    """Signs any claims under any header, where the key can, by the header's own algorithm."""
    payload = claims if isinstance(claims, bytes) else json.dumps(claims).encode()
    head = header if isinstance(header, bytes) else json.dumps(header).encode()
    signing_input = _b64(head) + "." + _b64(payload)
    name = "ES384" if isinstance(header, bytes) else header["alg"]
    algorithms = jwt.PyJWS(algorithms=["ES384", "RS384", "RS256", "ES256", "EdDSA", "HS256", "HS384", "none"])
    algorithm = algorithms.get_algorithm_by_name(name if name in algorithms.get_algorithms() else "ES384")
    return signing_input + "." + _b64(algorithm.sign(signing_input.encode(), key))


def _b64(data: bytes) -> str:
    return jwt.utils.base64url_encode(data).decode()


def clients_toml(folder: Path, port: int, more: str = "", others: str = "") -> Path:
    """A clients file with one EHR, called at that port or behind a proxy at https://cds.example.org."""
    (folder / "keys.json").write_text(json.dumps(key_set()), encoding="utf-8")
    path = folder / "clients.toml"
    path.write_text(
        f"""
[[client]]
name = "st-anna"
issuer = "{ISSUER}"
audiences = ["http://127.0.0.1:{port}", "https://cds.example.org"]
extra_audiences = ["sand_man"]
jwks_file = "keys.json"
origins = ["{PAGE}"]
rate_per_minute = 60000
burst = 10000
{more}
{others}
""",
        encoding="utf-8",
    )
    return path


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


class Closed(Address):
    """A closed service, and calls to it with a good token unless another one is given."""

    def __init__(self, port: int, folder: Path) -> None:
        super().__init__(port)
        self.folder = folder
        self.pid = 0

    def ask(self, path: str = SELECT, body: object = None, token: str | None = None, **more: str) -> requests.Response:
        authorization = f"Bearer {token or a_token(self.base + path)}"
        return self.post(path, a_call() if body is None else body, Authorization=authorization, **more)

    def log(self) -> str:
        """Everything that the service wrote so far."""
        return (self.folder / "log").read_text(encoding="utf-8")

    def last_check(self) -> str:
        """The check that the last refused call failed, as the log has it."""
        lines = [json.loads(line) for line in self.log().splitlines() if line.startswith("{")]
        return str([line for line in lines if line["event"] == "call"][-1].get("check", ""))

    def assert_good_call_is_answered(self) -> None:
        """A good call still gets the right answer."""
        answer = self.ask()
        assert answer.status_code == 200, answer.text
        assert answer.json()["cards"][0]["indicator"] == "warning"


@contextmanager
def serving(folder: Path, port: int, *options: str, workers: int = 2, **settings: str) -> Iterator[Closed]:
    """`lumbar-cds serve` in a process of its own, until the end of the block."""
    environment = {**os.environ, "LUMBAR_CDS_STATE_DIR": str(folder / "state")}
    environment |= {f"LUMBAR_CDS_{name.upper()}": value for name, value in settings.items()}
    arguments = options or ("--clients", str(folder / "clients.toml"))
    command = [sys.executable, "-m", "cds_service", "serve", *arguments]
    command += ["--port", str(port), "--workers", str(workers)]
    with (folder / "log").open("ab") as log:
        process = subprocess.Popen(command, stdout=log, stderr=log, cwd=ROOT, env=environment, start_new_session=True)
    closed = Closed(port, folder)
    closed.pid = process.pid
    try:
        wait_for(closed, process)
        yield closed
    finally:
        with suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            process.wait(timeout=20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(timeout=20)


def wait_for(closed: Closed, process: subprocess.Popen[bytes]) -> None:
    """Returns when some worker answers."""
    ends = time.monotonic() + 30
    while True:
        try:
            closed.get("/health")
            return
        except requests.ConnectionError:
            if time.monotonic() > ends or process.poll() is not None:
                raise AssertionError(closed.log()) from None
            time.sleep(0.05)
