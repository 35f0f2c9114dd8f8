"""What a click does, with a real service behind a socket: hooks fired, suggestions applied, feedback sent."""

from __future__ import annotations

from typing import Any

import pytest

from sandbox.ehr.clinic import Clinic
from sandbox.ehr.desk import Advice, Desk
from sandbox.ehr.drafts import name_of, ratings_of
from sandbox.ehr.service_client import Exchange, Service, ServiceClient
from sandbox.ehr.work import NotPossible, Work

DEFERRED = "three-weeks-of-low-back-pain"
SADDLE = "three-weeks-and-a-numb-saddle"
WEAKER = "left-foot-getting-weaker"
INJECTION = "six-weeks-of-care-and-an-injection"


@pytest.fixture
def at_desk(clinic: Clinic, service: ServiceClient) -> Any:
    def sit(story: str) -> Work:
        return Work(clinic, service, clinic.today().story(story), Desk())

    return sit


def _advice(work: Work) -> Advice:
    assert work.desk.advice is not None
    return work.desk.advice


def _placed(work: Work, number: int = 0) -> Work:
    work.place(work.story.orders[number].id)
    return work


def _sent(work: Work) -> list[str]:
    return [exchange.what for _, exchange in reversed(work.desk.messages)]


def _suggestion(work: Work, words: str) -> tuple[str, str]:
    for shown in _advice(work).cards:
        for each in shown.card.get("suggestions", ()):
            if words in each["label"]:
                return shown.uuid, each["uuid"]
    raise AssertionError(f"no suggestion {words!r}")


def _feedback(work: Work) -> dict:
    newest = next(exchange for _, exchange in work.desk.messages if exchange.what == "feedback")
    assert newest.status == 200
    (item,) = newest.request["feedback"]
    return item


