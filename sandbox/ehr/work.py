"""What a click does: drafts change, the hook fires, and what comes back stands on the desk."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from cards.profiles import PROFILES
from sandbox.ehr.clinic import Clinic, RecordsOf
from sandbox.ehr.desk import (
    Advice,
    Desk,
    ShownCard,
    accept,
    accepted_item,
    hook_request,
    overridden_item,
    send_feedback,
    silent,
    take_answer,
)
from sandbox.ehr.drafts import (
    PRIORITIES,
    CannotApply,
    name_of,
    new_order,
    reference_of,
    text_of,
    with_priority,
    with_reason,
    with_reason_from_chart,
    with_study,
    without_reason,
)
from sandbox.ehr.prefetch import prefetch
from sandbox.ehr.service_client import ServiceClient, ServiceSilent
from sandbox.stories import Story, orderables, reasons

Json = dict[str, Any]
LONGEST_TEXT = 500


class NotPossible(ValueError):
    """A click that means nothing here: a page that is out of date, or a form that somebody made up."""


class Work:
    """One clinician, one patient, one click."""

    def __init__(self, clinic: Clinic, client: ServiceClient, story: Story, desk: Desk, profile: str = "") -> None:
        self.clinic = clinic
        self.client = client
        self.story = story
        self.desk = desk
        self.profile = profile  # the kind of client that answers are to be written for

    def place(self, order_id: str) -> None:
        """The order that the story is about, and what is drafted beside it."""
        order = next((each for each in self.story.orders if each.id == order_id), None)
        if order is None:
            raise NotPossible("no such order")
        for draft in reversed(order.drafts):
            self.desk.put(dict(draft))
        places = {draft["id"]: at for at, draft in enumerate(order.drafts[: order.selected])}
        self.desk.drafts.sort(key=lambda draft: places.get(draft["id"], order.selected))
        self.desk.selected = order.selections
        self.fire()
        if order.hook == "order-sign":
            self.sign()

    def add(self, study: str) -> None:
        """Another order, chosen in the menu."""
        visit = self.clinic.visit(self.story)
        own = self.desk.fresh_id()
        now = datetime.now(UTC)
        self.desk.put(
            new_order(own, _orderable(study), visit.patient_id, visit.practitioner_id, visit.encounter_id, now)
        )
        self.fire()

    def change(self, own_id: str, form: dict[str, str]) -> None:
        """Another study, priority or reason for a draft."""
        order = self._draft(own_id)
        if study := form.get("study"):
            order = with_study(order, _orderable(study))
        if priority := form.get("priority"):
            if priority not in PRIORITIES:
                raise NotPossible("no such priority")
            order = with_priority(order, priority)
        if reason := form.get("reason"):
            order = self._with_reason(order, reason)
        if text := " ".join(form.get("text", "").split())[:LONGEST_TEXT]:
            order = with_reason(order, {"text": text})
        if place := form.get("without"):
            order = without_reason(order, place)
        self.desk.put(order)
        self.fire()

    def _with_reason(self, order: Json, key: str) -> Json:
        if key.startswith("Condition/"):
            entry = next((each for each in self.story.resources if reference_of(each) == key), None)
            if entry is None:
                raise NotPossible("no such problem")
            return with_reason_from_chart(order, key, text_of(entry.get("code") or {}))
        concept = dict(reasons()).get(key)
        if concept is None:
            raise NotPossible("no such reason")
        return with_reason(order, concept)

    def remove(self, own_id: str) -> None:
        """A draft taken back."""
        gone = name_of(self._draft(own_id))
        self.desk.remove(own_id)
        self.fire()
        self.desk.said = f"{gone} removed. {self.desk.said}".strip()

    def select(self, own_id: str) -> None:
        """Advice on another of the drafts."""
        self.desk.selected = (reference_of(self._draft(own_id)),)
        self.fire()

    def fire(self, hook: str = "order-select") -> None:
        """The hook, with everything that an EHR sends along."""
        desk = self.desk
        desk.signing = False
        if not desk.drafts:
            desk.advice, desk.said = None, ""
            return
        visit = self.clinic.visit(self.story)
        try:
            service = self.client.service_for(hook)
        except ServiceSilent as problem:
            silent(desk, hook, problem)
            desk.said = "No advice: the service was not reached."
            return
        records = RecordsOf(self.clinic.today().store, desk)
        prefetched = prefetch(service.prefetch, visit.tokens(), records, visit.fhir_base)
        exchange = self.client.call(service, hook_request(visit, desk, hook, prefetched), self.profile)
        desk.keep(exchange)
        take_answer(desk, hook, service, exchange)
        desk.said = _said(desk.advice)

    def written_for(self, profile: str) -> None:
        """The same question once more, the answer written as another kind of client would get it."""
        if profile not in PROFILES:
            raise NotPossible("no such kind of client")
        self.profile = profile
        advice, signing = self.desk.advice, self.desk.signing
        if advice is not None and self.desk.drafts:
            self.fire(advice.hook)
            self.desk.signing = signing

    def sign(self) -> None:
        """Asks once more before signing; where nothing speaks against it, signs."""
        if not self.desk.drafts:
            raise NotPossible("nothing to sign")
        self.fire("order-sign")
        advice = self.desk.advice
        if advice is not None and not (advice.cards or advice.trouble or advice.remarks):
            self._signed()
        else:
            self.desk.signing = True

    def sign_anyway(self, reason: str, comment: str) -> None:
        """Signs against the advice; every card that speaks against it is reported as overridden."""
        if not self.desk.signing or self.desk.advice is None:
            raise NotPossible("press Sign orders first")
        against = self.desk.against
        if any(shown.card.get("indicator") == "critical" for shown in against) and not (reason or comment.strip()):
            raise NotPossible("a critical card stands against it; say why you sign all the same")
        for shown in against:
            self._override(shown, reason, comment)
        self._signed()

    def _signed(self) -> None:
        desk = self.desk
        now = datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")
        desk.signed += [{**draft, "status": "active", "authoredOn": now} for draft in desk.drafts]
        names = ", ".join(name_of(draft) for draft in desk.drafts)
        desk.drafts, desk.selected, desk.signing = [], (), False
        desk.advice = None
        desk.said = f"Signed: {names}."

    def accept(self, card: str, suggestion: str) -> None:
        """Takes a suggestion: changes the orders, tells the service, and asks again about the changed orders."""
        shown = self._card(card)
        chosen = next((each for each in shown.card.get("suggestions") or () if each.get("uuid") == suggestion), None)
        if chosen is None:
            raise NotPossible("no such suggestion")
        hook = self.desk.advice.hook if self.desk.advice is not None else "order-select"
        was_signing = self.desk.signing
        try:
            accept(self.desk, shown, chosen)
        except CannotApply as problem:
            shown.trouble = str(problem)
            self.desk.said = f"This suggestion could not be applied: {problem}"
            return
        self._report(shown, accepted_item(shown, chosen))
        self.fire(hook if self.desk.drafts else "order-select")
        self.desk.signing = was_signing and bool(self.desk.drafts)
        self.desk.said = f"Suggestion accepted: {shown.accepted}. {self.desk.said}".strip()

    def dismiss(self, card: str, reason: str, comment: str) -> None:
        """Disagrees with a card, and tells the service why."""
        self._override(self._card(card), reason, comment)
        self.desk.said = "Card dismissed."

    def _override(self, shown: ShownCard, reason: str, comment: str) -> None:
        offered = {each.get("code"): each for each in shown.card.get("overrideReasons") or ()}
        why = offered.get(reason)
        comment = " ".join(comment.split())[:LONGEST_TEXT]
        shown.dismissed = str((why or {}).get("display") or comment or "no reason given")
        self._report(shown, overridden_item(shown, why, comment))

    def _report(self, shown: ShownCard, item: Json) -> None:
        exchange = send_feedback(self.desk, self.client, item)
        if exchange is not None and not exchange.good:
            shown.trouble = f"The service did not take the feedback: {exchange.problem}"

    def _draft(self, own_id: str) -> Json:
        try:
            return self.desk.draft(own_id)
        except KeyError:
            raise NotPossible("this order is no longer a draft") from None

    def _card(self, uuid: str) -> ShownCard:
        for shown in self.desk.advice.cards if self.desk.advice is not None else ():
            if shown.uuid == uuid:
                return shown
        raise NotPossible("this card is no longer shown")


def _orderable(key: str) -> Json:
    for each in orderables():
        if each.key == key:
            return each.concept
    raise NotPossible("no such order in the menu")


def _said(advice: Advice | None) -> str:
    if advice is None:
        return ""
    if advice.trouble:
        return f"No advice: {advice.trouble}."
    if not advice.cards:
        return "No advice on this order."
    number = len(advice.cards)
    return f"{number} card{'s' if number > 1 else ''}: {advice.cards[0].card['summary']}"
