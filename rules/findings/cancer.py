"""Suspected cancer of the spine: a malignancy on record, or unexplained loss of weight with a second cue."""

from datetime import date, timedelta

from rules.evidence import Evidence
from rules.facts import Fact
from rules.finding import Answer, Finding
from rules.findings.age import age_evidence, older_than
from rules.findings.answers import Gathered, conclude
from rules.findings.infection import count_statement
from rules.findings.reading import Reading, happened_within

NAME = "cancer"
_OWN_GROUPS = frozenset({
    "malignancy", "malignancy-history", "metastasis", "weight-loss", "cancer-statement", "cancer-considered",
})  # fmt: skip
CANCER_GROUPS = _OWN_GROUPS | {"body-weight"}


def cancer(reading: Reading, trend: Finding) -> Finding:
    """A malignancy at any time, or weight loss with age over 50 or without improvement after four weeks."""
    if _OWN_GROUPS.isdisjoint(reading.facts) and not serial_weight_loss(reading):
        return cancer_by_age(reading)
    older = older_than(reading.picture.age, reading.parameters.cancer_age_years)
    found = Gathered.nothing()
    known = _malignancies(reading, found)
    _weight_loss(reading, found, trend, older)
    count_statement(reading, found, "cancer-statement")
    for fact in reading.group("cancer-considered"):
        if fact.present:
            found.name_only(fact)
    if older:
        found.marks.add("age-over-50")
    return conclude(reading, NAME, found, "known" if known else "suspected")


def cancer_by_age(reading: Reading) -> Finding:
    """Age alone never raises suspicion; it is kept as a mark, because ACP names it among the weaker factors."""
    if not older_than(reading.picture.age, reading.parameters.cancer_age_years):
        return reading.silence[NAME]
    if reading.statement is None:
        return _OLDER_ONLY
    return Finding(NAME, Answer.NO, marks=_AGE, because=(reading.statement,))


_AGE = frozenset({"age-over-50"})
_OLDER_ONLY = Finding(NAME, Answer.NO, marks=_AGE, presumed=True)


def _malignancies(reading: Reading, found: Gathered) -> bool:
    """Any malignancy in the history counts, whatever its status; a refuted one is evidence against. True: known."""
    known = False
    for group, mark in (("malignancy", "active"), ("malignancy-history", "history"), ("metastasis", "metastasis")):
        for fact in reading.group(group):
            if not fact.present:
                found.denied.append(fact.evidence)
                continue
            found.count(fact, mark if fact.current or group == "metastasis" else "history")
            known = known or not fact.suspected
            if fact.concept == "skin-malignancy-type-unspecified":
                found.notes.append("skin-cancer-type-not-stated")
    return known


# --- loss of weight --------------------------------------------------------------------------------------------------


def _weight_loss(reading: Reading, found: Gathered, trend: Finding, older: bool | None) -> None:
    """Unexplained loss of weight, coded or by serial weights, and the second cue that makes it count."""
    evidence, intended = _lost_weight(reading, found)
    if not evidence:
        return
    found.marks.add("weight-loss")
    second = False
    if older:
        found.marks.add("weight-loss-with-age")
        evidence.append(age_evidence(reading.picture.age))
        second = True
    elif older is None and reading.picture.age is not None:
        found.notes.append("age-uncertain")
    if _no_improvement(reading, trend):
        found.marks.add("weight-loss-no-improvement")
        evidence.extend(trend.because)
        second = True
    if second:
        found.because.extend(evidence)
        found.against.extend(intended)
    else:
        found.considered.extend(evidence)


def _no_improvement(reading: Reading, trend: Finding) -> bool:
    """Four weeks or more of pain that is documented as unchanged or worse; an unknown trend is not "no improvement"."""
    days = reading.episode.shown.days
    return (
        trend.level in ("unchanged", "worse")
        and days is not None
        and days.shortest >= reading.parameters.no_improvement_days
    )


def _lost_weight(reading: Reading, found: Gathered) -> tuple[list[Evidence], list[Evidence]]:
    """Entries that say unexplained loss of weight, and those that say it was intended."""
    days = reading.parameters.weight_loss_max_days
    coded = Gathered.nothing()
    for fact in reading.group("weight-loss"):
        inside = happened_within(fact, reading.as_of, days)
        if not fact.present:
            if inside is not False:
                found.against.append(fact.evidence)
        elif inside is False:
            found.name_only(fact)
        else:
            coded.count(fact, uncertain=inside is None and fact.kind.value != "reason")
    intended = [
        fact.evidence
        for fact in reading.group("intentional-weight-loss")
        if fact.present and happened_within(fact, reading.as_of, days) is not False
    ]
    measured = serial_weight_loss(reading)
    if measured and (intended or _was_pregnant(reading, days)):
        found.considered.extend(measured)
        found.notes.append("weight-loss-intended")
        measured = []
    return coded.because + measured, intended


def _was_pregnant(reading: Reading, days: int) -> bool:
    """A birth explains a loss of weight."""
    return any(
        fact.present and happened_within(fact, reading.as_of, days) is not False
        for group in ("pregnancy", "pregnancy-ended")
        for fact in reading.group(group)
    )


def serial_weight_loss(reading: Reading) -> list[Evidence]:
    """Has the weight fallen by 5 % or more, compared with six to twelve months earlier?

    "5 % in 6 to 12 months": the newest weight is compared with the weights taken 6 to 12 months before it. Where the
    record has none from that time, a weight taken since stands in: a loss in a shorter time happened within the 6 to 12
    months too. A loss over more than 12 months is not this. The newest weight must itself be of the last 12 months.
    """
    limits = reading.parameters
    weights = reading.facts.get("body-weight", ())
    if len(weights) < 2:
        return []
    values = [fact.value for fact in weights if fact.value is not None]
    if len(values) < 2:
        return []
    most = max(values)
    if (most - min(values)) * 100.0 < (limits.weight_loss_percent - 1.0) * most:
        return []  # no two weights differ enough, whenever they were taken
    by_day = _weights_by_day(reading)
    if len(by_day) < 2:
        return []
    newest = max(by_day)
    if (reading.as_of - newest).days > limits.weight_loss_max_days:
        return []
    usual = _between(by_day, newest, limits.weight_loss_min_days, limits.weight_loss_max_days)
    before = usual or _between(by_day, newest, 1, limits.weight_loss_min_days - 1)
    if not before:
        return []
    was, was_fact = max((weight for day in before for weight in by_day[day]), key=_weight_key)
    now, now_fact = min(by_day[newest], key=_weight_key)
    if was > 0 and (was - now) / was * 100.0 >= limits.weight_loss_percent - 1e-9:
        return [was_fact.evidence, now_fact.evidence]
    return []


def _weight_key(weight: tuple[float, Fact]) -> tuple[float, str]:
    return (weight[0], weight[1].evidence.reference)


def _weights_by_day(reading: Reading) -> dict[date, list[tuple[float, Fact]]]:
    """Weights by day; a month counts as its last day, an undated weight says nothing."""
    found: dict[date, list[tuple[float, Fact]]] = {}
    for fact in reading.group("body-weight"):
        if fact.present and fact.value is not None and fact.began is not None and fact.began.latest is not None:
            if fact.began.latest <= reading.as_of + timedelta(days=31):
                day = min(fact.began.latest, reading.as_of)
                found.setdefault(day, []).append((fact.value, fact))
    return found


def _between(by_day: dict[date, list[tuple[float, Fact]]], newest: date, least: int, most: int) -> list[date]:
    return [day for day in by_day if least <= (newest - day).days <= most]
