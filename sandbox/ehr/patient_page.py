"""What the page of one patient shows: chart, drafts as a form, cards with their buttons, messages."""

from __future__ import annotations

from collections.abc import Sequence
from functools import lru_cache
from typing import Any

import msgspec
from msgspec import Struct

from cards.lint import Loss, losses
from cards.profiles import DEFAULT_PROFILE, PROFILES
from sandbox.ehr.chart import Chart, Person, person_of
from sandbox.ehr.clinic import Today
from sandbox.ehr.desk import Desk
from sandbox.ehr.drafts import PRIORITIES, name_of, ratings_of, reference_of, text_of
from sandbox.ehr.service_client import Exchange
from sandbox.stories import Orderable, Story, orderables, reasons

Json = dict[str, Any]
Choices = tuple[tuple[str, tuple[tuple[str, str], ...]], ...]  # heading, then value and words
AS_IT_IS = "as-it-is"
_PAMA = {
    "appropriate": "Appropriate",
    "not-appropriate": "Not appropriate",
    "no-criteria-apply": "No criteria apply",
}


class Reason(Struct, frozen=True):
    """One reason of a draft, and where it stands in it."""

    place: str
    words: str


class DraftView(Struct, frozen=True):
    """A draft as a form."""

    id: str
    name: str
    study: str  # key of the orderable; "as-it-is" where the menu has none
    priority: str
    priority_words: str
    reasons: tuple[Reason, ...]
    rating: str
    rating_words: str
    finer: tuple[str, ...]
    notes: tuple[str, ...]
    selected: bool


class MessageView(Struct, frozen=True):
    """One exchange with the service."""

    number: int
    exchange: Exchange
    request: Json  # without its prefetch, which has a place of its own
    prefetched: tuple[tuple[str, str], ...]  # key and what came under it
    losses: tuple[Loss, ...]  # what the kind of client that it was written for would drop of the answer
    kilobytes: str


class PatientView(Struct, frozen=True):
    """Everything that the page shows beside the story and the desk."""

    person: Person
    setting: str
    chart: Chart
    drafts: tuple[DraftView, ...]
    menu: Choices
    reasons: Choices
    priorities: dict[str, str]
    messages: tuple[MessageView, ...]
    about: tuple[str, ...]  # names of the orders that the advice is about
    sign_reasons: tuple[tuple[str, str], ...]
    must_say_why: bool
    twin: Story | None
    milliseconds: str
    profile: str  # the kind of client that answers are written for
    profiles: tuple[tuple[str, str], ...]  # each kind, and what it is
    plain: bool  # the advice was written for a client that does not draw Markdown


def patient_view(today: Today, story: Story, desk: Desk, profile: str = DEFAULT_PROFILE) -> PatientView:
    """The page's contents."""
    chart = today.chart(story)
    names = {reference_of(each): name_of(each) for each in desk.drafts}
    advice = desk.advice
    against = [shown.card for shown in desk.against]
    hooks = [exchange for _, exchange in desk.messages if exchange.what != "feedback"]
    return PatientView(
        person=person_of(story.patient, today.day),
        setting=_setting(story.resources),
        chart=chart,
        drafts=tuple(_draft(each, desk) for each in desk.drafts),
        menu=_menu(),
        reasons=(("Problem list", _problems(chart)), ("Other reasons", _reasons())),
        priorities=PRIORITIES,
        messages=messages_of(desk),
        about=tuple(names[each] for each in advice.about if each in names) if advice is not None else (),
        sign_reasons=tuple(
            {
                str(each.get("code")): str(each.get("display"))
                for card in against
                for each in card.get("overrideReasons") or ()
            }.items()
        ),
        must_say_why=any(card.get("indicator") == "critical" for card in against),
        twin=next((each for each in today.stories if each.id == story.twin), None),
        milliseconds=f"{hooks[0].milliseconds:.0f}" if hooks else "",
        profile=profile,
        profiles=tuple((each.name, each.about) for each in PROFILES.values()),
        plain=advice is not None and advice.profile in PROFILES and not PROFILES[advice.profile].markdown,
    )


