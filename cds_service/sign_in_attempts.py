"""How often somebody may try to sign in: by name, by address, and altogether, counted for all workers of a machine."""

from __future__ import annotations

from typing import Final

from cds_service.rate_limit import RateLimit

# Ours: a person mistypes a few times; a program that guesses gets one try a minute. A check of a password takes 64 MiB
# and a tenth of a second, so all together are limited too.
PER_NAME: Final = (1, 5)  # a minute; at once
PER_ADDRESS: Final = (6, 20)
ALL_TOGETHER: Final = (60, 60)


class SignInAttempts:
    """Made before the workers fork, as the rate limit is."""

    def __init__(self, limit: RateLimit | None = None) -> None:
        self._limit = limit or RateLimit()

    def wait(self, name: str, address: str) -> float:
        """Seconds until the next attempt; 0.0 counts this one."""
        buckets = [(f"address {address}", PER_ADDRESS), ("all", ALL_TOGETHER)]
        if name:
            buckets.insert(0, (f"name {name}", PER_NAME))
        return max(self._limit.wait(f"sign-in {bucket}", *rate) for bucket, rate in buckets)
