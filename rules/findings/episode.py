"""The current episode of pain: which entries belong to it, and since when it lasts."""

from datetime import date
from operator import attrgetter, itemgetter

from msgspec import Struct

from rules.concepts import FactsByGroup
from rules.dates import DateInterval, days_before, days_between
from rules.draft_order import DraftOrder
from rules.evidence import Evidence
from rules.facts import Fact, FactKind
from rules.finding import Episode

_NOT_AN_ENTRY = frozenset({"planned", "draft", "not-done"})


class CurrentEpisode(Struct, frozen=True):
    """The episode as it is shown, and the bounds that decide what belongs to it.

    ``starts_by`` is the latest day on which it can have begun (``None``: nothing dated), ``not_before`` the earliest.
    ``gap_days`` is the gap that starts a new episode. ``spans`` are the days covered by its entries, kept only where
    the start was stated or pointed to: there a gap may lie inside the episode, and care before it is of another course.
    """

    shown: Episode
    starts_by: date | None
    not_before: date | None
    gap_days: int
    spans: tuple[tuple[date, date], ...] | None = None

    def holds(self, when: DateInterval | None, as_of: date) -> bool | None:
        """Is a date inside this episode? ``None``: it may be; undated entries may always be."""
        if when is None:
            return None
        begins, starts_by = when.earliest, self.starts_by
        if begins is not None and begins >= (starts_by or as_of):
            return True
        last = when.latest or as_of
        if starts_by is None:
            return None if (as_of - last).days <= self.gap_days else False
        not_before = self.not_before or days_before(starts_by, self.gap_days)
        return None if last >= not_before else False


_Entry = tuple[date, date, Fact, date]  # first day, last day, entry, latest day on which it can have begun
_last = itemgetter(1)


def find_episode(facts: FactsByGroup, order: DraftOrder, as_of: date, gap_days: int) -> CurrentEpisode:
    """The episode that the order's reason points to, else the current one; a clinician's stated onset overrides."""
    entries = _entries(facts, as_of)
    stated = None
    if order.reason_references or "stated-onset" in facts:
        stated = _stated_onset(facts, order, as_of, gap_days)
    if stated is not None:
        began, because = stated
        before = [entry for entry in entries if began.earliest is not None and entry[1] < began.earliest]
        return _episode(began, because, before, as_of, gap_days, _spans(entries))
    if not entries:
        return CurrentEpisode(_UNKNOWN, None, None, gap_days)
    current, before = _split_at_gap(entries, order, as_of, gap_days)
    if not current:
        return CurrentEpisode(Episode(earlier_episodes=_evidence(before)), None, None, gap_days)
    began, because = _onset(current, as_of)
    spans = _spans(entries) if order.reason_references else None
    return _episode(began, because, before, as_of, gap_days, spans)


_UNKNOWN = Episode()


def _episode(
    began: DateInterval,
    because: tuple[Evidence, ...],
    before: list[_Entry],
    as_of: date,
    gap_days: int,
    spans: tuple[tuple[date, date], ...] | None,
) -> CurrentEpisode:
    shown = Episode(days_between(began, as_of), began, because, _evidence(before))
    return CurrentEpisode(shown, began.latest, began.earliest, gap_days, spans)


def _spans(entries: list[_Entry]) -> tuple[tuple[date, date], ...]:
    return tuple(entry[:2] for entry in entries)


def _entries(facts: FactsByGroup, as_of: date) -> list[_Entry]:
    """Dated low-back diagnoses, therapy and pain scores; a score of zero is no pain.

    An open problem is an entry on its first day; one with an end, and a course of therapy, last until their end.
    """
    entries: list[_Entry] = []
    for group, is_score in _ENTRIES:
        for fact in facts.get(group, ()):
            began = fact.began
            if began is None or not fact.present or fact.kind is _REASON:
                continue
            if fact.value == 0 if is_score else fact.state in _NOT_AN_ENTRY:
                continue
            first = began.earliest or began.latest
            if first is None or first > as_of:
                continue
            begun_by = last = began.latest or as_of
            ended = fact.ended
            if ended is not None and ended.latest is not None:
                last = max(last, ended.latest)
            elif fact.state == "ongoing":
                last = as_of
            entries.append((first, last if last < as_of else as_of, fact, begun_by))
    return entries


