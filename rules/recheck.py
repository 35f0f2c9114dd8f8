"""Deferral is a plan: when to look again, and from when six weeks of care could be met."""

from datetime import date, timedelta

from rules.finding import Findings
from rules.parameters import Parameters
from rules.recommendation import RecheckPlan


def recheck_plan(findings: Findings, as_of: date, parameters: Parameters) -> RecheckPlan:
    """Recheck interval by course and weakness (our choice), and the earliest day on which care could be adequate."""
    days, basis = _interval(findings, parameters)
    started = findings.conservative_care.since
    # The latest possible start: a partial date never makes six weeks come too early.
    first_day = started.latest if started is not None and started.latest is not None else as_of
    complete = max(first_day + timedelta(days=parameters.adequate_care_days), as_of)
    if findings.conservative_care.level == "adequate":
        return RecheckPlan(as_of + timedelta(days=days), days, basis, None, care_started=True)
    return RecheckPlan(as_of + timedelta(days=days), days, basis, complete, care_started=started is not None)


def _interval(findings: Findings, parameters: Parameters) -> tuple[int, str]:
    choices = []
    if findings.weakness.level == "mild":
        choices.append((parameters.recheck_mild_weakness_days, "mild-weakness"))
    level = findings.trend.level
    if level == "worse":
        choices.append((parameters.recheck_worse_days, "worse"))
    elif level == "improving":
        choices.append((parameters.recheck_improving_days, "improving"))
    else:
        choices.append((parameters.recheck_unchanged_days, level or "unknown"))
    return min(choices)
