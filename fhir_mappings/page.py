"""One patient's record while it is being read: what the readers share, and what they count."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date, timedelta, timezone
from functools import lru_cache

from msgspec import Struct

from fhir_mappings.code_words import Statement
from fhir_mappings.codes import CodeReader, CodeReading
from fhir_mappings.elements import version_in
from fhir_mappings.fhir_records import NOTHING, Record
from fhir_mappings.lookup import Lookup
from fhir_mappings.partial_dates import not_after, read_date
from fhir_mappings.record_text import shown, shown_date
from fhir_mappings.terminology import Terminology
from rules.dates import DateInterval, DayRange, within_days
from rules.evidence import Evidence

# Without another way to tell, half a year is taken for the present episode (the gap that starts a new one).
_EPISODE_DAYS = 180


@lru_cache(maxsize=4)
def reader_for(terminology: Terminology) -> CodeReader:
    """The code reader of a set of tables; its memos live as long as the tables are in use."""
    return CodeReader(terminology)


class Tally(Struct):
    """What could not be read, counted while reading."""

    unmapped: set[frozenset[tuple[str, str]]]  # (system, code), together as they stood: the same few sets over and over
    unread_texts: int = 0
    dropped: int = 0
    spoiled: set[str] = set()  # resource types of which an entry was dropped: what it held is not known
    unread_problems: list[Evidence] = []
    red_flag_stem: bool = False

    def drop(self, source: str) -> None:
        """An entry that cannot be understood: nobody can say what it held."""
        self.dropped += 1
        self.spoiled.add(source)

    def quote(self, unread: Evidence, *, stem: bool) -> None:
        """Keep an entry that was not understood, to be shown; ``stem``: it may speak of a red flag."""
        self.unread_problems.append(unread)
        self.red_flag_stem = self.red_flag_stem or stem

    def count_code(self, reading: CodeReading) -> None:
        """Keep the codes that are in no table, and the text that no code stands beside."""
        if reading.unmapped:
            self.unmapped.add(reading.unmapped)
        elif reading.unread:
            self.unread_texts += 1


class Page(Struct):
    """What every reader needs to know of the patient and the day."""

    as_of: date
    encounter: str  # "Encounter/7", or nothing
    encounter_id: str
    birth: DateInterval | None
    offset: timezone | None
    codes: CodeReader
    lookup: Lookup
    tally: Tally
    tomorrow: date  # what lies after it is a mistake; a day of slack for time zones
    draft_ids: frozenset[str] = frozenset()  # orders that are being judged
    unused_devices: frozenset[str] = frozenset()  # "Device/5": every recorded use is over

    def day(self, text: str | None) -> DateInterval | None:
        """A date of the record, as an interval of the patient's days."""
        return read_date(text, self.offset)

    def past_day(self, text: str | None) -> DateInterval | None:
        """The date of something that was found or done; one in the future is a mistake and unread."""
        found = read_date(text, self.offset)
        if found is None:
            return None
        first = found.earliest or found.latest
        return None if first is not None and first > self.tomorrow else found

    def of_this_episode(self, began: DateInterval | None) -> bool:
        """May an entry that was not understood belong to the present episode?"""
        return began is None or within_days(began, self.as_of, _EPISODE_DAYS) is not False

    def began(self, statement: Statement, said: DateInterval | None) -> DateInterval | None:
        """When it began, where the entry's own words say so."""
        stated = stated_onset(statement, said)
        return None if stated is None else not_after(stated, self.as_of)


def stated_onset(statement: Statement, said: DateInterval | None) -> DateInterval | None:
    """When it began, as the words have it: since a date, or so long before the day on which they were written."""
    if statement.since:
        return read_date(statement.since)
    if statement.days_ago is None or said is None:
        return None
    return before(said, statement.days_ago)


def before(said: DateInterval, ago: DayRange) -> DateInterval | None:
    """So many days before something was said."""
    if said.latest is None:
        return None
    first = said.earliest or said.latest
    try:
        earliest = None if ago.longest is None else first - timedelta(days=ago.longest)
        return DateInterval(earliest, said.latest - timedelta(days=ago.shortest))
    except OverflowError:
        return None


def evidence_of(record: Record, says: str, dated: str | None = None, marks: Sequence[str | None] = ()) -> Evidence:
    """This entry of the record, as a clinician can look it up. ``says`` is text that ``shown`` has made plain."""
    own_id, version = record.id, ""
    if record.meta is not NOTHING:
        meta = version_in(record.meta)
        version = meta.version_id or meta.last_updated or ""
    return Evidence(
        f"{type(record).__name__}/{shown(own_id) if own_id else ''}",
        says,
        shown_date(dated) if dated else "",
        tuple(dict.fromkeys(filter(None, marks))) if marks and any(marks) else (),
        shown(version) if version else "",
    )
