"""The open demo and the tokens that reach it: none is needed, and one that is sent must be the public sandbox's.

That proves nothing about the caller, as the sandbox's private key is published; it lets a developer see tokens checked.
"""

from __future__ import annotations

import time
from collections.abc import Callable

from cds_service.closed_trust import require_first_use
from cds_service.errors import NotAuthenticated
from cds_service.jwt_check import TokenRefused, check_token
from cds_service.public_sandbox import sandbox_keys, sandbox_registry
from cds_service.replay_memory import ReplayMemory
from cds_service.trust import RequestHeaders


class SandboxTokens:
    """Checks tokens of the public sandbox."""

    def __init__(
        self, base_urls: tuple[str, ...], replays: ReplayMemory, clock: Callable[[], float] = time.time
    ) -> None:
        self._base_urls = base_urls
        self._replays = replays
        self._clock = clock
        self._keys = sandbox_keys()

    def check(self, headers: RequestHeaders, path: str) -> None:
        """Refuses any token but one that the sandbox made for this address, as the browser calls it."""
        host = headers.get("Host") or ""
        registry = sandbox_registry((*self._base_urls, f"http://{host}", f"https://{host}"))
        now = self._clock()
        try:
            token = check_token(headers.get("Authorization"), path, registry, lambda _: self._keys, now)
        except TokenRefused as refused:
            raise NotAuthenticated(refused.check) from None
        require_first_use(self._replays, token, now)
