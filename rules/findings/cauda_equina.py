"""Suspected cauda equina syndrome: features that are new, worse, or began with this episode."""

from msgspec import Struct

from rules.evidence import Evidence
from rules.facts import Fact
from rules.finding import Answer, Finding
from rules.findings.answers import PRESUMED_NO, Gathered, conclude
from rules.findings.both_legs import BothLegs, both_legs
from rules.findings.feature_weight import Weight, weigh
from rules.findings.radiculopathy import ROOT_GROUPS, RootSigns
from rules.findings.reading import Reading, evidence_of, in_episode, ordered, stated_now
from rules.findings.weakness import STRENGTH_GROUPS, Strength

NAME = "cauda_equina"


class _Kind(Struct, frozen=True):
    """A kind of feature. Strong ones count undated too and are never taken for long-standing on one entry alone."""

    group: str
    strong: bool
    by_name: bool = True  # naming it on the order makes it new


_KINDS = (
    _Kind("cauda-equina-syndrome", strong=True),
    _Kind("saddle-feature", strong=True),
    _Kind("anal-tone", strong=True),
    _Kind("cauda-equina-statement", strong=True),
    _Kind("urinary-feature", strong=False),
    _Kind("bowel-feature", strong=False),
    _Kind("sexual-dysfunction", strong=False),
    # Our choice: no source read lists it, yet a cord or conus that may be compressed is never waved through. A code of
    # long-standing myelopathy as the reason is no emergency by itself: whether it is new or worse is asked.
    _Kind("cord-compression", strong=False, by_name=False),
)
_RESIDUAL = _Kind("urinary-feature", strong=False)
_MARKS = {
    "cauda-equina-syndrome": "syndrome",
    "conus-medullaris-syndrome": "syndrome",
    "saddle-anaesthesia": "saddle",
    "reduced-anal-tone": "anal-tone",
    "cauda-equina-features": "statement",
    "urinary-retention": "retention",
    "voiding-difficulty": "retention",
    "neurogenic-bladder": "retention",
    "post-void-residual": "retention",
    "urinary-incontinence": "incontinence",
    "bladder-sensation-loss": "sensation",
    "rectal-sensation-loss": "sensation",
    "faecal-incontinence": "bowel",
    "sexual-dysfunction": "sexual",
    "myelopathy": "cord",
}
_Doubtful = tuple[str, str, Evidence]  # group, mark, entry
_OWN_GROUPS = frozenset(kind.group for kind in _KINDS) | {"pelvic-examination"}
# Signs of the roots and weakness are read as well, for both legs.
CAUDA_EQUINA_GROUPS = _OWN_GROUPS | ROOT_GROUPS | STRENGTH_GROUPS
# Each of these looked for and absent, and nothing else found, answers the question as a whole.
_ALL_THREE = ("urinary-feature", "bowel-feature", "saddle-feature")


def cauda_equina(reading: Reading, indication: Finding, roots: RootSigns, strength: Strength) -> Finding:
    """Suspected; possible (a lone urinary, bowel, sexual or cord feature of doubtful date); or nothing on record."""
    both = both_legs(reading, roots, strength)
    if both is None and _OWN_GROUPS.isdisjoint(reading.facts):
        return reading.silence[NAME]
    found = Gathered.nothing()
    possible: list[_Doubtful] = []
    said_new = any(stated_now(reading, fact) for fact in reading.group("new-or-worse-stated"))
    for kind in _KINDS:
        for fact in reading.facts.get(kind.group, ()):
            if fact.present:
                _weigh(reading, kind, fact, indication, found, possible, said_new=said_new)
            else:
                _deny(reading, kind, fact, found)
    if "pelvic-examination" in reading.facts:
        _pelvic_examination(reading, indication, found, possible, said_new=said_new)
    if both is not None:
        _weigh_both_legs(both, found, possible)
    return _answer(reading, found, possible)


def _weigh(
    reading: Reading,
    kind: _Kind,
    fact: Fact,
    indication: Finding,
    found: Gathered,
    possible: list[_Doubtful],
    *,
    said_new: bool,
) -> None:
    if kind.group == "sexual-dysfunction" and not _has_pain(reading, indication):
        found.name_only(fact)
        return
    weight = weigh(reading, fact, strong=kind.strong, by_name=kind.by_name)
    stated_worse = said_new and fact.current and weight is Weight.OLD
    if weight is Weight.POSSIBLE or stated_worse:
        evidence = evidence_of(fact, uncertain=fact.began is None)
        possible.append((kind.group, _MARKS[fact.concept], evidence))
    elif weight is Weight.OLD:
        found.name_only(fact)
        found.notes.append("stable-longer-than-episode")
    else:
        found.count(fact, _MARKS[fact.concept], uncertain=weight is Weight.NOW_UNCERTAIN)


