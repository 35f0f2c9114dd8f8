"""What holds for every chart and every order, searched for counter-examples with generated records."""

from __future__ import annotations

import copy
import random
from datetime import date
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.service_catalogue import TEMPLATES
from rules.recommendation import Urgency
from tests.answer_reading import Reply, defers, ratings
from tests.case_reader import cases_in
from tests.clinic import ask
from tests.hook_requests import ALSO_SENT, Request
from tests.test_accepted_suggestions import follow_up_problems

Json = dict[str, Any]
AS_OF = date(2026, 11, 23)

STUDIES = (
    "xr-lumbar",
    "mri-lumbar-without-contrast",
    "mri-lumbar-without-and-with-contrast",
    "mri-lumbar-with-contrast",
    "ct-lumbar-without-contrast",
    "ct-lumbar-with-contrast",
    "ct-lumbar-without-and-with-contrast",
    "ct-myelography-lumbar",
    "discography-lumbar",
    "bone-scan-whole-body",
    "pet-ct (whole body",
)
RED_FLAGS: tuple[Json, ...] = (
    {"problem": "saddle-anaesthesia", "began": "1 days ago"},
    {"problem": "urinary-retention", "began": "2 days ago"},
    {"problem": "faecal-incontinence", "began": "40 days ago"},
    {"problem": "cauda-equina-syndrome", "verification": "provisional"},
    {"strength": "left ankle-dorsiflexion 3", "on": "2 days ago"},
    {"strength": "right knee-extension 4", "on": "2 days ago"},
    {"problem": "foot-drop", "began": "5 days ago"},
    {"temperature": 38.7, "on": "3 days ago"},
    {"problem": "discitis", "began": "10 days ago"},
    {"exam": "injecting-drug-use (Intravenous drug user", "on": "60 days ago", "category": "social-history"},
    {"problem": "bacteraemia", "began": "20 days ago", "status": "resolved", "ended": "15 days ago"},
    {"problem": "hiv-infection (virus infection", "began": "5 years ago"},
    {"problem": "malignant-neoplasm (breast", "began": "6 years ago", "status": "remission"},
    {"problem": "bone-metastasis (neoplasm of bone", "began": "20 days ago"},
    {"problem": "unexplained-weight-loss (Unexplained", "began": "20 days ago"},
    {"problem": "major-trauma (Motor vehicle traffic accident", "began": "4 days ago"},
    {"problem": "fall", "began": "10 days ago"},
    {"problem": "osteoporosis", "began": "3 years ago"},
    {"problem": "abdominal-aortic-aneurysm", "began": "2 years ago"},
    {"medicine": "systemic-corticosteroid (Prednisone", "begun": "200 days ago", "days": 150},
)
OTHER_LINES: tuple[Json, ...] = (
    {"problem": "low-back-pain", "began": "9 days ago"},
    {"problem": "low-back-pain (Mechanical", "began": "80 days ago"},
    {"problem": "lumbar-spinal-stenosis", "began": "90 days ago"},
    {"problem": "sciatica", "side": "left", "began": "8 days ago"},
    {"problem": "sciatica", "side": "right", "began": "5 days ago"},
    {"problem": "low-back-pain", "recorded": "2026-08"},
    {"procedure": "lumbar-fusion", "on": "2 years ago"},
    {"procedure": "physical-therapy", "on": "55 days ago"},
    {"medicine": "nsaid@rxnorm (Ibuprofen", "begun": "50 days ago"},
    {"request": "lumbar-epidural-injection", "on": "3 days ago"},
    {"request": "neurosurgery-referral", "on": "20 days ago"},
    {"report": "mri-lumbar-without-contrast", "on": "30 days ago"},
    {"pain": 7, "on": "25 days ago"},
    {"pain": 4, "on": "today"},
    {"pain": 9, "on": "today"},
    {"temperature": 36.7, "on": "today"},
    {"exam": "saddle-anaesthesia", "result": False, "on": "today"},
    {"exam": "text:Straight leg raise, right", "result": "positive", "on": "2 days ago"},
    {"exam": "own:lower-limb-strength-normal", "result": True, "on": "1 days ago"},
    {"strength": "left ankle-dorsiflexion 5", "on": "20 days ago"},
    {"egfr": 22, "on": "20 days ago"},
    {"device": "pacemaker (device"},
    {"device": "spinal-implant (Rod"},
    {"allergy": "gadolinium-contrast-substance (Gadolinium (substance"},
    {"problem": "pregnancy (Pregnant", "began": "60 days ago"},
    {"problem": "claustrophobia"},
    {"answer": "intervention-candidate-yes"},
    {"answer": "conservative-care-done-yes"},
    {"problem": "text:chronic flurbishment of the left widget", "began": "9 days ago"},
    {"requester": "specialty-family-medicine"},
)
UNRELATED: tuple[Json, ...] = (
    {"problem": "urn:oid:1.2.3|X-1|Local problem of another kind", "began": "30 days ago"},
    {
        "problem": "text:essential hypertension",
        "began": "3000 days ago",
        "status": "resolved",
        "ended": "2000 days ago",
    },
    {"medicine": "text:Loratadine 10 MG Oral Tablet", "begun": "100 days ago"},
    {"procedure": "urn:oid:1.2.3|P-1|Removal of a thing", "on": "500 days ago"},
    {"exam": "urn:oid:1.2.3|O-1|Colour of eyes", "result": "brown", "on": "3 days ago"},
    {"report": "mri-cervical-spine", "on": "600 days ago"},
    {"problem": "saddle-anaesthesia", "began": "1 days ago", "of_another_patient": True},
    {"problem": "saddle-anaesthesia", "began": "1 days ago", "verification": "entered-in-error"},
)

