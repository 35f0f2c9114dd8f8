"""Who may call. This release has one mode, open: no caller is checked, so nothing but this machine may connect."""

from __future__ import annotations

import ipaddress
from typing import Protocol

from msgspec import Struct


class Caller(Struct, frozen=True):
    """Who is asking. ``client`` keeps the ids of two clients apart; ``update_only``: applies nothing but updates."""

    client: str
    update_only: bool = False


class RequestHeaders(Protocol):
    """Headers of a request, whatever the framework calls them."""

    def get(self, name: str, /) -> str | None:
        """One header, by its name in any case."""
        ...


class Trust(Protocol):
    """Decides who is calling, or raises a failure that says nothing about which check failed."""

    def identify(self, headers: RequestHeaders) -> Caller:
        """The caller of this request."""
        ...


class OpenTrust(Struct, frozen=True):
    """Open mode: everyone on this machine is answered; a browser client is known by its page's origin."""

    update_only_origins: frozenset[str]

    def identify(self, headers: RequestHeaders) -> Caller:
        origin = headers.get("Origin")
        if origin is None:
            return Caller("open")
        return Caller(origin, update_only=origin in self.update_only_origins)


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