def _has_pain(reading: Reading, indication: Finding) -> bool:
    """Back or leg pain now: only with it is sexual dysfunction a feature."""
    if indication.yes:
        return True
    return any(fact.present and fact.current for group in ("low-back", "leg-pain") for fact in reading.group(group))


def _deny(reading: Reading, kind: _Kind, fact: Fact, found: Gathered) -> None:
    """A stated absence: the syndrome refuted, or "no features", answers the question; a single feature does not."""
    if in_episode(reading, fact) is False:
        return
    if kind.group in ("cauda-equina-syndrome", "cauda-equina-statement"):
        found.denied.append(fact.evidence)
    else:
        found.against.append(fact.evidence)


def _pelvic_examination(
    reading: Reading, indication: Finding, found: Gathered, possible: list[_Doubtful], *, said_new: bool
) -> None:
    """A normal rectal examination or bladder scan is shown beside the answer and never cancels anything; a bladder that
    stays full is retention, measured."""
    limit = reading.parameters.post_void_residual_ml
    for fact in reading.group("pelvic-examination"):
        measured = fact.value if fact.concept == "post-void-residual" and fact.present else None
        if measured is not None and measured >= limit and fact.comparator != "<":
            _weigh(reading, _RESIDUAL, fact, indication, found, possible, said_new=said_new)
            continue
        if in_episode(reading, fact) is False:
            continue
        normal_rectal = fact.concept == "rectal-examination-normal" and fact.present
        if normal_rectal or (fact.concept == "post-void-residual" and not fact.present):
            found.against.append(fact.evidence)
        else:
            found.name_only(fact)


def _weigh_both_legs(both: BothLegs, found: Gathered, possible: list[_Doubtful]) -> None:
    """Long-standing in a longer episode is named; both legs without a date are a possible, as other features are."""
    if both.weight <= Weight.NOW_UNCERTAIN:
        found.because.extend(both.shown())
        found.marks.add("bilateral")
    elif both.weight is Weight.POSSIBLE and both.undated:
        possible.extend(("bilateral", "bilateral", each) for each in both.shown())
    else:
        found.considered.extend(both.evidence)


# --- the answer ------------------------------------------------------------------------------------------------------


def _answer(reading: Reading, found: Gathered, possible: list[_Doubtful]) -> Finding:
    said_new = [fact for fact in reading.group("new-or-worse-stated") if stated_now(reading, fact)]
    said_not_new = [fact for fact in reading.group("not-new-stated") if stated_now(reading, fact)]
    lone = len({group for group, _, _ in possible}) == 1 and not found.because
    if said_new and (possible or found.considered):
        _count_possible(found, possible)
        found.because.extend(fact.evidence for fact in said_new)
        found.marks.add("statement")
    elif possible and not lone:
        _count_possible(found, possible)
    elif possible and said_not_new:
        found.denied.extend(fact.evidence for fact in said_not_new)
        found.notes.append("stated-not-new")
        found.considered.extend(evidence for _, _, evidence in possible)
    elif possible:
        return _possible(reading, found, possible)
    _all_three_absent(reading, found)
    if not found.because:  # single features absent do not answer the question: they are only named
        found.considered.extend(found.against)
        if not (found.considered or found.denied or reading.statement):
            return PRESUMED_NO[NAME]
    return conclude(reading, NAME, found, "suspected")


def _count_possible(found: Gathered, possible: list[_Doubtful]) -> None:
    for _, mark, evidence in possible:
        found.because.append(evidence)
        found.marks.add(mark)


def _possible(reading: Reading, found: Gathered, possible: list[_Doubtful]) -> Finding:
    """A warning that blocks deferral and asks "new or worse?" (our choice)."""
    _count_possible(found, possible)
    against = [*found.against, *found.denied]
    if reading.statement is not None:
        against.append(reading.statement)
    return Finding(
        NAME,
        Answer.UNKNOWN,
        "possible",
        frozenset(found.marks),
        ordered(found.because),
        ordered(against),
        ordered(found.considered),
        notes=tuple(sorted({*found.notes, "new-or-worse-not-stated"})),
    )


def _all_three_absent(reading: Reading, found: Gathered) -> None:
    """Bladder, bowel and saddle each looked for and absent in this episode: together they answer the question."""
    absent: list[Fact] = []
    for group in _ALL_THREE:
        denied = [f for f in reading.group(group) if not f.present and in_episode(reading, f) is not False]
        if not denied:
            return
        absent.extend(denied)
    found.denied.extend(fact.evidence for fact in absent)
