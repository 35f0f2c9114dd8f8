"""Ids that derive from the call: the same call gives the same ids, two clients never share one."""

from uuid import UUID, uuid5

import msgspec
from msgspec import Struct

# uuid5 of the DNS namespace and "lumbar-imaging-cds.github.io"; fixed, so that a decision can be replayed.
_NAMESPACE = UUID("33ad2577-46f8-5d60-9c46-84d1fd348856")
_encode = msgspec.json.Encoder().encode


class Ids(Struct, frozen=True):
    """The ids of one call."""

    call: UUID

    def of(self, *parts: str) -> str:
        """The id of one thing of this call, named by its parts."""
        return str(uuid5(self.call, _encode(parts).decode()))


def ids_of_call(client: str, service: str, hook_instance: str, body_digest: str) -> Ids:
    """Where the ids of a call start. Parts are JSON-encoded: no two different calls read alike."""
    return Ids(uuid5(_NAMESPACE, _encode((client, service, hook_instance, body_digest)).decode()))