_ENTRIES = (("low-back", False), ("back-therapy", False), ("pain-score", True), ("disability-score", True))
_REASON, _CONDITION = FactKind.REASON, FactKind.CONDITION  # a member of an enumeration is slow to reach


def _split_at_gap(
    entries: list[_Entry], order: DraftOrder, as_of: date, gap_days: int
) -> tuple[list[_Entry], list[_Entry]]:
    """The current episode and what came before, going back from today, or from the entry that the order names."""
    horizon = as_of
    if order.reason_references:
        for first, _, fact, _ in entries:
            if fact.evidence.reference in order.reason_references and first < horizon:
                horizon = first
    newest_first = sorted(entries, key=_last, reverse=True) if len(entries) > 1 else entries
    for position, (first, last, _, _) in enumerate(newest_first):
        if (horizon - last).days > gap_days:
            return newest_first[:position], newest_first[position:]
        if first < horizon:
            horizon = first
    return newest_first, []


def _onset(current: list[_Entry], as_of: date) -> tuple[DateInterval, tuple[Evidence, ...]]:
    """When the first entry is a problem with an onset, that onset; else "at least since" the first entry."""
    start = as_of
    by = date.max
    earliest: list[_Entry] = []
    for entry in current:
        first, _, _, begun_by = entry
        if begun_by < by:
            by = begun_by
        if first < start:
            start, earliest = first, [entry]
        elif first == start:
            earliest.append(entry)
    onsets = [entry for entry in earliest if _has_onset(entry[2])]
    return DateInterval(start if onsets else None, by), _evidence(onsets or earliest)


def _has_onset(fact: Fact) -> bool:
    return fact.kind is _CONDITION and fact.began is not None and fact.began.earliest is not None


def _stated_onset(
    facts: FactsByGroup, order: DraftOrder, as_of: date, gap_days: int
) -> tuple[DateInterval, tuple[Evidence, ...]] | None:
    """The onset as stated: in an answer or an observation of this episode, else in the problem that the order names."""
    newest: tuple[date, str] | None = None
    onset: DateInterval | None = None
    because: tuple[Evidence, ...] = ()
    for fact in facts.get("stated-onset", ()):
        said = _stated(fact, as_of)
        if said is None or (as_of - said[0]).days > gap_days:
            continue
        rank = (said[0], fact.evidence.reference)
        if newest is None or rank > newest:
            newest, onset, because = rank, said[1], (fact.evidence,)
    if onset is not None:
        return onset, because
    return _onset_of_the_reason(facts, order, as_of)


def _stated(fact: Fact, as_of: date) -> tuple[date, DateInterval] | None:
    """The day on which it was said, and the onset that it means."""
    if not fact.present:
        return None
    began = fact.began
    if fact.value is None:  # an onset date: the fact's own date is the onset
        return None if began is None or began.earliest is None else (as_of, began)
    said = as_of if began is None else min(began.latest or as_of, as_of)
    earliest_said = said if began is None else began.earliest or said
    return said, DateInterval(days_before(earliest_said, fact.value), days_before(said, fact.value))


def _onset_of_the_reason(
    facts: FactsByGroup, order: DraftOrder, as_of: date
) -> tuple[DateInterval, tuple[Evidence, ...]] | None:
    if not order.reason_references:
        return None
    named = [
        fact
        for fact in facts.get("low-back", ())
        if fact.present and fact.evidence.reference in order.reason_references and _has_onset(fact)
    ]
    if not named:
        return None
    first = min(named, key=_onset_key)
    began = first.began
    if began is None or began.earliest is None or began.earliest > as_of:
        return None
    return DateInterval(began.earliest, min(began.latest or as_of, as_of)), (first.evidence,)


def _onset_key(fact: Fact) -> tuple[date, str]:
    earliest = fact.began.earliest if fact.began is not None else None
    return (earliest or date.max, fact.evidence.reference)


def _evidence(entries: list[_Entry]) -> tuple[Evidence, ...]:
    if not entries:
        return ()
    if len(entries) == 1:
        return (entries[0][2].evidence,)
    found = dict.fromkeys([fact.evidence for _, _, fact, _ in entries])
    return tuple(sorted(found, key=_BY_DATE))


_BY_DATE = attrgetter("dated", "reference", "says", "marks")
