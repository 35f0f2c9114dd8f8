"""Open mode: which hosts a call may be addressed to.

A web page elsewhere can make its own name point to this machine (DNS rebinding). Its calls then count as its own
site's, so that no rule about origins stops it from reading the cards; their `Host` gives it away.
"""

from __future__ import annotations

from urllib.parse import urlsplit

from msgspec import Struct

from audit_pages.this_machine import is_loopback, name_in
from cds_service.errors import Misdirected
from cds_service.settings import Settings


class ServedHosts(Struct, frozen=True):
    """Loopback names and addresses at any port (a port may be mapped), and ``names``.

    ``usual``: whole `Host` headers that are among them, found by one look.
    """

    names: frozenset[str] = frozenset()
    usual: frozenset[str] = frozenset()

    def require(self, host: str | None) -> None:
        """Refuses a request to any other host. Browsers always name one; without it the caller is no web page."""
        if host is None or host in self.usual:
            return
        name = name_in(host)
        if not (is_loopback(name) or name in self.names):
            raise Misdirected


def served_hosts(settings: Settings) -> ServedHosts:
    """Those of these settings."""
    names = frozenset(filter(None, (urlsplit(settings.base_url).hostname, settings.host.lower())))
    usual = (f"{name}{port}" for name in ("127.0.0.1", "localhost", "[::1]") for port in ("", f":{settings.port}"))
    return ServedHosts(names, frozenset(usual))
