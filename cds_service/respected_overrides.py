"""A clinician's earlier "no" to the very same advice, as a decision takes it into account and a card says it."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime, timedelta, timezone

from audit_trail.overrides import Overrides, Whose
from audit_trail.record import RememberedOverride
from cards.rendering import Overridden
from cds_service.trust import Caller
from fhir_mappings.decode import HookContext
from rules.facts import ClinicalPicture
from rules.recommendation import Recommendation


def whose_advice(caller: Caller, context: HookContext) -> Whose:
    """Whom this call's advice is for, and about whom."""
    return Whose(caller.client, caller.tenant, context.user_id, context.patient_id, context.encounter_id)


def respected(
    advice: Sequence[Recommendation],
    whose: Whose,
    picture: ClinicalPicture,
    now: datetime,
    hours: int,
    overrides: Overrides,
) -> tuple[RememberedOverride | None, ...]:
    """For each order the override of the same advice, if there is one. Who is not named has overridden nothing."""
    if not whose.user:
        return (None,) * len(advice)
    return tuple([overrides.respected(whose, each, picture, now, hours) for each in advice])


def said(override: RememberedOverride | None, now: datetime, offset: timezone, hours: int) -> Overridden | None:
    """The override as the card says it, in the time of the place where the order is written."""
    if override is None:
        return None
    until = override.at + timedelta(hours=hours)
    return Overridden(_clock(override.at, now, offset), _clock(until, now, offset), override.reason)


def _clock(moment: datetime, now: datetime, offset: timezone) -> str:
    """The time of day, with the date where it is another day."""
    there = moment.astimezone(offset)
    same_day = there.date() == now.astimezone(offset).date()
    return f"{there:%H:%M}" if same_day else f"{there:%Y-%m-%d %H:%M}"
