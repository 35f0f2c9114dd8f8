"""Suspected infection of the spine, and immunosuppression."""

from collections.abc import Callable
from datetime import date, timedelta

from rules.facts import Fact, FactKind
from rules.finding import Finding
from rules.findings.answers import Gathered, conclude, count_any_time, count_current, count_recent
from rules.findings.reading import NOT_DONE, Reading, evidence_of, happened_within, in_episode
from rules.findings.steroids import SteroidUse

NAME = "infection"
_CUE_GROUPS = frozenset({
    "spinal-infection", "fever", "injecting-drug-use", "bloodstream-infection", "inflammatory-marker",
    "spinal-intervention", "infection-statement", "recent-infection", "infection-strengthener",
})  # fmt: skip
INFECTION_GROUPS = _CUE_GROUPS | {"body-temperature"}


def infection(reading: Reading, trend: Finding) -> Finding:
    """Cues of spinal infection inside their look-backs; diabetes and dialysis strengthen and are named."""
    if not _any_fever(reading) and _CUE_GROUPS.isdisjoint(reading.facts):
        return reading.silence[NAME]
    found = Gathered.nothing()
    for group, cue in _CUES.items():
        if group in reading.facts:
            cue(reading, trend, found)
    _strengtheners(reading, found)
    if found.because:
        _normal_temperatures(reading, found)
    return conclude(reading, NAME, found)


def _fever(reading: Reading, _trend: Finding, found: Gathered) -> None:
    count_recent(reading, found, reading.group("fever"), reading.parameters.fever_lookback_days, "fever")


def _bloodstream(reading: Reading, _trend: Finding, found: Gathered) -> None:
    days = reading.parameters.bloodstream_lookback_days
    count_recent(reading, found, reading.group("bloodstream-infection"), days, "bloodstream-infection")


def _statement(reading: Reading, _trend: Finding, found: Gathered) -> None:
    count_statement(reading, found, "infection-statement")


def _any_fever(reading: Reading) -> bool:
    """Was any temperature high, whenever it was taken? Most records hold many that were not."""
    limit = reading.parameters.fever_celsius
    temperatures = reading.facts.get("body-temperature", ())
    return bool([fact for fact in temperatures if fact.value is not None and fact.value >= limit])


def _spinal_infection(reading: Reading, _trend: Finding, found: Gathered) -> None:
    """A current spinal infection counts whatever its age, one that is over inside the look-back for infections."""
    for fact in reading.group("spinal-infection"):
        if not fact.present:
            found.denied.append(fact.evidence)
            continue
        inside = happened_within(fact, reading.as_of, reading.parameters.recent_infection_lookback_days)
        if not fact.current and inside is False:
            found.name_only(fact)
            continue
        mark = "spinal-infection-suspected" if fact.suspected else "spinal-infection-coded"
        found.count(fact, mark, uncertain=not fact.current and inside is None)


def _temperature(reading: Reading, _trend: Finding, found: Gathered) -> None:
    limits = reading.parameters
    for fact in reading.group("body-temperature"):
        if fact.value is None or fact.value < limits.fever_celsius or not fact.present:
            continue
        inside = happened_within(fact, reading.as_of, limits.fever_lookback_days)
        if inside is False:
            found.name_only(fact)
        else:
            found.count(fact, "fever", uncertain=inside is None)


def _normal_temperatures(reading: Reading, found: Gathered) -> None:
    """A normal temperature never undoes another cue inside the look-back: both are shown."""
    limits = reading.parameters
    for fact in reading.group("body-temperature"):
        if fact.value is not None and fact.value < limits.fever_celsius and fact.present:
            if happened_within(fact, reading.as_of, limits.fever_lookback_days) is not False:
                found.against.append(fact.evidence)


def _drug_use(reading: Reading, _trend: Finding, found: Gathered) -> None:
    """Use on the problem list as current is current; otherwise its date decides, and an unknown end counts."""
    days = reading.parameters.iv_drug_lookback_days
    for fact in reading.group("injecting-drug-use"):
        ongoing = fact.kind is FactKind.CONDITION and fact.current
        open_end = fact.kind is FactKind.CONDITION and not fact.current and fact.ended is None
        inside = happened_within(fact, reading.as_of, days)
        if not fact.present:
            if inside is not False:
                found.against.append(fact.evidence)
        elif ongoing:
            found.count(fact, "iv-drug-use")
        elif inside is False and not open_end:
            found.name_only(fact)
        else:
            uncertain = inside is not True and fact.kind is not FactKind.REASON
            found.count(fact, "iv-drug-use", uncertain=uncertain)


def _markers(reading: Reading, trend: Finding, found: Gathered) -> None:
    """A raised marker counts with pain that is new or worse: begun, or worse, since the look-back for markers opened.

    Not only since the sample: blood is taken because of the pain (our reading of "new or worse since").
    """
    days = reading.parameters.inflammatory_marker_lookback_days
    opened = reading.as_of - timedelta(days=days)
    for fact in reading.group("inflammatory-marker"):
        inside = happened_within(fact, reading.as_of, days)
        if not raised(reading, fact):
            if inside is not False:
                found.against.append(fact.evidence)
            continue
        new_or_worse = None if inside is False else pain_new_or_worse(reading, opened, trend)
        if new_or_worse is None:
            found.name_only(fact)
        else:
            found.count(fact, "raised-markers", uncertain=inside is None or not new_or_worse)


