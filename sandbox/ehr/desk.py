"""One clinician's work on one patient: drafts, the advice on them, what was signed, and every message that was sent."""

from __future__ import annotations

from collections import deque
from datetime import UTC, datetime
from uuid import uuid4

from msgspec import Struct, field

from cards.profiles import PROFILES
from sandbox.ehr.card_check import trouble_with
from sandbox.ehr.drafts import CannotApply, Json, applied, ratings_of, reference_of
from sandbox.ehr.service_client import Exchange, Service, ServiceClient, ServiceSilent

MESSAGES_KEPT = 12


class ShownCard(Struct):
    """A card on the screen, and what the clinician did about it."""

    card: Json
    accepted: str = ""  # the label of the suggestion
    dismissed: str = ""  # the reason, in words
    trouble: str = ""

    @property
    def uuid(self) -> str:
        """The card's id; empty where the service gave none."""
        return str(self.card.get("uuid") or "")

    @property
    def settled(self) -> bool:
        """Did the clinician answer it?"""
        return bool(self.accepted or self.dismissed)


class Advice(Struct):
    """The answer to the last hook call."""

    hook: str
    service: str = ""
    about: tuple[str, ...] = ()  # references of the orders that were selected
    cards: list[ShownCard] = field(default_factory=list)
    trouble: str = ""  # nothing was assessed, and why
    remarks: list[str] = field(default_factory=list)  # parts of the answer that could not be used
    profile: str = ""  # the kind of client that the answer was written for

    @property
    def open_cards(self) -> list[ShownCard]:
        """Cards that nobody has answered."""
        return [each for each in self.cards if not each.settled]


class Desk(Struct):
    """Everything on the screen beside the chart."""

    drafts: list[Json] = field(default_factory=list)
    signed: list[Json] = field(default_factory=list)
    selected: tuple[str, ...] = ()
    advice: Advice | None = None
    signing: bool = False  # the order-sign hook has answered, and the orders wait
    messages: deque[tuple[int, Exchange]] = field(default_factory=lambda: deque(maxlen=MESSAGES_KEPT))
    sent: int = 0
    made: int = 0
    said: str = ""  # what just happened, for the status line

    @property
    def against(self) -> list[ShownCard]:
        """Open cards that speak against signing.

        A card that has nothing better to offer, about orders that are all rated appropriate, is to be read: the
        emergency whose study is ordered right. Where a kind of client never gets such offers, none says nothing.
        """
        advice = self.advice
        if advice is None:
            return []
        ratings = {rating[0].get("code") for each in self.drafts if (rating := ratings_of(each))}
        offers = advice.profile not in PROFILES or PROFILES[advice.profile].updates
        if offers and ratings == {"appropriate"}:
            return [shown for shown in advice.open_cards if shown.card.get("suggestions")]
        return advice.open_cards

    def draft(self, own_id: str) -> Json:
        """One draft; KeyError where there is none."""
        for each in self.drafts:
            if each.get("id") == own_id:
                return each
        raise KeyError(own_id)

    def fresh_id(self) -> str:
        """An id that no order of this desk has."""
        taken = {each.get("id") for each in (*self.drafts, *self.signed)}
        while True:
            self.made += 1
            if (fresh := f"order-{self.made}") not in taken:
                return fresh

    def put(self, order: Json) -> None:
        """A new draft, or a draft changed; it is the one that advice is asked for."""
        there = [each.get("id") for each in self.drafts]
        if order["id"] in there:
            self.drafts[there.index(order["id"])] = order
        else:
            self.drafts.append(order)
        self.selected = (reference_of(order),)

    def remove(self, own_id: str) -> None:
        """A draft taken back."""
        gone = reference_of(self.draft(own_id))
        self.drafts = [each for each in self.drafts if reference_of(each) != gone]
        self.selected = tuple(each for each in self.selected if each != gone) or tuple(
            reference_of(each) for each in self.drafts[-1:]
        )

    def keep(self, exchange: Exchange) -> None:
        """A message to be looked at."""
        self.sent += 1
        self.messages.appendleft((self.sent, exchange))

    def message(self, number: int) -> Exchange:
        """One that is still kept; KeyError where it is not."""
        for own, exchange in self.messages:
            if own == number:
                return exchange
        raise KeyError(number)


