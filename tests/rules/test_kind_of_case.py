"""The advice is worked out once for each kind of case: that loses nothing, and keeps nothing of a patient's."""

import msgspec
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.advice import recommend_on, work_out
from rules.dates import DateInterval
from rules.draft_order import DraftOrder
from rules.evidence import Evidence
from rules.facts import AgeRange, SourceGap
from rules.finding import Findings
from rules.guidelines import load_guidelines
from rules.kind_of_case import kind_of
from tests.rules.answers import TODAY, a_picture, adequate_care, an_order, answers, yes
from tests.rules.test_advice_properties import findings, orders

GUIDELINES = load_guidelines(TODAY)
CANARY = Evidence("Condition/canary", "canary of the chart", "2026-02-20", ("suspected",), "canary-version")
GAPS = st.sampled_from(((), (SourceGap("Condition", "failed", True),), (SourceGap("Device", "failed", False),)))
AGES = st.none() | st.builds(
    lambda youngest, more: AgeRange(youngest, youngest + more), st.integers(0, 90), st.integers(0, 1)
)
# What is filled in for each patient after the advice for the kind is known.
PUT_IN_LATER = {"recheck", "unread", "duplicates"}


@given(findings(), orders(), AGES, GAPS, st.booleans())
def test_the_advice_for_the_kind_is_the_advice_for_the_case_itself(
    given_findings: Findings, order: DraftOrder, age: AgeRange | None, gaps: tuple[SourceGap, ...], stem: bool
):
    picture = a_picture(age, gaps, unread_red_flag_stem=stem)
    by_kind = recommend_on(order, given_findings, picture, GUIDELINES)
    by_itself = work_out(order, given_findings, picture, GUIDELINES)
    for name in by_kind.__struct_fields__:
        if name not in PUT_IN_LATER:
            assert getattr(by_kind, name) == getattr(by_itself, name), name


@given(findings(), orders())
def test_a_kind_of_case_holds_no_evidence(given_findings: Findings, order: DraftOrder):
    marked = replace(
        given_findings,
        **{
            name: replace(finding, because=(CANARY,), against=(CANARY,), considered=(CANARY,))
            for name in given_findings.__struct_fields__
            if hasattr(finding := getattr(given_findings, name), "because") and hasattr(finding, "considered")
        },
    )
    named = replace(order, reference="ServiceRequest/canary", name="canary", unread_reasons=("canary text",))
    kind = kind_of(named, marked, a_picture(encounter="Encounter/canary"), GUIDELINES)
    assert b"canary" not in msgspec.json.encode(msgspec.to_builtins(kind))


def test_two_patients_of_one_kind_keep_their_own_evidence_and_dates():
    one, other = (
        replace(answers(cancer=replace(yes("cancer", "known", "history"), because=(each,))), checked_none_on=TODAY)
        for each in (CANARY, replace(CANARY, reference="Condition/other"))
    )
    first, second = (recommend_on(an_order(), each, a_picture(), GUIDELINES) for each in (one, other))
    assert first.findings.cancer.because[0].reference == "Condition/canary"
    assert second.findings.cancer.because[0].reference == "Condition/other"
    assert first.leading == second.leading


def test_the_day_of_the_recheck_is_counted_from_the_patients_own_day():
    care = replace(adequate_care(), level="possible", since=DateInterval(TODAY, TODAY))
    later = a_picture(as_of=TODAY.replace(day=20))
    on = [
        recommend_on(an_order(), answers(conservative_care=care), picture, GUIDELINES).recheck
        for picture in (a_picture(), later)
    ]
    assert on[0] is not None
    assert on[1] is not None
    assert (on[1].on - on[0].on).days == 18


def test_patients_who_differ_in_nothing_that_matters_are_of_one_kind():
    kinds = {
        kind_of(
            an_order(name=name),
            answers(days, indication=replace(yes("indication"), because=(CANARY,))),
            a_picture(age),
            GUIDELINES,
        )
        for name, days, age in (("one", 3, 30), ("other", 20, 55))
    }
    assert len(kinds) == 1
