"""What every question reads: one patient's facts by concept group, the order's own reasons, the episode, the day."""

from collections.abc import Mapping, Sequence
from datetime import date
from operator import attrgetter

import msgspec
from msgspec import Struct

from rules.concepts import FactsByGroup
from rules.dates import DateInterval, within_days
from rules.draft_order import DraftOrder
from rules.evidence import Evidence
from rules.facts import ClinicalPicture, Fact, FactKind
from rules.finding import Finding
from rules.findings.episode import CurrentEpisode
from rules.parameters import Parameters

DATE_UNCERTAIN = "date uncertain"
SUSPECTED = "suspected"
NOT_DONE = frozenset({"planned", "draft", "not-done"})


class Reading(Struct, frozen=True):
    """One patient on one day, for one order. ``statement`` is "red flags and strength checked, none", if it holds.

    ``silence`` answers what the record says nothing of: presumed absent, or absent as that statement says.
    """

    facts: FactsByGroup
    picture: ClinicalPicture
    order: DraftOrder
    parameters: Parameters
    episode: CurrentEpisode
    as_of: date
    pointed: frozenset[str]
    encounter: str
    silence: Mapping[str, Finding]
    statement: Evidence | None = None

    def group(self, name: str) -> list[Fact]:
        """The facts of one concept group, present and absent ones alike."""
        return self.facts.get(name, _NONE)


_NONE: list[Fact] = []
_REASON = FactKind.REASON  # a member of an enumeration is slow to reach


def named_now(reading: Reading, fact: Fact) -> bool:
    """Is the fact named by this order (its reason, or an entry its reason points to) or recorded in this encounter?"""
    if fact.kind is _REASON:
        return True
    encounter, pointed = reading.encounter, reading.pointed
    if encounter and fact.encounter == encounter:
        return True
    return bool(pointed) and fact.evidence.reference in pointed


def stated_now(reading: Reading, fact: Fact) -> bool:
    """Does a clinician's answer hold for this order: on the order, in this encounter, or dated today?"""
    return fact.present and (named_now(reading, fact) or is_today(fact, reading.as_of))


def is_today(fact: Fact, as_of: date) -> bool:
    """Is the fact dated on the day of the call, with certainty?"""
    began = fact.began
    return began is not None and began.earliest is not None and began.earliest >= as_of


def in_episode(reading: Reading, fact: Fact) -> bool | None:
    """Does the fact belong to the current episode? ``None``: its date, or the episode's, leaves that open."""
    began, starts_by = fact.began, reading.episode.starts_by
    if began is not None and began.earliest is not None and starts_by is not None and began.earliest >= starts_by:
        return True  # the usual case
    if named_now(reading, fact):
        return True
    return reading.episode.holds(began, reading.as_of)


def clearly_older(reading: Reading, fact: Fact) -> bool:
    """Is the fact older than the episode, and than the gap between episodes? A near date may be the same illness."""
    began = fact.began
    if began is None or began.latest is None:
        return False
    if (reading.as_of - began.latest).days <= reading.parameters.episode_gap_days:
        return False
    return in_episode(reading, fact) is False


def happened_within(fact: Fact, as_of: date, days: int) -> bool | None:
    """Did it happen, or last, into the last ``days`` days? ``None``: undated, or the date straddles the limit."""
    when: DateInterval | None = fact.began
    if fact.ended is not None and fact.ended.latest is not None:
        when = fact.ended
    if when is None:
        return None
    if when.earliest is not None and when.earliest == when.latest:  # an exact day: the usual case
        return (as_of - when.earliest).days <= days
    return within_days(when, as_of, days)


def evidence_of(fact: Fact, *, uncertain: bool = False) -> Evidence:
    """The fact's evidence, saying that it is only suspected, or that its date is uncertain, where that is so."""
    evidence = fact.evidence
    if not uncertain and not fact.suspected:
        return evidence
    added: tuple[str, ...] = ()
    if fact.suspected and SUSPECTED not in evidence.marks:
        added = (SUSPECTED,)
    if uncertain and DATE_UNCERTAIN not in evidence.marks:
        added = (*added, DATE_UNCERTAIN)
    return msgspec.structs.replace(evidence, marks=evidence.marks + added) if added else evidence


def ordered(evidence: Sequence[Evidence]) -> tuple[Evidence, ...]:
    """Each entry once, by date and reference: the same record gives the same words, in whatever order it arrived."""
    if len(evidence) < 2:
        return tuple(evidence)
    if len(evidence) == 2:
        one, other = evidence
        if one.dated != other.dated:
            return (one, other) if one.dated < other.dated else (other, one)
    once: list[Evidence] = []
    last: Evidence | None = None
    for each in sorted(evidence, key=_BY_DATE):
        if last is None or (each is not last and each != last):
            once.append(each)
        last = each
    return tuple(once)


_BY_DATE = attrgetter("dated", "reference", "says", "marks", "version")
