"""Used tokens and whose card is whose, in the PostgreSQL of the audit store: shared by the machines that use it."""

from __future__ import annotations

import os
import threading
import time
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Final, LiteralString

import psycopg
from sqlalchemy import URL

from audit_trail.database import impatient
from audit_trail.draining import StoreDown
from cds_service.card_owners import SECONDS_KEPT, CardOwnersError, mark_of_card
from cds_service.computing import LEAD
from cds_service.operator_log import OperatorLog
from cds_service.replay_memory import ReplayMemory
from cds_service.state_file import mark_of

_STATEMENT_MS: Final = 1000  # an answer waits for it
_CONNECT_SECONDS: Final = 2
_SECONDS_BETWEEN_PRUNINGS: Final = 60.0
_SECONDS_BETWEEN_TRIES: Final = 5.0  # at a database that is down: each try may cost a call its time
_MOST_OWED: Final = 100_000
_FIRST_USE: Final = "INSERT INTO used_token (mark, until) VALUES (%s, %s) ON CONFLICT DO NOTHING"
_OWED: Final = (
    "INSERT INTO used_token (mark, until) SELECT * FROM unnest(%s::bytea[], %s::float8[]) ON CONFLICT DO NOTHING"
)
_KEEP: Final = (
    "INSERT INTO card_owner (client, until, mark) SELECT %s::bytea, %s::float8, unnest(%s::bytea[]) "
    "ON CONFLICT (mark) DO UPDATE SET client = excluded.client, until = excluded.until"
)
_OWNERS: Final = "SELECT mark, client FROM card_owner WHERE mark = ANY(%s) AND until >= %s"
Used = tuple[bytes, float]


class SharedDatabase:
    """Single statements to the database of the store, and none for a while after one has failed.

    Answers wait for them, so that they go through the driver itself: a connection for each thread, and no transaction
    around a statement. A commit does not wait for the disk: what a crash of the database takes is its last moment.
    """

    def __init__(self, url: URL, clock: Callable[[], float] = time.monotonic) -> None:
        self._address = url.set(drivername="postgresql").render_as_string(hide_password=False)
        self._clock = clock
        self._kind = impatient(_STATEMENT_MS)
        self._local = threading.local()
        self._not_before = 0.0

    def execute(self, statement: LiteralString, values: Sequence[object]) -> psycopg.Cursor[tuple[Any, ...]]:
        """One statement; ``StoreDown`` at once, while the database is known to be down."""
        LEAD.leave()  # another machine has to be waited for
        if self._clock() < self._not_before:
            raise StoreDown("it was out of reach a moment ago")
        try:
            return self._connection().execute(statement, values)
        except psycopg.Error as problem:
            self._not_before = self._clock() + _SECONDS_BETWEEN_TRIES
            self._local.opened = None
            said = " ".join(str(problem).split())[:300] if isinstance(problem, psycopg.OperationalError) else ""
            raise StoreDown(said or f"{type(problem).__name__} ({problem.sqlstate})") from None

    def _connection(self) -> psycopg.Connection[tuple[Any, ...]]:
        """One for each thread, and none across a fork."""
        opened: tuple[int, psycopg.Connection[tuple[Any, ...]]] | None = getattr(self._local, "opened", None)
        if opened is None or opened[0] != os.getpid() or opened[1].closed:
            connection = self._kind.connect(
                self._address,
                autocommit=True,
                connect_timeout=_CONNECT_SECONDS,
                tcp_user_timeout=2 * _STATEMENT_MS,
                options=f"-c statement_timeout={_STATEMENT_MS} -c synchronous_commit=off",
                application_name="lumbar-cds",
            )
            opened = self._local.opened = (os.getpid(), connection)
        return opened[1]


class SharedReplayMemory:
    """A token counts once on all machines; while the database is down, once on each.

    Each machine's own memory is asked first, so that what was used here is not taken again here, come what may. What
    was used while the database was down is told to it when it is back.
    """

    def __init__(self, database: SharedDatabase, own: ReplayMemory, log: OperatorLog) -> None:
        self._database = database
        self._own = own
        self._log = log
        self._owed: list[Used] = []
        self._lock = threading.Lock()
        self._pruned_at = 0.0
        self._down = False

    def first_use(self, client: str, token_id: str, until: float, now: float) -> bool:
        """Is this the first use of the token of that id?"""
        if not self._own.first_use(client, token_id, until, now):
            return False
        used = (mark_of(f"{client}\n{token_id}"), until)
        try:
            first = self._first_use(used, now)
        except StoreDown as problem:
            self._is_down(str(problem), used)
            return True
        self._is_up()
        return first

    def _first_use(self, used: Used, now: float) -> bool:
        owed = self._take_owed(now)
        try:
            if now - self._pruned_at > _SECONDS_BETWEEN_PRUNINGS:
                self._pruned_at = now
                self._database.execute("DELETE FROM used_token WHERE until < %s", (now,))
            if owed:
                self._database.execute(_OWED, ([mark for mark, _ in owed], [until for _, until in owed]))
            return self._database.execute(_FIRST_USE, used).rowcount == 1
        except StoreDown:
            with self._lock:
                self._owed = [*owed, *self._owed][:_MOST_OWED]
            raise

    def _take_owed(self, now: float) -> list[Used]:
        if not self._owed:
            return []
        with self._lock:
            owed, self._owed = self._owed, []
        return [used for used in owed if used[1] >= now]

    def _is_down(self, why: str, used: Used) -> None:
        with self._lock:
            if len(self._owed) < _MOST_OWED:
                self._owed.append(used)
            was, self._down = self._down, True
        if not was:
            said = f"the shared memory is out of reach, tokens count once on each machine: {why}"
            self._log.write("error", "used-tokens", said)

    def _is_up(self) -> None:
        if self._down:
            self._down = False
            self._log.write("info", "used-tokens", "the shared memory is back, tokens count once on all machines")


class SharedCardOwners:
    """Whose card is whose, for feedback that arrives at another machine."""

    def __init__(self, database: SharedDatabase) -> None:
        self._database = database
        self._pruned_at = 0.0

    def keep(self, client: str, cards: Iterable[str], now: float) -> None:
        """These cards were sent to that client."""
        owner, until = mark_of(client), now + SECONDS_KEPT
        # In one order everywhere: two answers that are given again at once do not wait for each other in a circle.
        marks = sorted({mark_of_card(card) for card in cards})
        with _owners_problems():
            if now - self._pruned_at > _SECONDS_BETWEEN_PRUNINGS:
                self._pruned_at = now
                self._database.execute("DELETE FROM card_owner WHERE until < %s", (now,))
            self._database.execute(_KEEP, (owner, until, marks))

    def sent_to(self, client: str, cards: Iterable[str], now: float) -> Mapping[str, bool]:
        """Was it sent to that client? Of each of these cards that is still remembered."""
        marks = {card: mark_of_card(card) for card in cards}
        owner = mark_of(client)
        with _owners_problems():
            rows = self._database.execute(_OWNERS, (list(marks.values()), now))
            owners = {bytes(row[0]): bytes(row[1]) for row in rows}
        return {card: owners[mark] == owner for card, mark in marks.items() if mark in owners}


@contextmanager
def _owners_problems() -> Iterator[None]:
    try:
        yield
    except StoreDown as problem:
        raise CardOwnersError(str(problem)) from None
