"""Reads and searches on the FHIR server of one call, within the call's time and caps.

An answer becomes what a client would have prefetched, or says why it could not be had; nothing is raised. The token is
in the headers of these requests and nowhere else.
"""

from __future__ import annotations

import email.utils
import time
from collections.abc import Callable, Iterable, Mapping
from datetime import UTC, datetime
from secrets import SystemRandom
from threading import Lock
from typing import Final
from urllib.parse import quote, urlencode

import msgspec
from msgspec import Struct

from cds_service.deadline import Deadline
from cds_service.egress import EgressAnswer, EgressFailed, EgressRefused
from cds_service.fhir_addresses import page_on
from cds_service.fhir_servers import FhirServer
from cds_service.prefetch_queries import Query
from fhir_mappings.access import Access
from fhir_mappings.fhir_records import type_name
from fhir_mappings.prefetch_values import FAILED, OLDER, UNREADABLE, PrefetchValue, State, read_body

_BUSY: Final = frozenset({429, 502, 503, 504})
_GONE: Final = frozenset({404, 410})
# How servers, and what stands in front of them, refuse a search in one form that they take in another.
_REFUSES_FORM: Final = frozenset({400, 403, 404, 405, 406, 411, 414, 415, 422, 501})
_RETRIES: Final = 2
_FIRST_PAUSE: Final = 0.05  # seconds
_TYPES_OF_DSTU2: Final = ("application/json+fhir",)


class FetchLimits(Struct, frozen=True):
    """Caps on what one call reads from a server."""

    pages: int = 20  # of one search
    answer_bytes: int = 8 * 1024 * 1024
    total_bytes: int = 32 * 1024 * 1024
    resources: int = 5000


class Found(Struct, frozen=True):
    """The outcome of one query. ``trouble`` is empty, or a word of ours for the record; it repeats nothing.

    ``pages`` are the bodies that ``value`` was read from, as they came. Where it ``continues``, they follow a page that
    was at hand already.
    """

    value: PrefetchValue
    trouble: str = ""
    gone: bool = False  # the server says that there is no such resource
    pages: tuple[bytes, ...] = ()
    continues: bool = False


class _Allowance:
    """What is left of the caps of one call, shared by its queries."""

    def __init__(self, limits: FetchLimits) -> None:
        self._lock = Lock()
        self._bytes = limits.total_bytes
        self._resources = limits.resources

    @property
    def used_up(self) -> bool:
        return self._bytes <= 0 or self._resources <= 0

    def next_answer(self, limits: FetchLimits) -> int:
        return max(0, min(self._bytes, limits.answer_bytes))

    def take(self, size: int, resources: int) -> None:
        with self._lock:
            self._bytes -= size
            self._resources -= resources


