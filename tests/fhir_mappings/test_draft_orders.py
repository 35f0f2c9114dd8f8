"""Draft orders: which concern us, which are selected, why they were ordered, and what the other drafts say."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from fhir_mappings.draft_orders import context_facts, draft_ids, read_drafts
from fhir_mappings.errors import WrongPatient
from rules.dates import DateInterval
from rules.draft_order import DraftOrder, Recognition
from rules.procedures import Procedure
from tests.fhir_mappings.records import (
    DAY,
    ME,
    PATIENT,
    Resource,
    bundle,
    coded,
    condition,
    decoded,
    drafts_of,
    local,
    order,
    own,
    request,
    resource,
    terminology,
)


def the_order(*drafts: Resource, prefetch: dict[str, Any] | None = None, **context: Any) -> DraftOrder:
    (found,) = drafts_of(*drafts, prefetch=prefetch, **context)
    return found.order


def test_a_lumbar_order_is_read_and_kept_verbatim():
    draft = order(priority="urgent", reasonCode=[coded("low-back-pain")], note=[{"text": "numb bottom"}])
    (found,) = drafts_of(draft)
    assert found.raw == draft
    assert (found.order.reference, found.order.procedure) == ("ServiceRequest/order-1", Procedure.MRI_WITHOUT)
    assert (found.order.recognition, found.order.priority, found.order.status) == (Recognition.CODED, "urgent", "draft")
    assert found.order.selected
    assert found.order.has_any_reason
    assert [fact.concept for fact in found.order.reasons] == ["low-back-pain"]  # a note is never read
    assert found.order.reasons[0].evidence.reference == "ServiceRequest/order-1#reasonCode"


@pytest.mark.parametrize(
    ("priority", "codes", "expected"),
    [
        (None, ["priority-stat"], "stat"),
        (None, ["priority-urgent", "priority-stat", "priority-asap"], "stat"),
        ("routine", ["priority-stat"], "routine"),  # the order itself says otherwise
        ("asap", [], "asap"),
        ("soon", ["priority-urgent"], "urgent"),
        (None, ["priority-routine"], ""),  # no code of ours
    ],
)
def test_a_priority_among_the_reasons_counts_where_the_order_states_none(
    priority: str | None, codes: list[str], expected: str
):
    draft = order(priority=priority, reasonCode=[coded("low-back-pain"), *map(own, codes)])
    assert the_order(draft).priority == expected


@pytest.mark.parametrize("code", ["priority-stat", "reason-not-stated"])
def test_an_entry_that_says_it_is_no_reason_is_none(code: str):
    found = the_order(order(reasonCode=[own(code)]))
    assert (found.has_any_reason, found.reasons, found.unread_reasons) == (False, (), ())


def test_a_priority_code_of_another_system_is_an_unread_reason():
    foreign = {"coding": [{"system": "https://other.example.org/codes", "code": "priority-stat"}]}
    found = the_order(order(reasonCode=[foreign]))
    assert (found.priority, len(found.unread_reasons)) == ("", 1)


NOT_OURS: dict[str, Resource] = {
    "an empty coding": order(code={"coding": [{}]}),
    "no code": order(code=None),
    "a code that is a text": order(code="72148"),
    "a study of the head": order(code={"text": "CT head without contrast"}),
    "a referral": order(code=coded("neurosurgery-referral")),
    "not to be done": order(doNotPerform=True),
    "revoked": order(status="revoked"),
    "in error": order(status="entered-in-error"),
    "another type": {**order(), "resourceType": "MedicationRequest"},
    "a bone scan without a reason": order(code=coded("bone-spect-ct")),
    "a bone scan for another reason": order(code=coded("bone-spect-ct"), reasonCode=[coded("hip-osteoarthritis")]),
}


@pytest.mark.parametrize("draft", NOT_OURS.values(), ids=NOT_OURS.keys())
def test_an_order_that_is_not_lumbar_imaging_is_left_alone(draft: Resource):
    assert drafts_of(draft) == ()


RECOGNISED: dict[str, tuple[Resource, Recognition, Procedure | None]] = {
    "in words only": (
        order(code={"text": "MR L-SPINE WO CON"}),
        Recognition.READ_FROM_TEXT,
        Procedure.MRI_WITHOUT,
    ),
    "a local code with words": (
        order(code=local("XR lumbar spine 2 views")),
        Recognition.READ_FROM_TEXT,
        Procedure.RADIOGRAPHY,
    ),
    "contrast not stated": (order(code={"text": "MRI lumbar spine"}), Recognition.CONTRAST_NOT_STATED, None),
    "a known coding among unknown ones": (
        order(code={"coding": [{}, *local("x")["coding"], *coded("xr-lumbar")["coding"]]}),
        Recognition.CODED,
        Procedure.RADIOGRAPHY,
    ),
    "a bone scan for back pain": (
        order(code={"text": "Whole body bone scan with SPECT"}, reasonCode=[coded("low-back-pain")]),
        Recognition.READ_FROM_TEXT,
        Procedure.BONE_SCAN,
    ),
    "a spine study for back pain whose level is not stated": (
        order(code={"text": "MRI spine"}, reasonCode=[coded("low-back-pain")]),
        Recognition.NOT_RECOGNISED,
        None,
    ),
    "a spine study for saddle numbness whose level is not stated": (
        order(code={"text": "MRI spine"}, reasonCode=[coded("saddle-anaesthesia")]),
        Recognition.NOT_RECOGNISED,
        None,
    ),
    "a spine study with a lumbar body site": (
        order(
            code={"text": "MRI spine without contrast"},
            bodySite=[{"text": "Lumbar spine"}],
            reasonCode=[coded("low-back-pain")],
        ),
        Recognition.READ_FROM_TEXT,
        Procedure.MRI_WITHOUT,
    ),
    "an order under way (order-sign may carry one)": (order(status="active"), Recognition.CODED, Procedure.MRI_WITHOUT),
}


@pytest.mark.parametrize(("draft", "how", "procedure"), RECOGNISED.values(), ids=RECOGNISED.keys())
def test_a_lumbar_order_is_recognised(draft: Resource, how: Recognition, procedure: Procedure | None):
    found = the_order(draft)
    assert (found.recognition, found.procedure) == (how, procedure)


# --- selection ----------

SELECTIONS: dict[str, tuple[dict[str, Any], bool]] = {
    "type and id": ({"selections": ["ServiceRequest/order-1"]}, True),
    "a bare id": ({"selections": ["order-1"]}, True),
    "an absolute reference": ({"selections": ["https://ehr.example.org/fhir/ServiceRequest/order-1"]}, True),
    "a urn": ({"selections": ["urn:uuid:order-1"]}, True),
    "another order": ({"selections": ["ServiceRequest/order-2"]}, False),
    "an id of another type": ({"selections": ["MedicationRequest/order-1"]}, False),
    "nothing": ({"selections": []}, False),
    "no selections in the call: every draft": ({"selections": None}, True),
}


@pytest.mark.parametrize(("context", "selected"), SELECTIONS.values(), ids=SELECTIONS.keys())
def test_an_order_is_judged_when_it_is_selected(context: dict[str, Any], selected: bool):
    assert the_order(order(), **context).selected is selected


def test_at_order_sign_every_draft_is_selected():
    body = {**request({}, [order()], selections=[]), "hook": "order-sign"}
    (found,) = read_drafts(decoded(body), terminology())
    assert found.order.selected


def test_a_draft_may_be_selected_by_its_full_url():
    body = request({}, [], selections=["urn:uuid:77"])
    body["context"]["draftOrders"]["entry"] = [{"fullUrl": "urn:uuid:77", "resource": order(id=None)}]
    (found,) = read_drafts(decoded(body), terminology())
    assert found.order.selected
    assert found.order.reference == "urn:uuid:77"


def test_a_selection_that_no_draft_answers_to_means_the_draft_without_an_id():
    assert the_order(order(id=None), selections=["ServiceRequest/unsaved"]).selected


def test_unselected_lumbar_orders_are_read_as_well():
    both = drafts_of(order(), order(id="order-2", code=coded("xr-lumbar")))
    assert [(each.order.reference, each.order.selected) for each in both] == [
        ("ServiceRequest/order-1", True),
        ("ServiceRequest/order-2", False),
    ]


# --- reasons ----------

CHART = {
    "patient": PATIENT,
    "conditions": bundle(
        condition("sciatica", id="c9"),
        condition({"text": "Lumbar zzz with retention"}, id="odd"),
        condition("sciatica", id="hers", subject={"reference": "Patient/p2"}),
        condition("sciatica", id="error", verificationStatus={"coding": [{"code": "entered-in-error"}]}),
    ),
}
INSIDE = {"resourceType": "Condition", "id": "why", "code": coded("urinary-retention"), "subject": ME}

# reason on the order: concepts of its own facts, references into the chart, unread texts, red-flag stem
REASONS: dict[str, tuple[Resource, list[str], list[str], list[str], bool]] = {
    "none": ({}, [], [], [], False),
    "empty ones": ({"reasonCode": [], "reasonReference": []}, [], [], [], False),
    "an empty concept": ({"reasonCode": [{"coding": [{}]}]}, [], [], [], False),
    "several": (
        {"reasonCode": [coded("low-back-pain"), coded("urinary-retention")]},
        ["low-back-pain", "urinary-retention"],
        [],
        [],
        False,
    ),
    "the same twice": ({"reasonCode": [coded("sciatica"), coded("sciatica")]}, ["sciatica"], [], [], False),
    "in words": ({"reasonCode": [{"text": "sciatica"}]}, ["sciatica"], [], [], False),
    "a single one that is no list": ({"reasonCode": coded("sciatica")}, ["sciatica"], [], [], False),
    "an answer of the clinician": (
        {"reasonCode": [own("intervention-candidate-yes")]},
        ["intervention-candidate-yes"],
        [],
        [],
        False,
    ),
    "words that nobody knows": ({"reasonCode": [{"text": "zzz per neuro"}]}, [], [], ["zzz per neuro"], False),
    "words that hide a red flag": (
        {"reasonCode": [{"text": "zzz ?retention"}]},
        [],
        [],
        ["zzz ?retention"],
        True,
    ),
    "a code that nobody knows": (
        {"reasonCode": [{"coding": [{"system": "urn:x", "code": "Q1"}]}]},
        [],
        [],
        ["Q1"],
        False,
    ),
    "a code that its own words deny": (
        {"reasonCode": [coded("cauda-equina-syndrome", "No cauda equina syndrome")]},
        [],
        [],
        ["No cauda equina syndrome"],
        True,
    ),
    "a text in place of a concept": (
        {"reasonCode": ["sciatica"]},
        [],
        [],
        ["a reason that is no coded concept"],
        False,
    ),
    "an entry of the chart": (
        {"reasonReference": [{"reference": "https://ehr.example.org/fhir/Condition/c9/_history/1"}]},
        [],
        ["Condition/c9"],
        [],
        False,
    ),
    "an entry of the chart that cannot be read": (
        {"reasonReference": [{"reference": "Condition/odd"}]},
        [],
        ["Condition/odd"],
        ["Lumbar zzz with retention"],
        True,
    ),
    "an entry that the call does not hold": (
        {"reasonReference": [{"reference": "Condition/gone", "display": "Old thing"}]},
        [],
        [],
        ["Old thing"],
        False,
    ),
    "an entry in error": (
        {"reasonReference": [{"reference": "Condition/error"}]},
        [],
        [],
        ["a reason by reference"],
        False,
    ),
    "an entry of another patient, whose words stay hidden": (
        {"reasonReference": [{"reference": "Condition/hers"}]},
        [],
        [],
        ["a reason that names another patient"],
        False,
    ),
    "contained": (
        {"reasonReference": [{"reference": "#why"}], "contained": [INSIDE]},
        ["urinary-retention"],
        [],
        [],
        False,
    ),
    "a reference to nothing": ({"reasonReference": [{}]}, [], [], ["a reason by reference"], False),
}


@pytest.mark.parametrize(("more", "concepts", "references", "unread", "stem"), REASONS.values(), ids=REASONS.keys())
def test_every_reason_is_read_or_quoted_as_not_read(
    more: Resource, concepts: list[str], references: list[str], unread: list[str], stem: bool
):
    found = the_order(order(**more), prefetch=CHART)
    assert [fact.concept for fact in found.reasons] == concepts
    assert list(found.reason_references) == references
    assert list(found.unread_reasons) == unread
    assert found.unread_reason_has_red_flag_stem is stem
    assert found.has_any_reason is bool(concepts or references or unread)


def test_a_reason_may_stand_among_the_drafts():
    entry = {"fullUrl": "urn:uuid:9", "resource": {**INSIDE, "id": "c-new"}}
    body = request({}, [order(reasonReference=[{"reference": "urn:uuid:9"}])])
    body["context"]["draftOrders"]["entry"].append(entry)
    (found,) = read_drafts(decoded(body), terminology())
    assert [fact.concept for fact in found.order.reasons] == ["urinary-retention"]


def test_words_that_say_since_when_are_dated_from_the_day_the_order_was_written():
    written = the_order(order(reasonCode=[{"text": "low back pain for 3 weeks"}], authoredOn="2026-11-20"))
    expected = DateInterval(date(2026, 10, 24), date(2026, 10, 30))
    assert {(fact.concept, fact.began) for fact in written.reasons} == {
        ("low-back-pain", expected),
        ("symptom-onset", expected),
    }
    undated = the_order(order(reasonCode=[{"text": "urinary retention since yesterday"}]))
    assert [(fact.concept, fact.began) for fact in undated.reasons] == [
        ("urinary-retention", DateInterval(date(2026, 11, 24), date(2026, 11, 24)))
    ]
    assert date(2026, 11, 25) == DAY


# --- whose order ----------


def test_a_selected_lumbar_order_for_another_patient_stops_the_call():
    hers = order(subject={"reference": "Patient/p2", "identifier": {"system": "s", "value": "v"}})
    with pytest.raises(WrongPatient):
        drafts_of(hers)
    assert drafts_of(hers, selections=[]) == ()
    assert drafts_of({**hers, "code": coded("neurosurgery-referral")}) == ()


def test_an_order_without_a_subject_is_the_patients():
    assert the_order(order(subject=None)).selected


def test_an_order_may_name_the_patient_by_the_urn_of_their_entry():
    page = {"resourceType": "Bundle", "entry": [{"fullUrl": "urn:uuid:5", "resource": PATIENT}]}
    draft = order(subject={"reference": "urn:uuid:5"})
    assert the_order(draft, prefetch={"patient": page}).selected
    with pytest.raises(WrongPatient):
        drafts_of(draft, prefetch={"patient": PATIENT})


# --- other drafts ----------


def test_other_drafts_are_context():
    injection = order(id="order-2", code=coded("lumbar-epidural-injection"))
    hers = order(id="order-3", code=coded("lumbar-fusion"), subject={"reference": "Patient/p2"})
    declined = order(id="order-4", code=coded("lumbar-fusion"), doNotPerform=True)
    call = decoded(request({}, [order(), injection, hers, declined]))
    drafted = [fact for fact in context_facts(call, terminology()) if fact.concept == "lumbar-epidural-injection"]
    (fact,) = drafted
    assert (fact.kind.value, fact.state, fact.evidence.reference) == ("draft", "draft", "ServiceRequest/order-2")
    assert not any(fact.concept == "lumbar-fusion" for fact in context_facts(call, terminology()))
    assert draft_ids(call) == {"order-1", "order-2", "order-3", "order-4"}


STRANGE: dict[str, Resource] = {
    "numbers everywhere": {
        "resourceType": "ServiceRequest",
        "id": 7,
        "status": 5,
        "priority": 3,
        "code": 4,
        "subject": 9,
        "reasonCode": 1,
        "bodySite": 2,
        "reasonReference": 8,
        "contained": 6,
        "doNotPerform": "yes",
    },
    "lists everywhere": {
        "resourceType": "ServiceRequest",
        "id": [],
        "code": [],
        "subject": [],
        "reasonCode": [[]],
        "reasonReference": [[]],
        "bodySite": [[]],
        "performerType": [[]],
    },
    "a code inside out": {"resourceType": "ServiceRequest", "id": "x", "code": {"coding": {"code": []}, "text": {}}},
}


@pytest.mark.parametrize("draft", STRANGE.values(), ids=STRANGE.keys())
def test_a_draft_of_any_shape_breaks_nothing(draft: Resource):
    assert drafts_of(draft, resource("Medication", id="m")) == ()
    assert context_facts(decoded(request({}, [draft])), terminology()) == ()


def _inside(**more: object) -> Resource:
    return {"reasonReference": [{"reference": "#why"}], "contained": [{**INSIDE, **more}]}


SEEN = {"resourceType": "Observation", "status": "final", "code": {"text": "Saddle anesthesia"}}
STANDS = {
    "an active problem": (_inside(), [("urinary-retention", True, True, False)]),
    "a resolved one": (
        _inside(clinicalStatus={"coding": [{"code": "resolved"}]}),
        [("urinary-retention", True, False, False)],
    ),
    "a suspected one": (
        _inside(verificationStatus={"coding": [{"code": "provisional"}]}),
        [("urinary-retention", True, True, True)],
    ),
    "a result yes": (_inside(**SEEN, valueBoolean=True), [("saddle-anaesthesia", True, True, False)]),
    "a result no": (_inside(**SEEN, valueString="no"), [("saddle-anaesthesia", False, True, False)]),
    "no result": (_inside(**SEEN), [("saddle-anaesthesia", True, True, False)]),
    "a result that is not understood": (_inside(**SEEN, valueString="perhaps on the left"), []),
    "a result that is none": (_inside(**SEEN, valueBoolean="x"), []),
}


@pytest.mark.parametrize(("more", "said"), STANDS.values(), ids=STANDS.keys())
def test_a_reason_inside_the_order_counts_as_its_status_and_its_result_say(
    more: Resource, said: list[tuple[str, bool, bool, bool]]
):
    found = the_order(order(**more), prefetch=CHART)
    assert [(fact.concept, fact.present, fact.current, fact.suspected) for fact in found.reasons] == said
    assert bool(found.unread_reasons) is not bool(said)
    assert found.unread_reason_has_red_flag_stem is not bool(said)
