"""Radiculopathy: a coded diagnosis, a leg raise, or a sensory or reflex loss with leg pain."""

from msgspec import Struct

from rules.evidence import Evidence
from rules.facts import Fact
from rules.finding import Answer, Finding
from rules.findings.answers import PRESUMED_NO
from rules.findings.reading import Reading, evidence_of, in_episode, ordered

ROOT_GROUPS = frozenset({"radiculopathy-coded", "leg-raise", "root-deficit", "sensation-normal"})


class RootSigns(Struct, frozen=True):
    """The answer on radiculopathy, and the entries by side: signs of both legs may be cauda equina syndrome."""

    finding: Finding
    facts: tuple[Fact, ...] = ()


def radiculopathy(reading: Reading) -> RootSigns:
    """A coded diagnosis, a positive leg raise, or a dermatomal sensory or reflex loss together with leg pain."""
    marks: set[str] = set()
    normal: list[Evidence] = []
    facts = reading.facts
    counted = _signs(reading, "radiculopathy-coded", "coded", marks, normal) if "radiculopathy-coded" in facts else []
    if "leg-raise" in facts:
        counted += _signs(reading, "leg-raise", "leg-raise", marks, normal)
    deficits = _signs(reading, "root-deficit", "deficit", marks, normal) if "root-deficit" in facts else []
    if deficits and has_leg_pain(reading):
        counted, deficits = counted + deficits, []
    else:
        marks.discard("deficit")
    if "sensation-normal" in facts:
        felt = facts["sensation-normal"]
        normal += [f.evidence for f in felt if f.present and in_episode(reading, f) is not False]
    considered = ordered([fact.evidence for fact in deficits]) if deficits else ()
    if not counted:
        if not normal and not considered:
            return NO_ROOT_SIGNS
        because = ordered(normal)
        return RootSigns(
            Finding("radiculopathy", Answer.NO, because=because, considered=considered, presumed=not normal)
        )
    if {"left", "right"} <= sides_of(counted):
        marks.add("bilateral")
    because = ordered([evidence_of(fact) for fact in counted])
    against = ordered(normal)
    finding = Finding("radiculopathy", Answer.YES, "", frozenset(marks), because, against, considered)
    return RootSigns(finding, tuple(counted))


def _signs(reading: Reading, group: str, mark: str, marks: set[str], normal: list[Evidence]) -> list[Fact]:
    """Entries of this episode: a diagnosis while it is current, a sign when it was seen; denied ones are normal."""
    found: list[Fact] = []
    coded = group == "radiculopathy-coded"
    for fact in reading.facts.get(group, ()):
        if fact.present and coded:
            if fact.current:
                found.append(fact)
        elif in_episode(reading, fact) is not False:
            if fact.present:
                found.append(fact)
            else:
                normal.append(fact.evidence)
    if found:
        marks.add(mark)
    return found


NO_ROOT_SIGNS = RootSigns(PRESUMED_NO["radiculopathy"])


def has_leg_pain(reading: Reading) -> bool:
    """Is there pain in the leg now, by diagnosis or by the order's reason?"""
    return any(fact.present and fact.current for fact in reading.group("leg-pain"))


def sides_of(facts: list[Fact]) -> set[str]:
    """The sides that the entries name; "bilateral" is both."""
    sides: set[str] = set()
    for fact in facts:
        if fact.side == "bilateral" or fact.concept == "bilateral-sciatica":
            return {"left", "right"}
        sides.add(fact.side)
    return sides