class FhirClient:
    """The FHIR server of one call. Made for the call, and dropped with it."""

    def __init__(
        self,
        base: str,
        server: FhirServer,
        access: Access,
        deadline: Deadline,
        limits: FetchLimits,
        sleep: Callable[[float], None] = time.sleep,
    ) -> None:
        self._egress = server.egress
        self._base = base
        self._server = server
        self._access = access
        self._deadline = deadline
        self._limits = limits
        self._allowance = _Allowance(limits)
        self._sleep = sleep

    def ask(self, query: Query) -> Found:
        """An instance read, or a search with all its pages."""
        try:
            return self._search(query) if query.parameters else self._read(query)
        except EgressFailed as problem:
            return Found(FAILED, problem.kind)
        except EgressRefused:
            return Found(FAILED, "refused by policy")

    def rest_of(self, first: PrefetchValue, query: Query) -> Found:
        """What follows a first page that is at hand. A link that has expired is replaced by a fresh search."""
        if first.state is not State.READ or not first.next_link:
            return self.ask(query)
        found = self._following(first)
        return self.ask(query) if found.gone else msgspec.structs.replace(found, continues=True)

    def version(self) -> str | None:
        """The version of FHIR that the server's statement names; ``None`` where it does not say in time."""
        try:
            answer = self._egress.fetch(
                "GET",
                f"{self._base}/metadata",
                headers=self._headers(),
                deadline=self._deadline,
                max_bytes=self._limits.answer_bytes,
            )
            return _STATEMENT.decode(answer.body).fhir_version if answer.status == 200 else None
        except (EgressFailed, EgressRefused, msgspec.DecodeError, RecursionError):
            return None

    def _read(self, query: Query) -> Found:
        answer = self._send("GET", f"{self._base}/{query.resource_type}/{quote(query.own_id, safe='')}")
        found = self._value(answer)
        if found.value.state not in (State.READ, State.OLDER) or (not found.value.entries and found.trouble):
            return found
        return found if found.value.alone and _is(found.value, query) else Found(UNREADABLE, "another resource")

    def _search(self, query: Query) -> Found:
        forms = (self._by_post, self._by_get)
        first, second = reversed(forms) if self._server.prefers_get else forms
        answer = first(query)
        if answer.status in _REFUSES_FORM:
            other = second(query)
            if other.status == 200:
                self._server.prefers_get = second == self._by_get
                answer = other
        found = self._value(answer)
        if found.value.state is State.READ and found.value.alone:
            return Found(UNREADABLE, "no list of results")
        return self._following(found.value, found.pages) if found.value.next_link else found

    def _by_post(self, query: Query) -> EgressAnswer:
        """Parameters in the body: patient ids stay out of the logs of whatever stands between."""
        return self._send(
            "POST",
            f"{self._base}/{query.resource_type}/_search",
            urlencode(query.parameters),
            {"Content-Type": "application/x-www-form-urlencoded"},
        )

    def _by_get(self, query: Query) -> EgressAnswer:
        return self._send("GET", f"{self._base}/{query.resource_type}?{urlencode(query.parameters)}")

    def _following(self, first: PrefetchValue, came: tuple[bytes, ...] = ()) -> Found:
        """The first page and those that follow it, as far as they can be had. ``came``: the first, if it just came."""
        pages, seen, trouble = [first], {first.next_link}, ""
        address = page_on(self._base, first.next_link)
        while address and not trouble:
            if len(pages) >= self._limits.pages or self._allowance.used_up:
                return Found(_joined(pages, incomplete=True), "over the cap", pages=came)
            try:
                found = self._value(self._send("GET", address))
            except EgressFailed as problem:
                return Found(_joined(pages, incomplete=True), problem.kind, pages=came)
            if found.value.state not in (State.READ, State.EMPTY):
                gone = len(pages) == 1 and found.gone
                return Found(_joined(pages, incomplete=True), found.trouble or "page", gone, came)
            pages.append(found.value)
            came += found.pages
            link = found.value.next_link
            if not link:
                return Found(_joined(pages, incomplete=_fewer_than_promised(pages)), pages=came)
            trouble = "pages in a circle" if link in seen else ""
            seen.add(link)
            address = page_on(self._base, link)
        return Found(_joined(pages, incomplete=True), trouble or "page elsewhere", pages=came)

    def _value(self, answer: EgressAnswer) -> Found:
        kind = answer.headers.get("Content-Type", "").lower()
        media_type = kind.partition(";")[0].strip()
        if media_type in _TYPES_OF_DSTU2 or "fhirversion=3" in kind or "fhirversion=1" in kind:
            if answer.status != 200:
                return Found(OLDER, "older FHIR")
            entries = msgspec.structs.replace(read_body(answer.body), state=State.OLDER)
            return Found(entries, "older FHIR", pages=(answer.body,))
        if answer.status != 200:
            return Found(FAILED, f"HTTP {answer.status}", answer.status in _GONE)
        if media_type and "json" not in media_type:
            return Found(UNREADABLE, "not JSON")
        value = read_body(answer.body)
        self._allowance.take(len(answer.body), len(value.entries))
        trouble = "" if value.state in (State.READ, State.EMPTY) else value.state.value
        return Found(value, trouble, pages=(answer.body,))

    def _send(
        self, method: str, address: str, body: str | None = None, headers: Mapping[str, str] | None = None
    ) -> EgressAnswer:
        """One request; asked again, a bounded number of times, where the server is busy or the connection broke."""
        for attempt in range(_RETRIES + 1):
            last = attempt == _RETRIES
            try:
                answer = self._egress.fetch(
                    method,
                    address,
                    headers={**self._headers(), **(headers or {})},
                    body=body,
                    deadline=self._deadline,
                    max_bytes=self._allowance.next_answer(self._limits),
                )
            except EgressFailed as problem:
                if last or problem.kind != "broken" or not self._pause(_backoff(attempt)):
                    raise
                continue
            if last or answer.status not in _BUSY:
                break
            if not self._pause(_retry_after(answer.headers, attempt)):
                break
        return answer

    def _pause(self, seconds: float) -> bool:
        """Waits, unless the call would be over before the next attempt."""
        if seconds >= self._deadline.remaining():
            return False
        self._sleep(seconds)
        return True

    def _headers(self) -> dict[str, str]:
        headers = {"Accept": "application/fhir+json, application/json;q=0.8"}
        if self._access.token is not None:
            headers["Authorization"] = self._access.token.authorization()
        return headers


class _Statement(Struct, rename="camel"):
    fhir_version: str | None = None


_STATEMENT = msgspec.json.Decoder(_Statement)
_jitter = SystemRandom().uniform


def _is(value: PrefetchValue, query: Query) -> bool:
    """Is it the resource that was asked for, and no other?"""
    resource = value.entries[0].resource
    return type_name(resource) == query.resource_type and getattr(resource, "id", None) == query.own_id


def _fewer_than_promised(pages: list[PrefetchValue]) -> bool:
    """Did the server count more matches than all its pages hold? The last page alone always looks short."""
    held = sum(len(page.entries) + page.dropped for page in pages)
    return pages[0].total > held or (pages[-1].state is State.EMPTY and pages[-1].incomplete)


def _joined(pages: Iterable[PrefetchValue], incomplete: bool) -> PrefetchValue:
    several = list(pages)
    return PrefetchValue(
        State.READ,
        [entry for page in several for entry in page.entries],
        incomplete=incomplete,
        dropped=sum(page.dropped for page in several),
    )


def _backoff(attempt: int) -> float:
    return _FIRST_PAUSE * 2.0**attempt * _jitter(0.5, 1.5)


def _retry_after(headers: Mapping[str, str], attempt: int) -> float:
    """How long a busy server asks to wait, and a little more so that not all come back at once."""
    stated = headers.get("Retry-After", "").strip()
    if stated.isascii() and stated.isdigit() and len(stated) < 9:
        return int(stated) + _backoff(attempt)
    try:
        moment = email.utils.parsedate_to_datetime(stated)
    except (TypeError, ValueError, IndexError):
        return _backoff(attempt)
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=UTC)
    return max(0.0, (moment - datetime.now(UTC)).total_seconds()) + _backoff(attempt)
