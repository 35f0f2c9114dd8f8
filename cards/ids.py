"""Ids that derive from the call: the same call gives the same ids, two clients never share one."""

from functools import lru_cache
from uuid import UUID

import msgspec
from msgspec import Struct

from rules.recommendation import Recommendation

try:  # CPython's own: for a few short names in between, half the cost of OpenSSL's, which hashlib gives
    from _sha1 import sha1  # type: ignore[import-not-found]
except ImportError:  # a Python built without it
    from hashlib import sha1

# uuid5 of the DNS namespace and "lumbar-imaging-cds.github.io"; fixed, so that a decision can be replayed.
_NAMESPACE = UUID("33ad2577-46f8-5d60-9c46-84d1fd348856").bytes
# RFC 9562, section 4.1: the two highest bits of this digit are 1 and 0.
_VARIANT = {digit: f"{int(digit, 16) & 3 | 8:x}" for digit in "0123456789abcdef"}
_encode = msgspec.json.Encoder().encode


class Ids(Struct, frozen=True, gc=False):
    """The ids of one call."""

    call: bytes

    def of(self, *parts: str) -> str:
        """The id of one thing of this call, named by its parts: RFC 9562 version 5, in the fewest steps.

        A card needs half a dozen.
        """
        digest = sha1(self.call + _encode(parts), usedforsecurity=False).hexdigest()
        variant = _VARIANT[digest[16]]
        return f"{digest[:8]}-{digest[8:12]}-5{digest[13:16]}-{variant}{digest[17:20]}-{digest[20:32]}"


@lru_cache(maxsize=16)  # asked for by the cards and by the record of one call
def ids_of_call(client: str, service: str, hook_instance: str, body_digest: str) -> Ids:
    """Where the ids of a call start. Parts are JSON-encoded: no two different calls read alike."""
    return Ids(_uuid5(_NAMESPACE, _encode((client, service, hook_instance, body_digest))))


def card_id(ids: Ids, advice: Recommendation) -> str:
    """The id of the card of one order's advice, by which feedback finds its way back to the advice."""
    return ids.of("card", advice.order.reference, advice.situation.value)


def _uuid5(namespace: bytes, name: bytes) -> bytes:
    """RFC 9562 version 5, as ``uuid.uuid5`` makes it."""
    digest = bytearray(sha1(namespace + name, usedforsecurity=False).digest()[:16])
    digest[6] = digest[6] & 0x0F | 0x50
    digest[8] = digest[8] & 0x3F | 0x80
    return bytes(digest)
