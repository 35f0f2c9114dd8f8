"""Which web pages may call the service from a browser (CDS Hooks, "Cross-Origin Resource Sharing").

Origins come from an allow-list and are echoed one at a time; credentials (cookies) are never allowed.
"""

from __future__ import annotations

from typing import Final

from cds_service.trust import RequestHeaders

ALLOWED_METHODS = "GET, POST, OPTIONS"
ALLOWED_HEADERS = "Authorization, Content-Type, Accept"
_VARIES: Final = (("Vary", "Origin"),)
SECONDS_A_PREFLIGHT_HOLDS = "600"  # saves a round trip per click in a browser client


def headers_for(origin: str | None, allowed: frozenset[str]) -> tuple[tuple[str, str], ...]:
    """CORS headers of any answer on a CDS path; `Vary` always, as a cache may sit between."""
    if origin is not None and origin in allowed:
        return (("Access-Control-Allow-Origin", origin), *_VARIES)
    return _VARIES


def preflight_headers(
    request_headers: RequestHeaders, allowed: frozenset[str], more: str = ""
) -> tuple[tuple[str, str], ...]:
    """What a browser needs to hear before it sends the call itself; answered without authentication.

    ``more``: a further header that a page may send.
    """
    headers = headers_for(request_headers.get("Origin"), allowed)
    if len(headers) == 1:
        return headers
    headers += (
        ("Access-Control-Allow-Methods", ALLOWED_METHODS),
        ("Access-Control-Allow-Headers", f"{ALLOWED_HEADERS}, {more}" if more else ALLOWED_HEADERS),
        ("Access-Control-Max-Age", SECONDS_A_PREFLIGHT_HOLDS),
    )
    # Older browsers ask before a public page calls a loopback address; answered only when asked.
    if request_headers.get("Access-Control-Request-Private-Network") == "true":
        headers += (("Access-Control-Allow-Private-Network", "true"),)
    return headers
