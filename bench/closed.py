"""A registered client for the benchmark of closed mode: a clients file, a key, and a fresh token for every call."""

import itertools
import json
import time
from collections.abc import Callable
from pathlib import Path

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec
from msgspec import Struct

ISSUER = "https://ehr.example.org/fhir"
_KEY_ID = "bench"
_ALGORITHM = "ES384"  # the more costly of the two that CDS Hooks recommends


class Signer(Struct, frozen=True):
    """Whose tokens these are: the file of its private key, and the address that they are for."""

    key_file: str
    audience: str

    def tokens(self) -> Callable[[], str]:
        """Makes one token after another, each with an id of its own."""
        key = serialization.load_pem_private_key(Path(self.key_file).read_bytes(), password=None)
        first = time.time_ns()
        numbers = itertools.count()

        def token() -> str:
            now = int(time.time())
            claims = {
                "iss": ISSUER,
                "aud": self.audience,
                "iat": now,
                "exp": now + 300,
                "jti": f"{first}-{next(numbers)}",
            }
            return jwt.encode(claims, key, algorithm=_ALGORITHM, headers={"kid": _KEY_ID})  # type: ignore[arg-type]

        return token


def register(folder: Path, base: str, path: str) -> tuple[Path, Signer]:
    """A clients file with one client, and its signer for the endpoint ``path``."""
    key = ec.generate_private_key(ec.SECP384R1())
    key_file = folder / "key.pem"
    key_file.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    public = {**json.loads(jwt.algorithms.ECAlgorithm.to_jwk(key.public_key())), "kid": _KEY_ID, "alg": _ALGORITHM}
    (folder / "keys.json").write_text(json.dumps({"keys": [public]}), encoding="utf-8")
    clients = folder / "clients.toml"
    clients.write_text(
        f'[[client]]\nname = "bench"\nissuer = "{ISSUER}"\naudiences = ["{base}"]\njwks_file = "keys.json"\n'
        "rate_per_minute = 1000000\nburst = 1000000\n",
        encoding="utf-8",
    )
    return clients, Signer(str(key_file), base + path)