charts = st.lists(st.sampled_from(RED_FLAGS + OTHER_LINES), max_size=7, unique_by=repr)
patients = st.fixed_dictionaries(
    {"age": st.sampled_from([9, 16, 17, 18, 30, 45, 51, 66, 72, 88]), "sex": st.sampled_from(["male", "female"])}
)
orders = st.builds(
    lambda study, reason, priority: f"{study} for {reason}{priority}",
    st.sampled_from(STUDIES),
    st.sampled_from(["low-back-pain", "low-back-pain", "sciatica", "no reason"]),
    st.sampled_from(["", "", " at routine", " at urgent", " at stat"]),
)


def _request(patient: Json, chart: list[Json], order: str) -> Request:
    entry = {"name": "generated", "patient": patient, "chart": chart, "order": order, "expect": {"status": 200}}
    (case,) = cases_in(entry)
    return case.request


def _verdict(reply: Reply) -> tuple[object, ...]:
    """What was decided and offered, without the wording of evidence."""
    assert reply.status == 200
    decided = tuple(
        (each.situation, each.urgency, each.leading and each.leading.id, each.better, each.may_defer, each.robust)
        for each in reply.advice or ()
    )
    asked = tuple(question.finding for each in reply.advice or () for question in each.questions)
    return decided, asked, tuple(sorted(ratings(reply.body).items())), defers(reply.body)


@given(patients, charts, orders, st.randoms(use_true_random=False))
def test_the_order_of_resources_never_matters(patient: Json, chart: list[Json], order: str, mixer: random.Random):
    request = _request(patient, chart, order)
    shuffled = copy.deepcopy(request)
    for value in shuffled["prefetch"].values():
        if isinstance(value, dict) and "entry" in value:
            mixer.shuffle(value["entry"])
    keys = list(shuffled["prefetch"])
    mixer.shuffle(keys)
    shuffled["prefetch"] = {key: shuffled["prefetch"][key] for key in keys}
    assert _verdict(ask(request, as_of=AS_OF)) == _verdict(ask(shuffled, as_of=AS_OF))


@given(patients, charts, orders, st.booleans())
def test_a_resource_sent_twice_counts_once(patient: Json, chart: list[Json], order: str, elsewhere: bool):
    request = _request(patient, chart, order)
    doubled = copy.deepcopy(request)
    every = []
    for value in doubled["prefetch"].values():
        if isinstance(value, dict) and "entry" in value:
            every += value["entry"]
            if not elsewhere:
                value["entry"] = value["entry"] * 2
    if elsewhere and every:
        doubled["prefetch"][ALSO_SENT] = {"resourceType": "Bundle", "type": "searchset", "entry": every}
    assert _verdict(ask(request, as_of=AS_OF)) == _verdict(ask(doubled, as_of=AS_OF))


@given(patients, charts, orders, st.lists(st.sampled_from(UNRELATED), min_size=1, max_size=4, unique_by=repr))
def test_unrelated_resources_change_nothing(patient: Json, chart: list[Json], order: str, clutter: list[Json]):
    request = _request(patient, chart, order)
    cluttered = _request(patient, [*chart, *clutter], order)
    assert _verdict(ask(request, as_of=AS_OF)) == _verdict(ask(cluttered, as_of=AS_OF))


URGENCY = list(Urgency)


