"""Suspected cauda equina syndrome: features that are new, worse, or began with this episode."""

from enum import Enum

from msgspec import Struct

from rules.dates import DateInterval, within_days
from rules.facts import Fact, FactKind
from rules.finding import Answer, Finding
from rules.findings.answers import PRESUMED_NO, Gathered, conclude, silent
from rules.findings.neurology import RootSigns, Strength
from rules.findings.reading import (
    Reading,
    clearly_older,
    happened_within,
    in_episode,
    named_now,
    ordered,
    stated_now,
)

NAME = "cauda_equina"


class Weight(Enum):
    """How a feature on record weighs today."""

    NOW = "new, worse, named by this order or begun with this episode"
    NOW_UNCERTAIN = "may be new: its date, or the episode's, leaves it open"
    POSSIBLE = "undated, or older than the window in a longer episode"
    OLD = "stable for longer than the episode, or over"


class _Kind(Struct, frozen=True):
    """A kind of feature. Strong ones count undated too and are never taken for long-standing on one entry alone."""

    group: str
    strong: bool


_KINDS = (
    _Kind("cauda-equina-syndrome", strong=True),
    _Kind("saddle-feature", strong=True),
    _Kind("anal-tone", strong=True),
    _Kind("cauda-equina-statement", strong=True),
    _Kind("urinary-feature", strong=False),
    _Kind("bowel-feature", strong=False),
    _Kind("sexual-dysfunction", strong=False),
)
_MARKS = {
    "cauda-equina-syndrome": "syndrome",
    "conus-medullaris-syndrome": "syndrome",
    "saddle-anaesthesia": "saddle",
    "reduced-anal-tone": "anal-tone",
    "cauda-equina-features": "statement",
    "urinary-retention": "retention",
    "voiding-difficulty": "retention",
    "neurogenic-bladder": "retention",
    "urinary-incontinence": "incontinence",
    "bladder-sensation-loss": "sensation",
    "rectal-sensation-loss": "sensation",
    "faecal-incontinence": "bowel",
    "sexual-dysfunction": "sexual",
}
_GROUPS = frozenset(kind.group for kind in _KINDS) | {"pelvic-examination"}
# Each of these looked for and absent, and nothing else found, answers the question as a whole.
_ALL_THREE = ("urinary-feature", "bowel-feature", "saddle-feature")


def cauda_equina(reading: Reading, indication: Finding, roots: RootSigns, strength: Strength) -> Finding:
    """Suspected; possible (a lone urinary, bowel or sexual feature of doubtful date); or nothing on record."""
    both_legs = _both_legs(reading, roots, strength)
    if both_legs is None and _GROUPS.isdisjoint(reading.facts):
        return silent(reading, NAME)
    found = Gathered.nothing()
    possible: list[tuple[str, Fact]] = []
    said_new = any(stated_now(reading, fact) for fact in reading.group("new-or-worse-stated"))
    for kind in _KINDS:
        for fact in reading.group(kind.group):
            if fact.present:
                _weigh(reading, kind, fact, indication, found, possible, said_new=said_new)
            else:
                _deny(reading, kind, fact, found)
    _pelvic_examination(reading, found)
    if both_legs is not None:
        _count_both_legs(both_legs, found, possible)
    return _answer(reading, found, possible)


def _weigh(
    reading: Reading,
    kind: _Kind,
    fact: Fact,
    indication: Finding,
    found: Gathered,
    possible: list[tuple[str, Fact]],
    *,
    said_new: bool,
) -> None:
    if kind.group == "sexual-dysfunction" and not _has_pain(reading, indication):
        found.name_only(fact)
        return
    weight = weigh(reading, fact, strong=kind.strong)
    if weight is Weight.OLD and said_new and fact.current:
        possible.append((kind.group, fact))  # old, and stated to be worse now
    elif weight is Weight.OLD:
        found.name_only(fact)
        found.notes.append("stable-longer-than-episode")
    elif weight is Weight.POSSIBLE:
        possible.append((kind.group, fact))
    else:
        found.count(fact, _MARKS[fact.concept], uncertain=weight is Weight.NOW_UNCERTAIN)


def weigh(reading: Reading, fact: Fact, *, strong: bool) -> Weight:
    """How a present feature weighs, by its date, its course, and whether this order or encounter names it."""
    window = reading.parameters.cauda_equina_window_days
    if not fact.current:  # over: it counts where it is dated inside the window; "a history of it" seen today is not
        dated = fact.kind is FactKind.CONDITION and fact.began is not None
        return Weight.NOW if dated and happened_within(fact, reading.as_of, window) else Weight.OLD
    if named_now(reading, fact):
        return Weight.NOW
    if fact.began is None:
        return Weight.NOW_UNCERTAIN if strong or fact.course == "worsening" else Weight.POSSIBLE
    recent = within_days(fact.began, reading.as_of, window)
    if recent:
        return Weight.NOW
    if fact.course == "worsening" and fact.kind is FactKind.CONDITION:
        return Weight.NOW_UNCERTAIN  # the onset is dated, the worsening is not
    if recent is None:
        return Weight.NOW_UNCERTAIN
    return _weigh_by_episode(reading, fact, strong)


def _weigh_by_episode(reading: Reading, fact: Fact, strong: bool) -> Weight:
    """Older than the window: does it belong to an episode of up to twelve weeks?"""
    inside = in_episode(reading, fact)
    if inside is False:
        if strong and not clearly_older(reading, fact):
            return Weight.NOW_UNCERTAIN
        return Weight.OLD
    days = reading.episode.shown.days
    limit = reading.parameters.cauda_equina_episode_days
    short = None if days is None else True if days.longest is not None and days.longest <= limit else None
    if short and inside:
        return Weight.NOW
    if strong or short:
        return Weight.NOW_UNCERTAIN if inside is None or not strong else Weight.NOW
    return Weight.POSSIBLE


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


