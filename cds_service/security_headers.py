"""What every answer tells a browser: nothing here is a page, nothing is to be framed, guessed at, sent on or kept."""

from __future__ import annotations

from typing import Final

HEADERS: Final = (
    ("X-Content-Type-Options", "nosniff"),
    ("Content-Security-Policy", "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"),
    ("Referrer-Policy", "no-referrer"),
    ("Cache-Control", "no-store"),
)
# One year (RFC 6797); only said over https, as a browser would ignore it elsewhere.
OVER_HTTPS: Final = (*HEADERS, ("Strict-Transport-Security", "max-age=31536000"))


def security_headers(scheme: str) -> tuple[tuple[str, str], ...]:
    """The headers of an answer to a request that came over ``scheme``."""
    return OVER_HTTPS if scheme == "https" else HEADERS