@given(patients, charts, orders, st.sampled_from(RED_FLAGS))
def test_a_further_red_flag_never_lowers_the_urgency(patient: Json, chart: list[Json], order: str, flag: Json):
    before = ask(_request(patient, chart, order), as_of=AS_OF)
    after = ask(_request(patient, [*chart, flag], order), as_of=AS_OF)
    for one, other in zip(before.advice or (), after.advice or (), strict=False):
        assert URGENCY.index(other.urgency) <= URGENCY.index(one.urgency)
        assert not (one.urgency.value in ("emergency", "immediate") and defers(after.body))


@given(patients, charts, orders)
@settings(max_examples=150)
def test_an_accepted_change_settles_the_study(patient: Json, chart: list[Json], order: str):
    request = _request(patient, chart, order)
    assert follow_up_problems(request, ask(request, as_of=AS_OF), AS_OF) == []


@given(patients, charts, orders)
def test_the_same_call_gives_the_same_bytes(patient: Json, chart: list[Json], order: str):
    request = _request(patient, chart, order)
    assert ask(request, as_of=AS_OF).raw == ask(copy.deepcopy(request), as_of=AS_OF).raw


KEYS = [template.key for template in TEMPLATES if template.key != "patient"]
FAILURES: tuple[Any, ...] = (
    {"resourceType": "OperationOutcome", "issue": [{"severity": "error", "code": "exception"}]},
    "not JSON at all",
    17,
    [],
    {"resourceType": "Bundle", "type": "searchset", "link": [{"relation": "next", "url": "https://ehr.example.org/2"}]},
    {"resourceType": "Bundle", "entry": "broken"},
    {"resourceType": "Bundle", "entry": [{"resource": {"resourceType": "Condition", "code": 7}}, None, 3]},
)


@pytest.mark.parametrize("state", ["absent", *FAILURES], ids=lambda state: str(state)[:60])
@pytest.mark.parametrize("key", ["conditions", "examination", "vitalSigns", "laboratory", "procedures", "medications"])
def test_a_source_that_could_hide_a_red_flag_and_was_not_read_is_no_reason_to_wait(key: str, state: Any):
    request = _request({"age": 45, "sex": "male"}, [], "mri-lumbar-without-contrast for low-back-pain")
    if state == "absent":
        del request["prefetch"][key]
    else:
        request["prefetch"][key] = state
    reply = ask(request, as_of=AS_OF)
    assert reply.status == 200
    assert not defers(reply.body)
    assert reply.cards[0]["indicator"] == "warning"


SPOILED: dict[str, Json] = {
    "whose meaning an extension may turn around": {"modifierExtension": [{"url": "urn:x", "valueBoolean": True}]},
    "whose code is no code": {"code": 7},
    "whose code is a text": {"code": "saddle anaesthesia"},
    "whose coding is no list": {"code": {"coding": "saddle anaesthesia"}},
    "whose verification cannot be read": {"verificationStatus": 3},
}


@pytest.mark.parametrize("spoiled", SPOILED.values(), ids=SPOILED)
def test_a_problem_that_cannot_be_understood_is_no_reason_to_wait(spoiled: Json):
    chart = [{"problem": "low-back-pain", "began": "9 days ago"}, {"problem": "saddle-anaesthesia", "began": "today"}]
    request = _request({"age": 45, "sex": "male"}, chart, "mri-lumbar-without-contrast for low-back-pain")
    request["prefetch"]["conditions"]["entry"][1]["resource"].update(spoiled)
    reply = ask(request, as_of=AS_OF)
    assert reply.status == 200
    assert not defers(reply.body)
    assert reply.cards[0]["indicator"] in ("warning", "critical")


@given(patients, charts, orders, st.dictionaries(st.sampled_from(KEYS), st.sampled_from(["absent", *FAILURES])))
@settings(max_examples=150)
def test_what_could_not_be_read_never_turns_advice_to_image_into_a_deferral(
    patient: Json, chart: list[Json], order: str, lost: dict[str, Any]
):
    request = _request(patient, chart, order)
    whole = ask(request, as_of=AS_OF)
    damaged = copy.deepcopy(request)
    for key, state in lost.items():
        if state == "absent":
            damaged["prefetch"].pop(key, None)
        else:
            damaged["prefetch"][key] = state
    partial = ask(damaged, as_of=AS_OF)
    assert partial.status == 200
    if not defers(whole.body):
        assert not defers(partial.body), lost
    if whole.cards:
        assert partial.cards, "an order that was answered is met with silence"


@pytest.mark.parametrize("study", STUDIES)
@given(patient=patients, chart=charts)
@settings(max_examples=8)
def test_every_study_for_back_pain_is_answered_whatever_the_chart(study: str, patient: Json, chart: list[Json]):
    reply = ask(_request(patient, chart, f"{study} for low-back-pain"), as_of=AS_OF)
    assert reply.cards
    assert len(reply.advice or ()) == 1