def _pelvic_examination(reading: Reading, found: Gathered) -> None:
    """A normal rectal examination or bladder scan is shown beside the answer; it never cancels anything."""
    for fact in reading.group("pelvic-examination"):
        if in_episode(reading, fact) is False:
            continue
        normal_rectal = fact.concept == "rectal-examination-normal" and fact.present
        if normal_rectal or (fact.concept == "post-void-residual" and not fact.present):
            found.against.append(fact.evidence)
        else:
            found.name_only(fact)


# --- both legs -------------------------------------------------------------------------------------------------------


class _BothLegs(Struct, frozen=True):
    weight: Weight
    undated: bool
    facts: tuple[Fact, ...]
    strength: Strength


def _both_legs(reading: Reading, roots: RootSigns, strength: Strength) -> _BothLegs | None:
    """Radiculopathy or weakness of both legs counts from the day on which the second leg joined the first."""
    if not _name_both_sides(roots, strength):
        return None
    by_side: dict[str, list[Weight]] = {"left": [], "right": []}
    undated = False
    for fact in roots.facts:
        for side in _sides(fact):
            by_side[side].append(weigh(reading, fact, strong=False))
            undated = undated or fact.began is None
    for weak in strength.weak:
        for side in ("left", "right") if weak.side == "bilateral" else (weak.side,):
            if side:
                by_side[side].append(_weigh_weakness(reading, weak.began, weak.worsening))
                undated = undated or weak.began is None
    if not by_side["left"] or not by_side["right"]:
        return None
    # The side that was affected first is older; the pair is as new as the other side.
    oldest = [_oldest(weights) for weights in by_side.values()]
    return _BothLegs(min(oldest, key=_NEWEST_FIRST.index), undated, roots.facts, strength)


def _name_both_sides(roots: RootSigns, strength: Strength) -> bool:
    """A quick look, since most records name one leg or none."""
    sides = {fact.side for fact in roots.facts} | {weak.side for weak in strength.weak}
    return "bilateral" in sides or len(sides) > 1 or any(fact.concept == "bilateral-sciatica" for fact in roots.facts)


def _sides(fact: Fact) -> tuple[str, ...]:
    if fact.side == "bilateral" or fact.concept == "bilateral-sciatica":
        return ("left", "right")
    return (fact.side,) if fact.side in ("left", "right") else ()


_NEWEST_FIRST = (Weight.NOW, Weight.NOW_UNCERTAIN, Weight.POSSIBLE, Weight.OLD)


def _oldest(weights: list[Weight]) -> Weight:
    return max(weights, key=_NEWEST_FIRST.index)


def _weigh_weakness(reading: Reading, began: DateInterval | None, worsening: bool) -> Weight:
    """Weakness counts when it is new or worse within the window, or began within an episode of up to twelve weeks."""
    if worsening:
        return Weight.NOW
    if began is None:
        return Weight.POSSIBLE
    recent = within_days(began, reading.as_of, reading.parameters.cauda_equina_window_days)
    if recent is not False:
        return Weight.NOW if recent else Weight.NOW_UNCERTAIN
    days = reading.episode.shown.days
    if days is None or days.longest is None:
        return Weight.NOW_UNCERTAIN if days is None else Weight.POSSIBLE
    return Weight.NOW if days.longest <= reading.parameters.cauda_equina_episode_days else Weight.POSSIBLE


def _count_both_legs(both: _BothLegs, found: Gathered, possible: list[tuple[str, Fact]]) -> None:
    sided = [fact for fact in both.facts if _sides(fact)]
    if both.weight in (Weight.NOW, Weight.NOW_UNCERTAIN):
        for fact in sided:
            found.count(fact, uncertain=both.weight is Weight.NOW_UNCERTAIN)
        for weak in both.strength.weak:
            found.because.extend(weak.evidence)
        found.marks.add("bilateral")
    elif both.weight is Weight.POSSIBLE and both.undated and sided:
        possible.append(("bilateral", sided[0]))
    else:
        for fact in sided:
            found.name_only(fact)


# --- the answer ------------------------------------------------------------------------------------------------------


def _answer(reading: Reading, found: Gathered, possible: list[tuple[str, Fact]]) -> Finding:
    said_new = [fact for fact in reading.group("new-or-worse-stated") if stated_now(reading, fact)]
    said_not_new = [fact for fact in reading.group("not-new-stated") if stated_now(reading, fact)]
    lone = len({group for group, _ in possible}) == 1 and not found.because
    if said_new and (possible or found.considered):
        _count_possible(found, possible)
        found.because.extend(fact.evidence for fact in said_new)
        found.marks.add("statement")
    elif possible and not lone:
        _count_possible(found, possible)
    elif possible and said_not_new:
        found.denied.extend(fact.evidence for fact in said_not_new)
        found.notes.append("stated-not-new")
        for _, fact in possible:
            found.name_only(fact)
    elif possible:
        return _possible(reading, found, possible)
    _all_three_absent(reading, found)
    if not found.because:  # single features absent do not answer the question: they are only named
        found.considered.extend(found.against)
        if not (found.considered or found.denied or reading.statement):
            return PRESUMED_NO[NAME]
    return conclude(reading, NAME, found, "suspected")


def _count_possible(found: Gathered, possible: list[tuple[str, Fact]]) -> None:
    for _, fact in possible:
        found.count(fact, _MARKS.get(fact.concept, "bilateral"), uncertain=fact.began is None)


def _possible(reading: Reading, found: Gathered, possible: list[tuple[str, Fact]]) -> Finding:
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
        notes=tuple(dict.fromkeys([*found.notes, "new-or-worse-not-stated"])),
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
