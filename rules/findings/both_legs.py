"""Radiculopathy or weakness of both legs: a feature of cauda equina syndrome since the second leg joined the first."""

from collections.abc import Iterator

from msgspec import Struct

from rules.evidence import Evidence
from rules.findings.feature_weight import Weight, weigh, weigh_date
from rules.findings.radiculopathy import RootSigns
from rules.findings.reading import DATE_UNCERTAIN, Reading, evidence_of, named_now
from rules.findings.weakness import Strength

_BOTH = ("left", "right")


class BothLegs(Struct, frozen=True):
    """How the pair weighs, whether a date is missing, and the entries that name a leg."""

    weight: Weight
    undated: bool
    evidence: tuple[Evidence, ...]

    def shown(self) -> list[Evidence]:
        """The entries, saying that their date is uncertain where the pair may be old."""
        if self.weight is Weight.NOW:
            return list(self.evidence)
        return [each if DATE_UNCERTAIN in each.marks else _uncertain(each) for each in self.evidence]


def _uncertain(evidence: Evidence) -> Evidence:
    return Evidence(
        evidence.reference, evidence.says, evidence.dated, (*evidence.marks, DATE_UNCERTAIN), evidence.version
    )


class _Sign(Struct, frozen=True):
    """One entry that names a leg, or both."""

    kind: str  # root or weakness
    sides: tuple[str, ...]
    weight: Weight
    named: bool
    undated: bool
    evidence: tuple[Evidence, ...]


def both_legs(reading: Reading, roots: RootSigns, strength: Strength) -> BothLegs | None:
    """Both legs, by diagnosis, sign or weakness; ``None`` where one leg or none is named, as in most records."""
    numb = _numbness(reading) if "weakness-unclear" in reading.facts else []
    if not numb and not _name_both_sides(roots, strength):
        return None
    signs = [*_root_signs(reading, roots), *_weaknesses(reading, strength), *numb]
    if {side for sign in signs for side in sign.sides} != set(_BOTH):
        return None
    evidence = tuple(each for sign in signs for each in sign.evidence)
    return BothLegs(_weight(signs), any(sign.undated for sign in signs), evidence)


def _name_both_sides(roots: RootSigns, strength: Strength) -> bool:
    sides: set[str] = set()
    for fact in roots.facts:
        sides.add("bilateral" if fact.concept == "bilateral-sciatica" else fact.side)
    for weak in strength.weak:
        sides.add(weak.side)
    return len(sides) > 1 or "bilateral" in sides


def _root_signs(reading: Reading, roots: RootSigns) -> Iterator[_Sign]:
    for fact in roots.facts:
        both = fact.side == "bilateral" or fact.concept == "bilateral-sciatica"
        sides = _BOTH if both else (fact.side,) if fact.side else ()
        if sides:
            weight = weigh(reading, fact, strong=False, by_name=both)
            yield _Sign("root", sides, weight, named_now(reading, fact), fact.began is None, (evidence_of(fact),))


def _numbness(reading: Reading) -> list[_Sign]:
    """Loss of feeling in both legs, no sign of a root and often a neuropathy: it weighs by its date alone (our choice).

    Undated it is a possible, which is asked about.
    """
    found = [
        fact
        for fact in reading.group("weakness-unclear")
        if fact.concept == "lower-limb-sensory-loss" and fact.side == "bilateral" and fact.present
    ]
    return [
        _Sign(
            "numbness", _BOTH, weigh(reading, fact, strong=False, by_name=False), False, fact.began is None,
            (evidence_of(fact),),
        )
        for fact in found
    ]  # fmt: skip


def _weaknesses(reading: Reading, strength: Strength) -> Iterator[_Sign]:
    for weak in strength.weak:
        sides = _BOTH if weak.side == "bilateral" else (weak.side,) if weak.side else ()
        if sides:
            now = weak.worsening or (weak.named and len(sides) > 1)
            weight = Weight.NOW if now else weigh_date(reading, weak.began)
            yield _Sign("weakness", sides, weight, weak.named, weak.began is None, weak.evidence)


def _weight(signs: list[_Sign]) -> Weight:
    """An entry that names both legs weighs by itself. Otherwise a leg is as old as its oldest sign of one kind, and the
    pair as new as the leg that joined last; or this order or encounter names both."""
    weights = [sign.weight for sign in signs if len(sign.sides) > 1]
    if {side for sign in signs if sign.named for side in sign.sides} == set(_BOTH):
        weights.append(Weight.NOW)
    since: dict[tuple[str, str], Weight] = {}
    for sign in signs:
        for side in sign.sides:
            since[side, sign.kind] = max(sign.weight, since.get((side, sign.kind), Weight.NOW))
    for (side, _), weight in since.items():
        weights += [min(weight, other) for (other_side, _), other in since.items() if other_side != side]
    return min(weights)
