"""The key to the EHR's own server that comes with a call: kept for that call, shown to nobody."""

from __future__ import annotations

import re
from typing import Any

# RFC 6750, 2.1; anything else could end a header line and begin another.
_BEARER = re.compile(r"[A-Za-z0-9\-._~+/]+=*")
_LONGEST = 16 * 1024


class AccessToken:
    """A bearer token. It has no text of its own, so that it cannot end up in a log line, a trace or a record."""

    __slots__ = ("_value",)

    def __init__(self, value: str) -> None:
        self._value = value

    def authorization(self) -> str:
        """The one place where it is spelled out: the header of a request to the server that it is for."""
        return f"Bearer {self._value}"

    def __repr__(self) -> str:
        return "AccessToken(…)"

    def __reduce__(self) -> str | tuple[Any, ...]:
        raise TypeError("an access token is not kept")


class Access:
    """What the call says about reading from the EHR's server: with a token, openly, or not at all."""

    __slots__ = ("token", "usable")

    def __init__(self, token: AccessToken | None = None, usable: bool = True) -> None:
        self.token = token
        self.usable = usable  # False: a token was sent in a form that cannot be used

    def __repr__(self) -> str:
        return f"Access(token={self.token!r}, usable={self.usable})"


NO_TOKEN = Access()


def read_access(authorization: object) -> Access:
    """The ``fhirAuthorization`` of a call."""
    if authorization is None:
        return NO_TOKEN
    if not isinstance(authorization, dict):
        return Access(usable=False)
    token, kind = authorization.get("access_token"), authorization.get("token_type", "Bearer")
    if not isinstance(kind, str) or kind.lower() != "bearer":
        return Access(usable=False)
    if not isinstance(token, str) or len(token) > _LONGEST or not _BEARER.fullmatch(token):
        return Access(usable=False)
    return Access(AccessToken(token))
