"""The clients that may call: what is agreed with each, as `clients.toml` states it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Final

from msgspec import Struct

from cards.profiles import DEFAULT_PROFILE
from cds_service.egress_policy import Network

DEFAULT_ALGORITHMS: Final = ("ES384", "RS384")  # the two that CDS Hooks recommends


class Client(Struct, frozen=True, kw_only=True):
    """One registered EHR (or tenants of one). Field names are the keys of `clients.toml`, where each is explained."""

    name: str
    issuer: str
    audiences: tuple[str, ...]
    jwks_url: str = ""
    jwks_file: Path | None = None
    jku: str = ""
    tenants: tuple[str, ...] = ()
    extra_audiences: tuple[str, ...] = ()
    algorithms: tuple[str, ...] = DEFAULT_ALGORITHMS
    max_token_minutes: int = 30
    fhir_servers: tuple[str, ...] = ()
    private_networks: tuple[Network, ...] = ()
    origins: tuple[str, ...] = ()
    code_maps: tuple[Path, ...] = ()
    order_catalogue: Path | None = None
    rate_per_minute: int = 600
    burst: int = 100
    profile: str = DEFAULT_PROFILE
    synthetic_data_only: bool = False
    silent: bool = False

    @property
    def key_set_address(self) -> str:
        """The only address that a token's `jku` may hold."""
        return self.jwks_url or self.jku

    def expects(self, path: str) -> frozenset[str]:
        """What `aud` may be in a token for ``path``: that endpoint as the client addresses it, or an agreed extra."""
        return frozenset((*(base + path for base in self.audiences), *self.extra_audiences))


class Registry:
    """All clients of one reading of the file."""

    def __init__(self, clients: Iterable[Client]) -> None:
        self.clients = tuple(clients)
        self.origins = frozenset(origin for client in self.clients for origin in client.origins)
        self._by_issuer: dict[str, list[Client]] = {}
        for client in self.clients:
            self._by_issuer.setdefault(client.issuer, []).append(client)

    def find(self, issuer: str, tenant: str) -> Client | None:
        """The client of that issuer and tenant. A client that lists no tenants takes any of its issuer's."""
        for client in self._by_issuer.get(issuer, ()):
            if not client.tenants or tenant in client.tenants:
                return client
        return None

    def knows(self, issuer: str) -> bool:
        """Is some client registered with that issuer?"""
        return issuer in self._by_issuer
