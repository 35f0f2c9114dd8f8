"""A registered client for the benchmark of closed mode: a clients file, its keys, and a fresh token for every call."""

import itertools
import json
import time
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path
from types import MappingProxyType
from typing import Any

import jwt
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.asymmetric.types import PrivateKeyTypes
from msgspec import Struct

ISSUER = "https://ehr.example.org/fhir"
RS384 = "RS384"
ES384 = "ES384"
# CDS Hooks recommends these two. Epic signs with RS384, as far as a vendor says what it uses; a check of ES384 costs
# eight times as much.
_MAKE: Mapping[str, Callable[[], PrivateKeyTypes]] = MappingProxyType(
    {
        RS384: lambda: rsa.generate_private_key(65537, 2048),
        ES384: lambda: ec.generate_private_key(ec.SECP384R1()),
    }
)


class Signer(Struct, frozen=True):
    """Whose tokens these are: the file of its private key, the address that they are for, and how they are signed."""

    key_file: str
    audience: str
    algorithm: str

    def tokens(self) -> Callable[[], str]:
        """Makes one token after another, each with an id of its own."""
        key: Any = serialization.load_pem_private_key(Path(self.key_file).read_bytes(), password=None)
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
            return jwt.encode(claims, key, algorithm=self.algorithm, headers={"kid": self.algorithm})

        return token


def register(folder: Path, base: str, path: str) -> tuple[Path, dict[str, Signer]]:
    """A clients file with one client, and its signers for the endpoint ``path``, by their algorithms."""
    (folder / "keys.json").write_text(json.dumps({"keys": list(_public_keys(folder))}), encoding="utf-8")
    clients = folder / "clients.toml"
    clients.write_text(
        f'[[client]]\nname = "bench"\nissuer = "{ISSUER}"\naudiences = ["{base}"]\njwks_file = "keys.json"\n'
        "rate_per_minute = 1000000\nburst = 1000000\n",
        encoding="utf-8",
    )
    return clients, {name: Signer(str(_key_file(folder, name)), base + path, name) for name in _MAKE}


def _public_keys(folder: Path) -> Iterator[dict[str, Any]]:
    """Makes a key for each algorithm, and keeps its private part in the folder."""
    for name, make in _MAKE.items():
        key: Any = make()
        _key_file(folder, name).write_bytes(
            key.private_bytes(
                serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
            )
        )
        public = jwt.get_algorithm_by_name(name).to_jwk(key.public_key(), as_dict=True)
        yield {**public, "key_ops": ["verify"], "kid": name, "alg": name}


def _key_file(folder: Path, name: str) -> Path:
    return folder / f"{name}.pem"