def _setting(resources: Sequence[Json]) -> str:
    for each in resources:
        if each["resourceType"] == "PractitionerRole":
            specialty: Json = next(iter(each.get("specialty") or each.get("code") or ()), {})
            return text_of(specialty)
    return ""


def _draft(order: Json, desk: Desk) -> DraftView:
    ratings = ratings_of(order)
    code = str(ratings[0].get("code")) if ratings else ""
    priority = str(order.get("priority") or "")
    return DraftView(
        id=str(order["id"]),
        name=name_of(order),
        study=_key_of(order),
        priority=priority,
        priority_words=PRIORITIES.get(priority, priority),
        reasons=(
            *(
                Reason(f"reasonReference/{number}", str(each.get("display") or each.get("reference")))
                for number, each in enumerate(order.get("reasonReference") or ())
            ),
            *(
                Reason(f"reasonCode/{number}", text_of(each))
                for number, each in enumerate(order.get("reasonCode") or ())
            ),
        ),
        rating=code,
        rating_words=_PAMA.get(code, code),
        finer=tuple(str(each.get("display") or each.get("code")) for each in ratings[1:]),
        notes=tuple(str(each["text"]) for each in order.get("note") or () if each.get("text")),
        selected=reference_of(order) in desk.selected,
    )


def _key_of(order: Json) -> str:
    """The orderable that this draft is: by its text, else by a code in common."""
    name = name_of(order)
    codes = _codes(order.get("code") or {})
    for each in orderables():
        if each.label == name or (codes and codes & _codes(each.concept)):
            return each.key
    return AS_IT_IS


def _codes(concept: Json) -> frozenset[tuple[str, str]]:
    return frozenset((str(each.get("system")), str(each.get("code"))) for each in concept.get("coding") or ())


@lru_cache(maxsize=1)
def _menu() -> Choices:
    groups: dict[str, list[tuple[str, str]]] = {}
    for each in orderables():
        groups.setdefault(each.group, []).append(_choice(each))
    return tuple((group, tuple(choices)) for group, choices in groups.items())


def _choice(orderable: Orderable) -> tuple[str, str]:
    return orderable.key, orderable.label


def _problems(chart: Chart) -> tuple[tuple[str, str], ...]:
    return tuple((each.reference, each.what) for each in chart.problems if not each.past)


@lru_cache(maxsize=1)
def _reasons() -> tuple[tuple[str, str], ...]:
    return tuple((key, text_of(concept)) for key, concept in reasons())


def messages_of(desk: Desk) -> tuple[MessageView, ...]:
    """What was sent and answered, newest first."""
    return tuple(_message(number, exchange) for number, exchange in desk.messages)


def _message(number: int, exchange: Exchange) -> MessageView:
    prefetched = exchange.request.get("prefetch") or {}
    return MessageView(
        number=number,
        exchange=exchange,
        request={**exchange.request, "prefetch": "see below"} if prefetched else exchange.request,
        prefetched=tuple((key, _brief(value)) for key, value in prefetched.items()),
        losses=_losses(exchange),
        kilobytes=_kilobytes(len(msgspec.json.encode(exchange.request))),
    )


def _losses(exchange: Exchange) -> tuple[Loss, ...]:
    profile = PROFILES.get(exchange.profile)
    if profile is None or not isinstance(exchange.answer, dict):
        return ()
    return losses(exchange.answer, profile)


def _kilobytes(size: int) -> str:
    return f"{size / 1024:.0f} KB" if size >= 1024 else "under 1 KB"


def _brief(value: Any) -> str:
    if isinstance(value, dict) and value.get("resourceType") == "Bundle":
        number = len(value.get("entry") or ())
        return f"{number} {'entry' if number == 1 else 'entries'}"
    return str(value.get("resourceType")) if isinstance(value, dict) else "nothing"