def raised(reading: Reading, fact: Fact) -> bool:
    """Raised as the laboratory flags it ("high"), else by number; a value that the laboratory calls normal is not."""
    if not fact.present:
        return False
    if "high" in fact.evidence.marks or fact.value is None:
        return True
    limits = reading.parameters
    limit = limits.esr_raised_mm_h if fact.concept == "esr" else limits.crp_raised_mg_l
    return fact.value > limit or (fact.value == limit and fact.comparator == ">")


def _intervention(reading: Reading, trend: Finding, found: Gathered) -> None:
    """An operation, injection or puncture of the spine counts when the pain is new or worse since."""
    days = reading.parameters.spinal_intervention_lookback_days
    for fact in reading.group("spinal-intervention"):
        if not fact.present or fact.state in NOT_DONE or fact.kind in _NOT_AN_INTERVENTION:
            continue
        inside = happened_within(fact, reading.as_of, days)
        day = fact.began.latest if fact.began is not None else None
        new_or_worse = None if inside is False else pain_new_or_worse(reading, day, trend)
        if new_or_worse is None:
            found.name_only(fact)
        else:
            found.count(fact, "spinal-intervention", uncertain=inside is None or not new_or_worse)


_NOT_AN_INTERVENTION = frozenset({FactKind.REASON, FactKind.REQUEST, FactKind.DRAFT})


def pain_new_or_worse(reading: Reading, since: date | None, trend: Finding) -> bool | None:
    """Is the pain new or worse since a day? ``False``: perhaps, its date leaves that open. ``None``: it is neither."""
    if trend.level == "worse" or _said_worse(reading, since):
        return True
    began = reading.episode.shown.began
    if since is None or began is None:
        return False
    if began.earliest is not None and began.earliest >= since:
        return True
    if any(_began_since(fact, since) for fact in reading.group("low-back")):
        return True
    return False if began.latest is None or began.latest >= since else None


def _began_since(fact: Fact, since: date) -> bool:
    if not fact.present or not fact.current or fact.kind is not FactKind.CONDITION or fact.began is None:
        return False
    return fact.began.earliest is not None and fact.began.earliest >= since


def _said_worse(reading: Reading, since: date | None) -> bool:
    """Stated as worse after that day, or on an unknown day."""
    for group in ("course", "low-back"):
        for fact in reading.group(group):
            if not fact.present or fact.course != "worsening":
                continue
            said = fact.began.latest if fact.began is not None else None
            if said is None or since is None or said >= since:
                return True
    return False


def count_statement(reading: Reading, found: Gathered, group: str) -> None:
    """The clinician's own answer to the whole question, when it belongs to this episode."""
    for fact in reading.group(group):
        if in_episode(reading, fact) is False:
            found.name_only(fact)
        elif fact.present:
            found.count(fact, "statement")
        else:
            found.denied.append(fact.evidence)


def _strengtheners(reading: Reading, found: Gathered) -> None:
    """Named with another cue; alone they only keep the rating from being called robust."""
    days = reading.parameters.recent_infection_lookback_days
    named = found.because if found.because else found.considered
    for fact in reading.group("infection-strengthener"):
        if fact.present and _current_state(reading, fact):
            found.marks.add(fact.concept)
            named.append(evidence_of(fact))
    for fact in reading.group("recent-infection"):
        inside = happened_within(fact, reading.as_of, days)
        if fact.present and inside is not False:
            found.marks.add("recent-infection")
            named.append(evidence_of(fact, uncertain=inside is None and fact.kind is not FactKind.REASON))


def _current_state(reading: Reading, fact: Fact) -> bool:
    """A diagnosis is current until it is closed; a session of dialysis speaks for the look-back of kidney injury."""
    if fact.kind is FactKind.PROCEDURE:
        days = reading.parameters.kidney_injury_lookback_days
        return fact.state not in NOT_DONE and happened_within(fact, reading.as_of, days) is not False
    return fact.current


_CUES: dict[str, Callable[[Reading, Finding, Gathered], None]] = {
    "spinal-infection": _spinal_infection,
    "fever": _fever,
    "body-temperature": _temperature,
    "injecting-drug-use": _drug_use,
    "bloodstream-infection": _bloodstream,
    "inflammatory-marker": _markers,
    "spinal-intervention": _intervention,
    "infection-statement": _statement,
}


# --- immunosuppression -----------------------------------------------------------------------------------------------

IMMUNE_GROUPS = frozenset({"hiv", "transplant", "immunosuppressive-medicine", "immunosuppressed-state"})


def immunosuppression(reading: Reading, steroids: SteroidUse) -> Finding:
    """HIV and transplant at any time, an immunosuppressive medicine or state now, long-term corticosteroids."""
    found = Gathered.nothing()
    count_any_time(found, reading.group("hiv"), "hiv")
    count_any_time(found, reading.group("transplant"), "transplant")
    medicines = [f for f in reading.group("immunosuppressive-medicine") if f.state not in NOT_DONE]
    count_current(found, medicines, "medicine")
    count_current(found, reading.group("immunosuppressed-state"), "state")
    if steroids.long_term:
        found.because.extend(steroids.evidence)
        found.marks.add("corticosteroids")
    found.considered.extend(steroids.named)
    return conclude(reading, "immunosuppression", found)
