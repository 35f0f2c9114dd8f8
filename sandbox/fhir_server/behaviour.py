"""How the server behaves: as real ones do, or as they do on a bad day."""

from __future__ import annotations

import threading
from collections.abc import Iterable

from msgspec import Struct

# answer: with ``status`` (and ``retry_after``, ``location``, ``body``) instead of the resource
# hang: take the request and never answer; reset: cut the connection; half: stop in the middle of the body
# drip, drip-headers: send body or everything bit by bit; delay: answer after ``seconds``
# html: a web page with status 200; broken: JSON without its end; outcome: an OperationOutcome with status 200
# endless: a body without end; packed: a small gzip of a large body
KINDS = frozenset(
    {
        "answer", "hang", "reset", "half", "drip", "drip-headers", "delay", "html", "broken", "outcome", "endless",
        "packed",
    }
)  # fmt: skip


class Fault(Struct, frozen=True):
    """What goes wrong, for which resource types (all, if none is named) and how many times (always, if 0)."""

    kind: str
    types: frozenset[str] = frozenset()
    method: str = ""
    times: int = 0
    status: int = 503
    retry_after: str = ""
    location: str = ""
    body: bytes = b""
    seconds: float = 0.0

    def concerns(self, resource_type: str, method: str) -> bool:
        """Does it hit this request?"""
        return (not self.types or resource_type in self.types) and self.method in ("", method)


class Faults:
    """The faults in force; those that happen a number of times are used up."""

    def __init__(self, faults: Iterable[Fault] = ()) -> None:
        self._left = [(fault, fault.times) for fault in faults]
        self._lock = threading.Lock()

    def next(self, resource_type: str, method: str) -> Fault | None:
        """The fault that hits this request."""
        with self._lock:
            for place, (fault, left) in enumerate(self._left):
                if not fault.concerns(resource_type, method):
                    continue
                if fault.times:
                    if not left:
                        continue
                    self._left[place] = (fault, left - 1)
                return fault
        return None


class Behaviour(Struct, frozen=True, kw_only=True):
    """How the server behaves while nothing goes wrong.

    ``tokens``: bearer tokens that are accepted; none: open. ``page_size``: most entries of a page, whatever was asked
    for. ``next_links``: "hapi" (below the base), "search" (the search again, with an offset), "relative", or an address
    of another server. ``post_search``, ``get_search``: status with which such searches are refused; 0: taken.
    ``nothing_found``: "plain", or "outcome" for a warning among the entries, as one vendor has it. ``fhir``: r4, r4b,
    r5, stu3 or dstu2.
    """

    tokens: frozenset[str] = frozenset()
    page_size: int = 1000
    next_links: str = "hapi"
    post_search: int = 0
    get_search: int = 0
    nothing_found: str = "plain"
    fhir: str = "r4"
    unknown_types: frozenset[str] = frozenset()
    content_type: str = ""
    delay: float = 0.0
    faults: tuple[Fault, ...] = ()
