"""Deferral is a plan: when to look again, and from when six weeks of care could be met."""

from datetime import date, timedelta

from rules.dates import days_after
from rules.finding import Findings
from rules.parameters import Parameters
from rules.recommendation import RecheckPlan


def recheck_plan(interval: tuple[int, str], findings: Findings, as_of: date, parameters: Parameters) -> RecheckPlan:
    """When to look again, after that interval; and the earliest day on which care could be adequate."""
    days, basis = interval
    on = as_of + timedelta(days)
    started = findings.conservative_care.since
    # The latest possible start: a partial date never makes six weeks come too early.
    if findings.conservative_care.level == "adequate":
        return RecheckPlan(on, days, basis, None, care_started=True)
    first_day = started.latest if started is not None and started.latest is not None else as_of
    complete = max(days_after(first_day, parameters.adequate_care_days), as_of)
    return RecheckPlan(on, days, basis, complete, started is not None)


def recheck_interval(findings: Findings, parameters: Parameters) -> tuple[int, str]:
    """The interval in days by course and weakness (our choice), and which of these it follows."""
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
