"""Every suggestion of every case in Epic, accepted as Epic does it: a new order without details, or one removed."""

from __future__ import annotations

import copy
import re
from functools import cache
from typing import Any

from cards.lint import losses
from cards.order_changes import PLACES_AN_ORDER
from cards.phrases import red_flags
from cards.profiles import PROFILES
from cds_service.collaborators import Collaborators, build_collaborators
from cds_service.output_check import check_answer
from cds_service.settings import Settings
from rules.recommendation import PamaRating, Recommendation
from tests.answer_reading import Reply, suggestions
from tests.case_reader import Case, read_cases
from tests.clinic import TABLES, ask
from tests.ehr_client import drafts_of

Json = dict[str, Any]
PREFERENCE_LIST = "urn:com.epic.cdshooks.action.code.system.preference-list-item"
NEW_ID = "eNewOrder." + "x" * 70  # longer than FHIR's 64, as Epic's are


@cache
def _site() -> Collaborators:
    """A site that has named its orderables."""
    return build_collaborators(Settings(order_catalogue=TABLES / "preference_list.csv"))


@cache
def _asked() -> tuple[tuple[Case, Reply], ...]:
    cases = [case for case in read_cases() if not case.settings and case.expect.get("status", 200) == 200]
    return tuple((case, ask(case.request, as_of=case.as_of, tools=_site(), profile="epic")) for case in cases)


def accepted(request: Json, suggestion: Json, *, as_told: bool = True) -> Json:
    """The next call: the new order carries what the preference list says of it, and nothing that the card said.

    ``as_told``: before the next call the clinician did what the suggestion says about priority and reasons.
    """
    (action,) = suggestion["actions"]
    after = copy.deepcopy(request)
    drafts = drafts_of(after)
    if action["type"] == "delete":
        drafts = [each for each in drafts if f"ServiceRequest/{each['id']}" != action["resourceId"]]
        return _with_drafts(after, drafts, after["context"].get("selections", []))
    sent = action["resource"]
    placing = [each for each in sent["code"]["coding"] if each["system"] == PREFERENCE_LIST]
    order = {name: value for name, value in sent.items() if name in ("resourceType", "subject", "encounter")}
    order |= {"id": NEW_ID, "status": "draft", "intent": "order", "priority": "routine", "code": {"coding": placing}}
    if as_told:
        old = _judged(after, drafts)
        order |= {name: old[name] for name in ("reasonCode", "reasonReference") if name in old}
        drafts.remove(old)
        told = re.search(r"set its priority to (\w+)", action["description"])
        order["priority"] = told.group(1) if told else old.get("priority", "routine")
    return _with_drafts(after, [*drafts, order], [f"ServiceRequest/{NEW_ID}"])


def _judged(request: Json, drafts: list[Json]) -> Json:
    chosen = request["context"].get("selections") or [f"ServiceRequest/{drafts[0]['id']}"]
    return next(each for each in drafts if f"ServiceRequest/{each['id']}" in chosen)


def _with_drafts(request: Json, drafts: list[Json], chosen: list[str]) -> Json:
    there = {f"ServiceRequest/{draft['id']}" for draft in drafts}
    request["context"]["draftOrders"]["entry"] = [{"resource": draft} for draft in drafts]
    request["context"]["selections"] = [each for each in chosen if each in there]
    request["hookInstance"] = f"{request['hookInstance']}-next"
    return request


def _each_action() -> list[tuple[Case, Reply, Json, Json]]:
    return [
        (case, reply, suggestion, suggestion["actions"][0])
        for case, reply in _asked()
        for _, suggestion in suggestions(reply.body)
    ]


def test_enough_is_offered_to_be_worth_a_test():
    kinds = [action["type"] for _, _, _, action in _each_action()]
    assert kinds.count("create") > 50
    assert kinds.count("delete") > 50


def test_every_answer_is_valid_and_loses_nothing_in_epic():
    for case, reply in _asked():
        check_answer(reply.body)
        lost = [loss for loss in losses(reply.body, PROFILES["epic"]) if loss.consequence != "note"]
        assert lost == [], case.name


def test_a_new_order_sends_nothing_that_epic_would_replace():
    for case, _, _, action in _each_action():
        if action["type"] == "create":
            assert set(action["resource"]) <= set(PLACES_AN_ORDER), case.name


def _changes() -> list[tuple[Case, Reply, Json]]:
    """Each change of study, where one order was judged."""
    return [
        (case, reply, suggestion)
        for case, reply, suggestion, action in _each_action()
        if action["type"] == "create"
        and suggestion["label"].startswith(("Change to", "Choose"))
        and len(reply.advice or ()) == 1
    ]


def _new_advice(then: Reply) -> Recommendation:
    (advice,) = (each for each in then.advice or () if each.order.reference.endswith(NEW_ID))
    return advice


def test_a_new_study_is_recognised_when_it_comes_back_and_is_not_changed_again():
    for case, _, suggestion in _changes():
        then = ask(accepted(case.request, suggestion), as_of=case.as_of, tools=_site(), profile="epic")
        advice = _new_advice(then)
        assert advice.order.procedure is not None, (case.name, "not recognised")
        assert advice.better is None, (case.name, suggestion["label"], advice.better)
        assert advice.rating is None or advice.rating.pama is not PamaRating.NOT_APPROPRIATE, case.name


def test_done_as_told_no_red_flag_gets_lost_on_the_way():
    for case, reply, suggestion in _changes():
        then = ask(accepted(case.request, suggestion), as_of=case.as_of, tools=_site(), profile="epic")
        before = (reply.advice or ())[0]
        assert _new_advice(then).urgency is before.urgency, (case.name, suggestion["label"])


def test_every_new_order_says_what_it_comes_without():
    for case, _, suggestion, action in _each_action():
        if action["type"] == "create" and not suggestion["label"].startswith("Refer"):
            assert "give it the reasons of the order that is drafted now" in action["description"], case.name


def test_a_red_flag_of_the_chart_is_said_again_whatever_the_new_order_carries():
    for case, reply, suggestion in _changes():
        flags = red_flags((reply.advice or ())[0].findings)
        if any("ServiceRequest/" not in each.reference for flag in flags for each in flag.because):
            following = accepted(case.request, suggestion, as_told=False)
            then = ask(following, as_of=case.as_of, tools=_site(), profile="epic")
            assert red_flags(_new_advice(then).findings), case.name


def test_a_removed_order_is_gone():
    for case, _, suggestion, action in _each_action():
        if action["type"] == "delete":
            following = accepted(case.request, suggestion)
            assert action["resourceId"] not in {f"ServiceRequest/{each['id']}" for each in drafts_of(following)}
            assert ask(following, as_of=case.as_of, tools=_site(), profile="epic").status == 200
