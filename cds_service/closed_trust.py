"""Closed mode: registered clients only, each known by a token of its own that counts once."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Final

from cds_service.errors import NotAllowed, NotAuthenticated, TemporarilyUnavailable, TooManyCalls
from cds_service.jwt_check import CheckedToken, TokenRefused, check_token
from cds_service.rate_limit import RateLimit
from cds_service.replay_memory import ReplayMemory, ReplayMemoryError
from cds_service.running_clients import RunningClients
from cds_service.trust import Caller, RequestHeaders

_NO_MEMORY: Final = "tokens cannot be checked at the moment; nothing was assessed, try again"


class ClosedTrust:
    """The clients of `clients.toml`."""

    def __init__(
        self,
        clients: RunningClients,
        replays: ReplayMemory,
        rate_limit: RateLimit,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._clients = clients
        self._replays = replays
        self._rate_limit = rate_limit
        self._clock = clock

    def identify(self, headers: RequestHeaders, path: str) -> Caller:
        """The registered client whose token this is, calling from a page of its own, and not too often."""
        in_force = self._clients.current()
        now = self._clock()
        try:
            token = check_token(
                headers.get("Authorization"), path, in_force.registry, lambda client: in_force.keys[client.name], now
            )
        except TokenRefused as refused:
            raise NotAuthenticated(refused.check) from None
        require_first_use(self._replays, token, now)
        client = token.client
        origin = headers.get("Origin")
        if origin is not None and origin not in client.origins:
            raise NotAllowed("this page's origin is not registered for this client", "origin", client.name)
        wait = self._rate_limit.wait(client.name, client.rate_per_minute, client.burst)
        if wait:
            raise TooManyCalls(wait, client.name)
        return Caller(
            client.name,
            client.profile,
            frozenset(client.fhir_servers),
            in_force.code_lists.get(client.name),
            client.private_networks,
            registered=True,
            silent=client.silent,
            issuer=client.issuer,
            token_id=token.token_id,
            tenant=token.tenant,
        )

    def origins(self) -> frozenset[str]:
        """Of all clients: a preflight does not say whose it is."""
        return self._clients.current().registry.origins

    def look_again(self) -> None:
        """Reads the clients file if it has changed."""
        self._clients.look_again()

    def health(self) -> dict[str, object]:
        return {"mode": "closed", "clients": self._clients.health()}


def require_first_use(replays: ReplayMemory, token: CheckedToken, now: float) -> None:
    """Refuses a token that has been used; and every token while that cannot be known."""
    try:
        if not replays.first_use(token.client.name, token.token_id, token.until, now):
            raise NotAuthenticated("replay")
    except ReplayMemoryError:
        raise TemporarilyUnavailable(_NO_MEMORY, "replay-memory") from None
