"""Which client got which card, so that nobody gives feedback in another client's name."""

from __future__ import annotations

import atexit
import os
import threading
import time
from collections import deque
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final, Protocol

from cds_service.computing import LEAD
from cds_service.operator_log import OperatorLog
from cds_service.state_file import STATE_PROBLEMS, StateFile, mark_of

_TABLES: Final = (
    "CREATE TABLE IF NOT EXISTS card (mark BLOB PRIMARY KEY, client BLOB, until REAL) WITHOUT ROWID",
    "CREATE INDEX IF NOT EXISTS card_until ON card (until)",
)


SECONDS_KEPT: Final = 30 * 86_400.0
SECONDS_HELD: Final = 0.02
SECONDS_TO_BE_KNOWN: Final = 0.2  # by then every worker's cards are, however busy it is
MOST_HELD: Final = 1000  # answers


class CardOwnersError(Exception):
    """The memory cannot be used at the moment."""


class CardOwners(Protocol):
    """Remembers whose card a card is; shared by all that answer the same clients."""

    def keep(self, client: str, cards: Iterable[str], now: float) -> None:
        """These cards were sent to that client."""
        ...

    def sent_to(self, client: str, cards: Iterable[str], now: float) -> Mapping[str, bool]:
        """Was it sent to that client? Of each of these cards that is still remembered."""
        ...


class SqliteCardOwners:
    """In the file of the used tokens; like these, digests only."""

    SECONDS_BETWEEN_PRUNINGS: Final = 60.0
    SECONDS_WAITED_FOR_OTHERS: Final = 0.25  # an answer waits for it

    def __init__(self, path: Path) -> None:
        self._file = StateFile(path, _TABLES, self.SECONDS_WAITED_FOR_OTHERS)
        self._pruned_at = 0.0

    def keep(self, client: str, cards: Iterable[str], now: float) -> None:
        owner, until = mark_of(client), now + SECONDS_KEPT
        rows = [(mark_of_card(card), owner, until) for card in cards]
        try:
            connection = self._file.connection()
            if now - self._pruned_at > self.SECONDS_BETWEEN_PRUNINGS:
                self._pruned_at = now
                connection.execute("DELETE FROM card WHERE until < ?", (now,))
            with connection:  # all of them in one transaction
                connection.execute("BEGIN IMMEDIATE")
                connection.executemany("INSERT OR REPLACE INTO card VALUES (?, ?, ?)", rows)
        except STATE_PROBLEMS as problem:
            raise CardOwnersError(str(problem)) from None

    def sent_to(self, client: str, cards: Iterable[str], now: float) -> Mapping[str, bool]:
        owner, found = mark_of(client), {}
        try:
            connection = self._file.connection()
            for card in cards:
                query = "SELECT client FROM card WHERE mark = ? AND until >= ?"
                row = connection.execute(query, (mark_of_card(card), now)).fetchone()
                if row is not None:
                    found[card] = row[0] == owner
        except STATE_PROBLEMS as problem:
            raise CardOwnersError(str(problem)) from None
        return found


def mark_of_card(card: str) -> bytes:
    """Of a card's uuid, which some clients write in capitals."""
    return mark_of(card.strip().lower())


class SentCards:
    """The cards of registered clients. A memory that fails costs nobody an answer: its cards are unknown ones later.

    Nor does an answer wait for the memory: what was sent is noted a moment later, many cards at once. Whoever asks of a
    card that is not known waits for that moment. A worker that is killed takes its last moment along.
    """

    def __init__(self, owners: CardOwners, log: OperatorLog, clock: Callable[[], float] = time.time) -> None:
        self._owners = owners
        self._log = log
        self._clock = clock
        self._held: deque[tuple[str, tuple[str, ...]]] = deque()
        self._noting = threading.Lock()
        self._something = threading.Event()
        self._process = 0

    def keep(self, client: str, cards: Iterable[str]) -> None:
        """Notes that these cards go to that client."""
        if self._process != os.getpid():
            self._begin()
        self._held.append((client, tuple(cards)))
        self._something.set()
        if len(self._held) > MOST_HELD:
            LEAD.leave()  # the memory is slow
            self.note()

    def note(self) -> None:
        """Everything that has been sent by now."""
        with self._noting:
            by_client: dict[str, list[str]] = {}
            for _ in range(len(self._held)):
                client, cards = self._held.popleft()
                by_client.setdefault(client, []).extend(cards)
            for client, sent in by_client.items():
                self._note(client, sent)

    def sent_to(self, client: str, cards: Iterable[str]) -> Mapping[str, bool]:
        """Was it sent to that client? Of each of these cards that is known."""
        self.note()
        asked = tuple(cards)
        try:
            found = self._owners.sent_to(client, asked, self._clock())
            missing = [card for card in asked if card not in found]
            if missing:  # another worker may have sent them just now
                LEAD.leave()
                time.sleep(SECONDS_TO_BE_KNOWN)
                found = {**found, **self._owners.sent_to(client, missing, self._clock())}
            return found
        except CardOwnersError as problem:
            said = f"feedback was taken without knowing whose cards it is about: {problem}"
            self._log.write("error", "card-owners", said)
            return {}

    def _note(self, client: str, cards: Iterable[str]) -> None:
        try:
            self._owners.keep(client, cards, self._clock())
        except CardOwnersError as problem:
            self._log.write("error", "card-owners", f"it was not noted whose card an answer holds: {problem}")

    def _begin(self) -> None:
        """In each process that answers: from its first card on."""
        with self._noting:
            if self._process == os.getpid():
                return
            self._process = os.getpid()
            threading.Thread(target=self._note_for_ever, name="cards", daemon=True).start()
            atexit.register(self.note)

    def _note_for_ever(self) -> None:
        while True:
            self._something.wait()
            self._something.clear()
            time.sleep(SECONDS_HELD)
            self.note()
