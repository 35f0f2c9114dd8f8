"""The public CDS Hooks sandbox as a caller: for synthetic data only, as anybody can sign in its name.

Its private key is part of its published source (github.com/cds-hooks/sandbox): a token of this issuer proves nothing.
"""

from __future__ import annotations

from typing import Final

import msgspec

from cds_service.clients import Client, Registry
from cds_service.key_sets import FixedKeys, KeySet, read_key_set

ISSUER: Final = "https://sandbox.cds-hooks.org"
KEY_SET_ADDRESS: Final = "https://sandbox.cds-hooks.org/.well-known/jwks.json"

# The public half, as published at KEY_SET_ADDRESS: the demo needs no network to check a token.
_PUBLISHED_KEY: Final = {
    "kty": "EC",
    "crv": "P-384",
    "kid": "44823f3d-0b01-4a6c-a80e-b9d3e8a7226f",
    "use": "sig",
    "alg": "ES384",
    "x": "dw_JGR8nB2I6XveNxUOl2qk699ZPLM2nYI5STSdiEl9avAkrm3CkfYMbrrjr8laB",
    "y": "Sm3mLE-n1zYNla_aiE3cb3nZsL51RbC7ysw3q8aJLxGm-hx79RPMYpITDjp7kgzy",
}


def sandbox_keys() -> FixedKeys:
    """The sandbox's key set."""
    return FixedKeys(read_key_set(msgspec.json.encode({"keys": [_PUBLISHED_KEY]})))


def sandbox_registry(audiences: tuple[str, ...]) -> Registry:
    """The sandbox as the one client of the open demo, called at one of these base addresses."""
    return Registry(
        [
            Client(
                name="public-sandbox",
                issuer=ISSUER,
                audiences=audiences,
                jku=KEY_SET_ADDRESS,
                profile="sandbox",
                synthetic_data_only=True,
            )
        ]
    )


def is_public(client_issuer: str, keys_address: str, keys: KeySet | None) -> bool:
    """Can anybody sign as this client, because it is the sandbox or uses the sandbox's key?"""
    published = _PUBLISHED_KEY["x"]
    return (
        client_issuer.rstrip("/") == ISSUER
        or keys_address.startswith(f"{ISSUER}/")
        or (keys is not None and any(number == published for _, number in keys.thumbprints))
    )