class Visit(Struct, frozen=True):
    """Who sees whom, where, and what the EHR knows: what every hook call of a patient says."""

    patient_id: str
    encounter_id: str
    practitioner_id: str
    fhir_base: str

    def context(self, desk: Desk, hook: str) -> Json:
        """The context of a hook call on the drafts of this desk."""
        return {
            "userId": f"Practitioner/{self.practitioner_id}",
            "patientId": self.patient_id,
            **({"encounterId": self.encounter_id} if self.encounter_id else {}),
            **({"selections": list(desk.selected)} if hook == "order-select" else {}),
            "draftOrders": {
                "resourceType": "Bundle",
                "type": "collection",
                "entry": [{"resource": draft} for draft in desk.drafts],
            },
        }

    def tokens(self) -> dict[str, str]:
        """What the prefetch templates may name."""
        return {
            "context.patientId": self.patient_id,
            "context.encounterId": self.encounter_id,
            "context.userId": f"Practitioner/{self.practitioner_id}",
            "userPractitionerId": self.practitioner_id,
        }


def hook_request(visit: Visit, desk: Desk, hook: str, prefetched: Json) -> Json:
    """The body of a hook call."""
    return {
        "hook": hook,
        "hookInstance": str(uuid4()),
        "fhirServer": visit.fhir_base,
        "context": visit.context(desk, hook),
        "prefetch": prefetched,
    }


def take_answer(desk: Desk, hook: str, service: Service, exchange: Exchange) -> None:
    """Cards onto the screen, and ratings onto the orders; a failure is shown as one, never as silence."""
    about = desk.selected if hook == "order-select" else tuple(reference_of(each) for each in desk.drafts)
    answer = exchange.answer
    if not exchange.good or not isinstance(answer, dict) or not isinstance(answer.get("cards"), list):
        why = exchange.problem or "the answer holds no list of cards"
        desk.advice = Advice(hook, service.id, about, trouble=why, profile=exchange.profile)
        return
    remarks = [f"a card cannot be shown: {trouble}" for card in answer["cards"] if (trouble := trouble_with(card))]
    cards = [ShownCard(card) for card in answer["cards"] if not trouble_with(card)]
    cards.sort(key=lambda shown: _RANK.get(shown.card.get("indicator", ""), len(_RANK)))
    for action in answer.get("systemActions") or ():
        try:
            desk.drafts, _ = applied(desk.drafts, action, _id_for(desk, action))
        except CannotApply as problem:
            remarks.append(f"a system action was not applied: {problem}")
    desk.advice = Advice(hook, service.id, about, cards, remarks=remarks, profile=exchange.profile)


_RANK = {"critical": 0, "warning": 1, "info": 2}


def accept(desk: Desk, shown: ShownCard, suggestion: Json) -> None:
    """A suggestion's actions, all or none, on the drafts; what it made or changed is selected."""
    drafts, touched = desk.drafts, list[str]()
    for action in suggestion.get("actions") or ():
        drafts, reference = applied(drafts, action, _id_for(desk, action))
        touched += [reference] if reference else []
    desk.drafts = drafts
    there = {reference_of(each) for each in drafts}
    left = tuple(each for each in desk.selected if each in there)
    desk.selected = tuple(dict.fromkeys((*left, *touched))) or tuple(reference_of(each) for each in drafts[-1:])
    shown.accepted = str(suggestion.get("label") or "suggestion")


def _id_for(desk: Desk, action: Json) -> str:
    return desk.fresh_id() if action.get("type") == "create" else ""


def send_feedback(desk: Desk, client: ServiceClient, item: Json) -> Exchange | None:
    """Tells the service what became of a card; a card without an id cannot be told about."""
    advice = desk.advice
    if advice is None or not item.get("card"):
        return None
    exchange = client.feedback(advice.service, [{**item, "outcomeTimestamp": _now()}])
    desk.keep(exchange)
    return exchange


def accepted_item(shown: ShownCard, suggestion: Json) -> Json:
    """Feedback on a suggestion that was taken."""
    return {"card": shown.uuid, "outcome": "accepted", "acceptedSuggestions": [{"id": suggestion.get("uuid")}]}


def overridden_item(shown: ShownCard, reason: Json | None, comment: str) -> Json:
    """Feedback on a card that was dismissed, with the reason and comment where there are any."""
    why: Json = {}
    if reason:
        why["reason"] = {name: reason[name] for name in ("code", "system", "display") if reason.get(name)}
    if comment:
        why["userComment"] = comment
    return {"card": shown.uuid, "outcome": "overridden", **({"overrideReason": why} if why else {})}


def _now() -> str:
    return datetime.now(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")


def silent(desk: Desk, hook: str, problem: ServiceSilent) -> None:
    """The service could not be called: the order was not assessed, and the screen says so."""
    desk.advice = Advice(hook, about=desk.selected, trouble=str(problem))
