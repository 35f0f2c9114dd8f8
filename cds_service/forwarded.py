"""What a reverse proxy says about the caller is believed of the named proxies only, and of nobody else."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable, Iterable
from http import HTTPStatus
from typing import Any, Final

from cds_service import cors
from cds_service.egress_policy import Network
from cds_service.errors import NotAllowed, operation_outcome
from cds_service.security_headers import HEADERS

Wsgi = Callable[[dict[str, Any], Callable[..., Any]], Iterable[bytes]]

_HOST: Final = re.compile(r"[A-Za-z0-9.-]{1,253}(:[0-9]{1,5})?|\[[0-9A-Fa-f:.]{2,45}\](:[0-9]{1,5})?")
_FROM_BESIDE: Final = ("/health", "/metrics")
_PLAIN: Final = NotAllowed("calls are taken over https only, through the proxy of this service", "plain-http")


class TrustedProxies:
    """WSGI middleware: scheme, host and address of the caller as the trusted proxy next to this service saw them.

    With ``https_only`` a call that did not come over https through such a proxy is refused; `/health` and `/metrics`
    are not, as they are asked from beside the service. ``origins``: the web pages that may read what was refused.
    """

    def __init__(
        self,
        wsgi_app: Wsgi,
        networks: tuple[Network, ...],
        https_only: bool,
        origins: Callable[[], frozenset[str]] = frozenset,
    ) -> None:
        self._wsgi_app = wsgi_app
        self._networks = networks
        self._https_only = https_only
        self._origins = origins

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        if self._is_trusted(environ.get("REMOTE_ADDR", "")):
            _take_over(environ)
        if self._https_only and environ["wsgi.url_scheme"] != "https" and environ["PATH_INFO"] not in _FROM_BESIDE:
            body = operation_outcome(_PLAIN)
            status = HTTPStatus(_PLAIN.status)
            headers = [("Content-Type", "application/json"), ("Content-Length", str(len(body))), *HEADERS]
            headers += cors.headers_for(environ.get("HTTP_ORIGIN"), self._origins())
            start_response(f"{status.value} {status.phrase}", [*headers, ("Connection", "close")])
            return (body,)
        return self._wsgi_app(environ, start_response)

    def _is_trusted(self, address: str) -> bool:
        try:
            found = ipaddress.ip_address(address)
        except ValueError:
            return False
        return any(found.version == network.version and found in network for network in self._networks)


def _take_over(environ: dict[str, Any]) -> None:
    """The last value of each header is the one that the trusted proxy wrote; those before it are the caller's."""
    scheme = _last(environ, "HTTP_X_FORWARDED_PROTO").lower()
    environ["wsgi.url_scheme"] = "https" if scheme == "https" else "http"
    host = _last(environ, "HTTP_X_FORWARDED_HOST")
    if _HOST.fullmatch(host):
        environ["HTTP_HOST"] = host
    address = _last(environ, "HTTP_X_FORWARDED_FOR")
    try:
        environ["REMOTE_ADDR"] = str(ipaddress.ip_address(address))
    except ValueError:
        return


def _last(environ: dict[str, Any], name: str) -> str:
    value: str = environ.get(name, "")
    return value.rpartition(",")[2].strip()
