"""Who may call: what a caller is once known, and the two modes, open and closed."""

from __future__ import annotations

import ipaddress
from typing import Final, Protocol

from msgspec import Struct

from cards.profiles import DEFAULT_PROFILE, PROFILES
from cds_service.egress_policy import Network
from cds_service.errors import OtherHttpFailure
from cds_service.served_hosts import ServedHosts
from fhir_mappings.terminology import Terminology

PROFILE_HEADER: Final = "Lumbar-CDS-Profile"  # open mode: how a caller sees what another client would get


class Caller(Struct, frozen=True):
    """Who is asking, and what goes with them.

    ``client`` keeps the ids of two clients apart; ``profile``: how answers are written for it; ``fhir_servers``: base
    addresses that this caller's records may be fetched from; ``terminology``: the site's own code lists, if it has any.
    """

    client: str
    profile: str = DEFAULT_PROFILE
    fhir_servers: frozenset[str] = frozenset()
    terminology: Terminology | None = None
    private_networks: tuple[Network, ...] = ()  # that the names of those servers may stand for
    registered: bool = False  # then ``client`` is the operator's own word for it, fit for the log
    silent: bool = False  # decide and record, but show nothing
    issuer: str = ""  # of its token: `iss`, `jti` and tenant, for the record
    token_id: str = ""
    tenant: str = ""


class RequestHeaders(Protocol):
    """Headers of a request, whatever the framework calls them."""

    def get(self, name: str, /) -> str | None:
        """One header, by its name in any case."""
        ...


class Trust(Protocol):
    """Decides who is calling, or raises a failure that says nothing about which check failed."""

    def identify(self, headers: RequestHeaders, path: str) -> Caller:
        """The caller of this request to the address ``path``, which starts at `/cds-services`."""
        ...

    def origins(self) -> frozenset[str]:
        """The web pages that may call from a browser."""
        ...

    def health(self) -> dict[str, object]:
        """What `GET /health` says about who may call."""
        ...


class TokenCheck(Protocol):
    """Refuses a request whose token does not count."""

    def check(self, headers: RequestHeaders, path: str) -> None:
        """Raises the failure to answer with."""
        ...


class OpenTrust(Struct, frozen=True):
    """Open mode: everyone on this machine is answered; a browser client is known by its page's origin.

    ``hosts``: under which names. No token is needed; one that is sent is checked by ``tokens``. ``sandbox_origins`` are
    the public sandbox's pages; any caller may try another profile with the header `Lumbar-CDS-Profile`.
    """

    sandbox_origins: frozenset[str]
    page_origins: frozenset[str] = frozenset()
    fhir_servers: frozenset[str] = frozenset()
    tokens: TokenCheck | None = None
    hosts: ServedHosts = ServedHosts()

    def identify(self, headers: RequestHeaders, path: str) -> Caller:
        if (host := headers.get("Host")) not in self.hosts.usual:
            self.hosts.require(host)
        if self.tokens is not None and headers.get("Authorization") is not None:
            self.tokens.check(headers, path)
        origin = headers.get("Origin")
        if origin is None:
            return Caller("open", _asked_for(headers) or DEFAULT_PROFILE, self.fhir_servers)
        usual = "sandbox" if origin in self.sandbox_origins else DEFAULT_PROFILE
        return Caller(origin, _asked_for(headers) or usual, self.fhir_servers)

    def origins(self) -> frozenset[str]:
        return self.page_origins

    def health(self) -> dict[str, object]:
        return {"mode": "open"}


def _asked_for(headers: RequestHeaders) -> str:
    """The profile that this call is to be answered in, if it names one."""
    name = headers.get(PROFILE_HEADER)
    if name is not None and name not in PROFILES:
        raise OtherHttpFailure(f"{PROFILE_HEADER}: the profiles are {', '.join(PROFILES)}", 400)
    return name or ""


class NotLoopback(ValueError):
    """Open mode on an address that other machines can reach."""


def require_loopback(host: str) -> None:
    """Stops a start in open mode on anything but a loopback address: callers are not authenticated."""
    try:
        loopback = host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        loopback = False  # a name that some resolver decides about
    if not loopback:
        raise NotLoopback(
            f"open mode authenticates no caller, so it listens on a loopback address only (127.0.0.1, ::1, localhost), "
            f"not on {host}"
        )
