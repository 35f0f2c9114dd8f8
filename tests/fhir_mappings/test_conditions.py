"""Problems, encounter diagnoses and health concerns: what counts, as what, and since when."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from rules.dates import DateInterval
from tests.fhir_mappings.records import (
    CLINICAL,
    VERIFICATION,
    Resource,
    coded,
    condition,
    facts_of,
    local,
    only,
    picture_of,
)

ICD10CM = "http://hl7.org/fhir/sid/icd-10-cm"


def clinical(code: str) -> Resource:
    return {"coding": [{"system": CLINICAL, "code": code}]}


def verification(code: str) -> Resource:
    return {"coding": [{"system": VERIFICATION, "code": code}]}


def icd(code: str, text: str = "") -> Resource:
    return {"coding": [{"system": ICD10CM, "code": code}], **({"text": text} if text else {})}


def test_an_active_confirmed_problem_is_present_and_current():
    fact = only(
        facts_of(condition("urinary-retention", onsetDateTime="2026-11-20", encounter={"reference": "Encounter/7"}))
    )
    assert (fact.concept, fact.present, fact.current, fact.suspected) == ("urinary-retention", True, True, False)
    assert fact.evidence.reference == "Condition/c1"
    assert fact.evidence.dated == "2026-11-20"
    assert (fact.encounter, fact.kind.value) == ("Encounter/7", "condition")


# status: present, current, suspected
STATUSES: dict[str, tuple[dict[str, Any], tuple[bool, bool, bool]]] = {
    "active": ({}, (True, True, False)),
    "recurrence": ({"clinicalStatus": clinical("recurrence")}, (True, True, False)),
    "relapse": ({"clinicalStatus": clinical("relapse")}, (True, True, False)),
    "remission is history": ({"clinicalStatus": clinical("remission")}, (True, False, False)),
    "resolved is history": ({"clinicalStatus": clinical("resolved")}, (True, False, False)),
    "inactive is history": ({"clinicalStatus": clinical("inactive")}, (True, False, False)),
    "a status as text only": ({"clinicalStatus": {"text": "Resolved"}}, (True, False, False)),
    "a status as display only": ({"clinicalStatus": {"coding": [{"display": "Inactive"}]}}, (True, False, False)),
    "no clinical status": ({"clinicalStatus": None}, (True, True, False)),
    "a clinical status that nobody knows": ({"clinicalStatus": clinical("unknown")}, (True, True, False)),
    "no clinical status, but an end": (
        {"clinicalStatus": None, "abatementDateTime": "2026-10-01"},
        (True, False, False),
    ),
    "active, with an end in the past": ({"abatementDateTime": "2026-10-01"}, (True, False, False)),
    "active, with an end in the future": ({"abatementDateTime": "2027-10-01"}, (True, True, False)),
    "an end that is no date": ({"abatementString": "last summer"}, (True, False, False)),
    "no verification status": ({"verificationStatus": None}, (True, True, False)),
    "provisional is suspected": ({"verificationStatus": verification("provisional")}, (True, True, True)),
    "differential is suspected": ({"verificationStatus": verification("differential")}, (True, True, True)),
    "unconfirmed is suspected": ({"verificationStatus": verification("unconfirmed")}, (True, True, True)),
    "suspected, as text only": ({"verificationStatus": {"text": "Suspected"}}, (True, True, True)),
    "refuted is evidence of absence": ({"verificationStatus": verification("refuted")}, (False, True, False)),
    "a category changes nothing": ({"category": [{"text": "health-concern"}]}, (True, True, False)),
}


@pytest.mark.parametrize(("more", "expected"), STATUSES.values(), ids=STATUSES.keys())
def test_a_status_says_how_a_problem_counts(more: dict[str, Any], expected: tuple[bool, bool, bool]):
    fact = only(facts_of(condition("urinary-retention", **more)))
    assert (fact.present, fact.current, fact.suspected) == expected


NEVER = {
    "entered in error": condition("urinary-retention", verificationStatus=verification("entered-in-error")),
    "entered in error, as text": condition("urinary-retention", verificationStatus={"text": "Entered in Error"}),
    "family history in words": condition({"text": "family history of bowel cancer"}),
    "family history in words, coded as the disease": condition(coded("malignant-neoplasm", "Family history of cancer")),
    "another patient's": condition("urinary-retention", subject={"reference": "Patient/p2"}),
    "a modifier that may turn it around": condition(
        "urinary-retention", modifierExtension=[{"url": "urn:x", "valueBoolean": True}]
    ),
    "a sequela code of a fall": condition(icd("W19.XXXS")),
}


@pytest.mark.parametrize("record", NEVER.values(), ids=NEVER.keys())
def test_what_is_not_so_of_this_patient_is_never_read(record: Resource):
    assert facts_of(record) == ()


def day(first: str | None, last: str | None = None) -> DateInterval:
    end = last or first
    return DateInterval(date.fromisoformat(first) if first else None, date.fromisoformat(end) if end else None)


ONSETS: dict[str, tuple[dict[str, Any], DateInterval | None]] = {
    "a day": ({"onsetDateTime": "2026-10-01"}, day("2026-10-01")),
    "a month": ({"onsetDateTime": "2026-10"}, day("2026-10-01", "2026-10-31")),
    "a year": ({"onsetDateTime": "2025"}, day("2025-01-01", "2025-12-31")),
    "a period": ({"onsetPeriod": {"start": "2026-10-01", "end": "2026-10-05"}}, day("2026-10-01", "2026-10-05")),
    "a period with a start only": ({"onsetPeriod": {"start": "2026-10-01"}}, day("2026-10-01")),
    "an age": ({"onsetAge": {"value": 40, "unit": "years", "code": "a"}}, day("2015-03-01", "2016-02-29")),
    "a range of ages": (
        {"onsetRange": {"low": {"value": 40, "code": "a"}, "high": {"value": 42, "code": "a"}}},
        day("2015-03-01", "2018-02-28"),
    ),
    "a text that is a date": ({"onsetString": "2026-10-01"}, day("2026-10-01")),
    "a text that is none, then the recorded date": (
        {"onsetString": "after gardening", "recordedDate": "2026-10-07"},
        day(None, "2026-10-07"),
    ),
    "a recorded date only": ({"recordedDate": "2026-10-07"}, day(None, "2026-10-07")),
    "an impossible date, then the recorded date": (
        {"onsetDateTime": "2026-02-30", "recordedDate": "2026-10-07"},
        day(None, "2026-10-07"),
    ),
    "an impossible date and nothing else": ({"onsetDateTime": "2026-02-30"}, None),
    "a date in the future is a mistake": ({"onsetDateTime": "2027-01-01"}, None),
    "nothing": ({}, None),
    "words of the entry, back from the day it was recorded": (
        {"code": {"text": "low back pain for 3 weeks"}, "recordedDate": "2026-10-29"},
        day("2026-10-02", "2026-10-08"),
    ),
    "words of the entry that name a year": (
        {"code": {"text": "low back pain since 2015"}},
        day("2015-01-01", "2015-12-31"),
    ),
    "an onset outweighs the words": (
        {"code": {"text": "low back pain for 3 weeks"}, "onsetDateTime": "2026-01-01", "recordedDate": "2026-10-29"},
        day("2026-01-01"),
    ),
}


@pytest.mark.parametrize(("more", "expected"), ONSETS.values(), ids=ONSETS.keys())
def test_the_onset_is_an_interval_of_days(more: dict[str, Any], expected: DateInterval | None):
    assert only(facts_of({**condition("low-back-pain"), **more})).began == expected


def test_the_end_is_kept_where_it_has_a_date():
    fact = only(facts_of(condition("low-back-pain", abatementPeriod={"start": "2026-08-01", "end": "2026-08-09"})))
    assert fact.ended == day("2026-08-09")


SIDES: dict[str, tuple[Resource, dict[str, Any], str]] = {
    "in a coded body site": (coded("sciatica"), {"bodySite": [coded("laterality-left")]}, "left"),
    "in a body site in words": (coded("sciatica"), {"bodySite": [{"text": "Right leg"}]}, "right"),
    "in two body sites": (
        coded("sciatica"),
        {"bodySite": [coded("laterality-left"), coded("laterality-right")]},
        "bilateral",
    ),
    "in the code": (icd("M54.32"), {}, "left"),
    "in the text beside the code": (coded("sciatica", "Sciatica, right side"), {}, "right"),
    "in text alone": ({"text": "left sided sciatica"}, {}, "left"),
    "nowhere": (coded("sciatica"), {}, ""),
}


@pytest.mark.parametrize(("code", "more", "side"), SIDES.values(), ids=SIDES.keys())
def test_the_side_is_read_from_code_body_site_or_words(code: Resource, more: dict[str, Any], side: str):
    assert only(facts_of(condition(code, **more))).side == side


def test_kidney_disease_with_its_stage_beside_it_is_that_stage():
    staged = condition("chronic-kidney-disease", stage=[{"summary": {"text": "Stage 4"}}])
    assert "ckd-4-5-esrd" in {fact.concept for fact in facts_of(staged)}
    mild = condition("chronic-kidney-disease", stage=[{"summary": {"text": "Stage 2"}}])
    assert "ckd-4-5-esrd" not in {fact.concept for fact in facts_of(mild)}


FRACTURES = {
    "S32.010A": {"traumatic-vertebral-fracture"},
    "S32.010D": {"vertebral-fracture-aftercare"},
    "S32.010S": {"vertebral-fracture-aftercare"},
    "M80.08XA": {"vertebral-fracture", "fragility-fracture", "osteoporosis"},
}


@pytest.mark.parametrize(("code", "concepts"), FRACTURES.items(), ids=FRACTURES.keys())
def test_an_injury_code_says_what_stage_of_care_it_speaks_of(code: str, concepts: set[str]):
    found = facts_of(condition(icd(code), onsetDateTime="2026-11-20"))
    assert {fact.concept for fact in found} >= {each for each in concepts if "vertebral" in each}
    assert not {"traumatic-vertebral-fracture"} & ({fact.concept for fact in found} - concepts)


def test_a_code_for_later_care_of_an_injury_does_not_say_when_it_happened():
    fact = only(facts_of(condition(icd("W19.XXXD"), onsetDateTime="2026-11-20")))
    assert (fact.concept, fact.began) == ("fall", day(None, "2026-11-20"))


def test_every_concept_of_a_code_is_a_fact():
    assert {fact.concept for fact in facts_of(condition(icd("C79.51")))} == {"bone-metastasis", "malignant-neoplasm"}


def test_family_history_is_not_quoted_as_unread_whatever_the_disease():
    picture = picture_of(condition({"text": "Family history of cancer of zzz"}), encounterId="e1")
    assert (picture.facts, picture.unread_current_problems, picture.unread_texts) == ((), (), 0)
    both = picture_of(condition({"text": "Family history of zzz; numb zzz"}))
    assert [problem.says for problem in both.unread_current_problems] == ["Family history of zzz; numb zzz"]


# --- words beside a code ----------


def test_words_beside_a_code_add_suspicion_history_and_course():
    suspected = only(facts_of(condition(coded("cauda-equina-syndrome", "Suspected cauda equina syndrome"))))
    assert (suspected.present, suspected.suspected) == (True, True)
    history = only(facts_of(condition(coded("sciatica", "History of sciatica"))))
    assert not history.current
    worse = only(facts_of(condition(coded("low-back-pain", "Worsening low back pain"))))
    assert worse.course == "worsening"


def test_a_text_that_denies_its_own_code_is_unread_and_quoted():
    picture = picture_of(condition(coded("cauda-equina-syndrome", "No cauda equina syndrome")))
    assert picture.facts == ()
    assert [problem.says for problem in picture.unread_current_problems] == ["No cauda equina syndrome"]
    assert picture.unread_red_flag_stem


def test_the_display_of_an_unknown_code_may_name_a_problem_and_never_denies_one():
    def display(text: str) -> Resource:
        return condition({"coding": [{"system": "urn:oid:1.2.3", "code": "9", "display": text}]})

    assert only(facts_of(display("Saddle numbness"))).concept == "saddle-anaesthesia"
    assert facts_of(display("No saddle numbness")) == ()
    assert only(facts_of(condition({"text": "No saddle numbness"}))).present is False


# --- problems that cannot be read ----------

UNREAD: dict[str, tuple[Resource, bool, bool]] = {  # record, quoted, red-flag stem
    "words about the back": (condition({"text": "LBP acute on chronic ++ see letter"}), True, False),
    "words with a red-flag stem": (condition({"text": "zz carcinomatosis ?? see letter"}), True, True),
    "a local code with such words": (condition(local("Lumbar zzz syndrome")), True, False),
    "no code and no text": (condition({}), False, False),
    "a code without words": (condition({"coding": [{"system": "urn:oid:1.2.3", "code": "77"}]}), True, False),
    "words about something else": (condition({"text": "Zzz of the eyelid"}), False, False),
    "words about something else, of this encounter": (
        condition({"text": "Zzz of the eyelid"}, encounter={"reference": "Encounter/e1"}),
        True,
        False,
    ),
    "years old": (condition({"text": "Lumbar zzz syndrome"}, onsetDateTime="2019-01-01"), False, False),
    "resolved": (condition({"text": "Lumbar zzz syndrome"}, clinicalStatus=clinical("resolved")), False, False),
    "refuted": (condition({"text": "Lumbar zzz syndrome"}, verificationStatus=verification("refuted")), False, False),
}


@pytest.mark.parametrize(("record", "quoted", "stem"), UNREAD.values(), ids=UNREAD.keys())
def test_an_unread_problem_of_this_episode_is_quoted(record: Resource, quoted: bool, stem: bool):
    picture = picture_of(record, encounterId="e1")
    assert picture.facts == ()
    assert bool(picture.unread_current_problems) is quoted
    assert picture.unread_red_flag_stem is stem


def test_an_unknown_code_is_counted_for_coverage_and_an_unknown_text_as_text():
    picture = picture_of(condition(local("Zzz")), condition({"text": "Yyy"}, id="c2"))
    assert picture.unmapped_codes == {("urn:oid:1.2.3.4.5", "X-77")}
    assert picture.unread_texts == 1


# --- other versions of FHIR ----------

OLDER = {
    "a bare code as clinical status (DSTU2, STU3)": {"clinicalStatus": "active"},
    "a bare code as verification status": {"verificationStatus": "confirmed"},
    "a date of assertion (STU3)": {"assertedDate": "2026-11-01"},
    "a date of recording (DSTU2)": {"dateRecorded": "2026-11-01"},
    "the patient under another name (DSTU2)": {"subject": None, "patient": {"reference": "Patient/p1"}},
}


@pytest.mark.parametrize("more", OLDER.values(), ids=OLDER.keys())
def test_an_older_fhir_version_is_a_gap_and_never_nothing(more: dict[str, Any]):
    for code in ("urinary-retention", "lumbar-spine-disorder"):
        picture = picture_of(condition(code, **more))
        assert picture.facts == ()
        (gap,) = picture.gaps
        assert (gap.source, gap.why, gap.hides_red_flags) == ("Condition", "unsupported version", True)