def test_placing_an_order_fires_order_select_with_everything_that_discovery_asks_for(at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    (exchange,) = [each for _, each in work.desk.messages]
    request = exchange.request
    assert request["hook"] == "order-select"
    assert request["context"]["selections"] == [f"ServiceRequest/{DEFERRED}-order-1"]
    assert request["context"]["patientId"] == DEFERRED
    assert set(request["prefetch"]) == set(work.client.service_for("order-select").prefetch)
    assert request["prefetch"]["patient"]["id"] == DEFERRED
    assert _advice(work).cards[0].card["indicator"] == "warning"


def test_the_rating_is_written_on_the_draft(at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    assert ratings_of(work.desk.drafts[0])[0]["code"] == "not-appropriate"


def test_another_priority_asks_again_and_says_so_on_the_order(at_desk: Any) -> None:
    work = _placed(at_desk(WEAKER))
    assert any("stat" in each["label"] for each in _advice(work).cards[0].card["suggestions"])
    work.change(work.desk.drafts[0]["id"], {"priority": "stat"})
    assert _sent(work) == ["order-select", "order-select"]
    assert work.desk.drafts[0]["priority"] == "stat"
    assert not any("stat" in each["label"] for each in _advice(work).cards[0].card.get("suggestions", ()))


@pytest.mark.parametrize(
    ("form", "member"),
    [
        ({"study": "xr-lumbar"}, "code"),
        ({"reason": "fever"}, "reasonCode"),
        ({"text": "  worse \n at night "}, "reasonCode"),
        ({"without": "reasonCode/0"}, "reasonCode"),
    ],
)
def test_every_change_of_an_order_asks_again(form: dict, member: str, at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    before = work.desk.drafts[0][member]
    work.change(work.desk.drafts[0]["id"], form)
    assert work.desk.drafts[0].get(member) != before
    assert _sent(work) == ["order-select", "order-select"]


def test_a_problem_of_the_chart_can_be_the_reason(at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    problem = next(each for each in work.story.resources if each["resourceType"] == "Condition")
    work.change(work.desk.drafts[0]["id"], {"reason": f"Condition/{problem['id']}"})
    assert work.desk.drafts[0]["reasonReference"][0]["reference"] == f"Condition/{problem['id']}"


def test_a_deferral_takes_the_draft_away_makes_the_referral_and_is_reported(at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    card, suggestion = _suggestion(work, "Defer")
    work.accept(card, suggestion)
    assert [name_of(draft) for draft in work.desk.drafts] == ["Referral to physiotherapy"]
    item = _feedback(work)
    assert (item["card"], item["outcome"]) == (card, "accepted")
    assert item["acceptedSuggestions"] == [{"id": suggestion}]
    assert _sent(work) == ["order-select", "feedback", "order-select"]
    assert work.desk.said.startswith("Suggestion accepted: Defer")


def test_the_suggested_study_is_rated_as_promised_and_nothing_more_is_asked_for(at_desk: Any) -> None:
    work = _placed(at_desk("three-weeks-and-a-numb-saddle"))
    card, suggestion = _suggestion(work, "Change to MRI")
    work.accept(card, suggestion)
    (draft,) = work.desk.drafts
    assert draft["priority"] == "stat"
    assert ratings_of(draft)[0]["code"] == "appropriate"
    assert not any("Change" in each["label"] for each in _advice(work).cards[0].card.get("suggestions", ()))


def test_an_answer_by_a_button_is_read_by_the_next_call(at_desk: Any) -> None:
    work = _placed(at_desk("six-weeks-of-care-and-no-plan"))
    assert not ratings_of(work.desk.drafts[0])
    work.accept(*_suggestion(work, _advice(work).cards[0].card["suggestions"][0]["label"]))
    assert ratings_of(work.desk.drafts[0])[0]["code"] == "appropriate"


def test_a_dismissed_card_is_reported_with_reason_and_comment(at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    shown = _advice(work).cards[0]
    reason = shown.card["overrideReasons"][0]
    work.dismiss(shown.uuid, reason["code"], "  seen by   the team ")
    item = _feedback(work)
    assert item["outcome"] == "overridden"
    assert item["overrideReason"]["reason"]["code"] == reason["code"]
    assert item["overrideReason"]["userComment"] == "seen by the team"
    assert shown.dismissed == reason["display"]
    assert _advice(work).open_cards == []


def test_a_card_can_be_dismissed_without_a_word(at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    work.dismiss(_advice(work).cards[0].uuid, "", "")
    assert "overrideReason" not in _feedback(work)


def test_a_suggestion_that_cannot_be_applied_changes_nothing_and_is_not_reported(at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    shown = _advice(work).cards[0]
    shown.card["suggestions"][0]["actions"][-1] = {"type": "delete", "resourceId": "ServiceRequest/nobody"}
    before = list(work.desk.drafts)
    work.accept(shown.uuid, shown.card["suggestions"][0]["uuid"])
    assert work.desk.drafts == before
    assert "no draft" in shown.trouble
    assert _sent(work) == ["order-select"]


def test_an_order_that_nothing_speaks_against_is_signed_at_once(at_desk: Any) -> None:
    work = _placed(at_desk(INJECTION))
    work.sign()
    assert _sent(work)[-1] == "order-sign"
    assert work.desk.drafts == []
    assert [order["status"] for order in work.desk.signed] == ["active"] * len(work.desk.signed)
    assert work.desk.said.startswith("Signed:")


def test_signing_waits_where_a_card_stands_against_it(at_desk: Any) -> None:
    work = _placed(at_desk(WEAKER))
    work.sign()
    assert work.desk.signing
    assert work.desk.signed == []
    with pytest.raises(NotPossible, match="say why"):
        work.sign_anyway("", " ")
    reason = _advice(work).cards[0].card["overrideReasons"][0]["code"]
    work.sign_anyway(reason, "")
    assert _feedback(work)["overrideReason"]["reason"]["code"] == reason
    assert len(work.desk.signed) == 1


def test_an_order_for_signing_is_asked_about_at_signing(at_desk: Any) -> None:
    work = _placed(at_desk(INJECTION), number=1)
    assert _sent(work) == ["order-select", "order-sign"]


def test_what_was_signed_a_moment_ago_is_in_the_chart_of_the_next_call(at_desk: Any) -> None:
    work = at_desk(DEFERRED)
    work.add("spine-surgery-referral")
    work.sign()
    work.place(work.story.orders[0].id)
    _, exchange = work.desk.messages[0]
    entries = exchange.request["prefetch"]["serviceRequests"]["entry"]
    assert "Spine surgery referral" in [name_of(each["resource"]) for each in entries]


def test_an_order_that_is_not_lumbar_imaging_gets_no_card(at_desk: Any) -> None:
    work = at_desk(DEFERRED)
    work.add("xr-hip")
    assert _advice(work).cards == []
    assert _advice(work).trouble == ""
    assert work.desk.said == "No advice on this order."


def test_a_part_of_the_record_that_cannot_be_read_is_left_out_of_the_call(at_desk: Any) -> None:
    work = _placed(at_desk("problem-list-timed-out"))
    _, exchange = work.desk.messages[0]
    assert "conditions" not in exchange.request["prefetch"]
    assert "could not be read" in _advice(work).cards[0].card["summary"]


def test_a_service_that_is_not_there_is_never_taken_for_one_that_has_nothing_to_say(clinic: Clinic) -> None:
    work = Work(clinic, ServiceClient("http://127.0.0.1:9"), clinic.today().story(DEFERRED), Desk())
    work.place(work.story.orders[0].id)
    assert "nobody answers" in _advice(work).trouble
    assert work.desk.said.startswith("No advice: the service was not reached")
    work.sign()
    assert work.desk.signing, "what was not checked is not signed by itself"
    assert work.desk.signed == []


class Odd(ServiceClient):
    """A service that answers oddly."""

    def __init__(self, like: ServiceClient, status: int, answer: Any) -> None:
        super().__init__(like.base)
        self._answer = status, answer

    def call(self, service: Service, request: dict, profile: str = "") -> Exchange:
        exchange = super().call(service, request)
        status, answer = self._answer
        problem = "" if status == 200 else f"answered with status {status}"
        return Exchange(
            exchange.what, exchange.address, exchange.at, exchange.milliseconds, request, status, answer, problem
        )


@pytest.mark.parametrize(
    ("status", "answer"), [(500, {"resourceType": "OperationOutcome"}), (200, {}), (200, None), (200, {"cards": {}})]
)
def test_an_answer_that_is_none_is_shown_as_a_failure(
    status: int, answer: Any, clinic: Clinic, service: ServiceClient
) -> None:
    work = _placed(Work(clinic, Odd(service, status, answer), clinic.today().story(DEFERRED), Desk()))
    assert _advice(work).trouble


GOOD = {"summary": "Good", "indicator": "info", "source": {"label": "x"}}
ODD_CARDS = [
    "text",
    {},
    {"summary": 1},
    {"summary": "x", "links": {"label": "x"}},
    {"summary": "x", "links": [{"label": "x"}]},
    {"summary": "x", "suggestions": ["x"]},
    {"summary": "x", "suggestions": [{"label": "x", "actions": [None]}]},
    {"summary": "x", "detail": ["x"]},
    {"summary": "x", "source": "x"},
    {"summary": "x", "overrideReasons": [1]},
]


@pytest.mark.parametrize("odd", ODD_CARDS, ids=str)
def test_an_odd_card_is_named_and_the_others_are_shown(odd: Any, clinic: Clinic, service: ServiceClient) -> None:
    answer = {"cards": [odd, GOOD]}
    work = _placed(Work(clinic, Odd(service, 200, answer), clinic.today().story(DEFERRED), Desk()))
    assert [shown.card for shown in _advice(work).cards] == [GOOD]
    assert "cannot be shown" in _advice(work).remarks[0]


def test_advice_that_cannot_be_read_holds_up_signing(clinic: Clinic, service: ServiceClient) -> None:
    work = _placed(Work(clinic, Odd(service, 200, {"cards": ["odd"]}), clinic.today().story(DEFERRED), Desk()))
    work.sign()
    assert work.desk.signing
    assert work.desk.signed == []


def test_a_system_action_on_an_order_that_is_no_draft_is_named(clinic: Clinic, service: ServiceClient) -> None:
    stranger = {"type": "update", "resource": {"resourceType": "ServiceRequest", "id": "nobody"}}
    odd = Odd(service, 200, {"cards": [GOOD], "systemActions": [stranger]})
    work = _placed(Work(clinic, odd, clinic.today().story(DEFERRED), Desk()))
    assert "not applied" in _advice(work).remarks[0]
    assert [draft["id"] for draft in work.desk.drafts] == [f"{DEFERRED}-order-1"]


@pytest.mark.parametrize(
    "click",
    [
        lambda work: work.place("nothing"),
        lambda work: work.add("nothing"),
        lambda work: work.change("nobody", {}),
        lambda work: work.change(work.desk.drafts[0]["id"], {"priority": "tomorrow"}),
        lambda work: work.change(work.desk.drafts[0]["id"], {"reason": "nothing"}),
        lambda work: work.change(work.desk.drafts[0]["id"], {"reason": "Condition/of-somebody-else"}),
        lambda work: work.remove("nobody"),
        lambda work: work.accept("nobody", "nothing"),
        lambda work: work.dismiss("nobody", "", ""),
        lambda work: work.sign_anyway("", ""),
    ],
)
def test_a_click_of_a_page_that_is_out_of_date_changes_nothing(click: Any, at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    before = list(work.desk.drafts)
    with pytest.raises(NotPossible):
        click(work)
    assert work.desk.drafts == before


def test_of_two_drafts_the_touched_one_is_selected_and_the_other_is_context(at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    work.add("epidural-injection")
    _, exchange = work.desk.messages[0]
    assert exchange.request["context"]["selections"] == ["ServiceRequest/order-1"]
    assert len(exchange.request["context"]["draftOrders"]["entry"]) == 2
    work.select(f"{DEFERRED}-order-1")
    assert work.desk.selected == (f"ServiceRequest/{DEFERRED}-order-1",)
    assert _advice(work).cards, "advice on the study again, with the injection beside it"


def test_the_last_draft_removed_leaves_an_empty_desk_and_asks_nobody(at_desk: Any) -> None:
    work = _placed(at_desk(DEFERRED))
    work.remove(work.desk.drafts[0]["id"])
    assert work.desk.advice is None
    assert _sent(work) == ["order-select"]


# --- signing the right order


def test_the_right_order_of_an_emergency_is_signed_without_a_reason_and_not_reported_as_overridden(
    at_desk: Any,
) -> None:
    work = _placed(at_desk(SADDLE), 1)
    work.change(work.desk.drafts[0]["id"], {"priority": "stat"})
    work.sign()
    assert work.desk.signing, "the card is to be read before"
    assert [shown.card["indicator"] for shown in _advice(work).cards] == ["critical"]
    work.sign_anyway("", "")
    assert len(work.desk.signed) == 1
    assert "feedback" not in _sent(work)


@pytest.mark.parametrize(
    ("story", "number", "profile"),
    [
        (SADDLE, 0, "cds-hooks-2.0"),  # the wrong study
        (SADDLE, 1, "cds-hooks-2.0"),  # the right study, not stat
        (SADDLE, 1, "plain"),  # the same, where no card ever offers anything
        (SADDLE, 1, "epic"),
        ("aneurysm-and-pain-since-two-days", 0, "cds-hooks-2.0"),  # nothing to offer, and no criteria apply
        ("order-that-nobody-knows-and-a-numb-saddle", 0, "plain"),  # not rated
    ],
)
def test_any_other_order_of_an_emergency_is_signed_with_a_reason_only(
    story: str, number: int, profile: str, at_desk: Any
) -> None:
    work = at_desk(story)
    work.profile = profile
    _placed(work, number).sign()
    with pytest.raises(NotPossible):
        work.sign_anyway("", "")
    assert work.desk.signed == []


# --- answers as other kinds of client get them


def test_the_same_advice_is_asked_for_as_another_kind_of_client_gets_it(at_desk: Any) -> None:
    work = _placed(at_desk(WEAKER))
    usual = _advice(work).cards[0].card
    work.written_for("epic")
    card = _advice(work).cards[0].card
    assert _sent(work) == ["order-select", "order-select"]
    assert (card["summary"], card["indicator"]) == (usual["summary"], usual["indicator"])
    assert [each["actions"][0]["type"] for each in usual["suggestions"]] == ["update"]
    assert "com.epic.cdshooks.card.detail.content-type" in card["extension"]
    assert all(each["type"] != "update" for made in card.get("suggestions", ()) for each in made["actions"])
    assert [exchange.profile for _, exchange in work.desk.messages] == ["epic", ""]


def test_another_kind_of_client_is_asked_for_without_an_order_too_and_signing_goes_on_waiting(at_desk: Any) -> None:
    work = at_desk(WEAKER)
    work.written_for("plain")
    assert _sent(work) == []
    _placed(work).sign()
    assert work.desk.signing
    work.written_for("sandbox")
    assert (work.desk.signing, _advice(work).hook, _advice(work).profile) == (True, "order-sign", "sandbox")


def test_a_kind_of_client_that_is_none_is_not_asked_for(at_desk: Any) -> None:
    work = _placed(at_desk(WEAKER))
    with pytest.raises(NotPossible):
        work.written_for("nobody")
    assert _sent(work) == ["order-select"]
