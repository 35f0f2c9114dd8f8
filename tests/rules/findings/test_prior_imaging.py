"""Earlier imaging: the same or a more detailed study, final, of this episode, and nothing new after it."""

import pytest

from rules.draft_order import DraftOrder, Recognition
from rules.facts import FactKind
from rules.finding import Answer
from rules.findings.imaging_detail import ANSWERED_BY
from rules.procedures import MRI, Procedure
from tests.rules.findings.builders import (
    absent,
    answers,
    done,
    fact,
    month,
    order,
    pain,
    past,
    reason,
    recorded,
    references,
    report,
    seen,
    strength,
    temperature,
)

PAIN = fact("low-back-pain", 100)
SCAN = report("mri-lumbar-without-contrast", 40, ref="DiagnosticReport/1")


def prior(*facts, **more):
    return answers(PAIN, *facts, **more).prior_imaging


def test_a_final_report_of_this_episode_with_nothing_after_it():
    found = prior(SCAN)
    assert (found.answer, references(found.because), found.notes) == (
        Answer.YES, ["DiagnosticReport/1"], ("no-month-limit",),
    )  # fmt: skip
    assert found.since == SCAN.began


@pytest.mark.parametrize(
    ("study", "yes"),
    [
        (report("mri-lumbar-without-contrast", 100), True),
        (report("mri-lumbar-without-contrast", 101), False),  # before the episode
        (report("mri-lumbar-without-contrast", month(2026, 8)), False),  # perhaps of the episode is not enough
        (report("mri-lumbar-without-contrast", month(2026, 9)), True),
        (report("mri-lumbar-without-contrast"), False),
        (report("mri-lumbar-without-contrast", 40, state="preliminary"), False),
        (report("mri-lumbar-without-contrast", 40, present=False), False),
        (report("mri-lumbar-without-and-with-contrast", 40), True),  # more detailed
        (report("mri-lumbar-unspecified-contrast", 40), True),
        (report("mri-lumbar-with-contrast", 40), False),
        (report("ct-lumbar-without-contrast", 40), False),
        (report("xr-lumbar", 40), False),
        (report("mri-cervical-spine", 40), False),
        (fact("mri-lumbar-without-contrast", 40, FactKind.REQUEST, state="planned"), False),
    ],
)
def test_which_earlier_study_answers_for_mri_without_contrast(study, yes):
    assert (prior(study).answer is Answer.YES) is yes


@pytest.mark.parametrize("procedure", list(Procedure))
def test_every_procedure_is_answered_by_itself_and_radiography_by_every_section(procedure):
    assert ANSWERED_BY[procedure]
    if procedure in MRI:
        assert "xr-lumbar" not in ANSWERED_BY[procedure]
        assert ANSWERED_BY[procedure] <= ANSWERED_BY[Procedure.RADIOGRAPHY] | {"mri-lumbar-with-contrast"}


def test_another_study_is_named_with_a_mark():
    found = prior(report("xr-lumbar", 40))
    assert (found.answer, set(found.marks), len(found.considered)) == (Answer.NO, {"other-study"}, 1)


def test_where_contrast_is_not_stated_every_choice_must_be_answered():
    candidates = (Procedure.MRI_WITHOUT, Procedure.MRI_WITHOUT_AND_WITH)
    open_order = DraftOrder(
        "ServiceRequest/draft",
        Recognition.CONTRAST_NOT_STATED,
        candidates=candidates,
        reasons=(reason("low-back-pain"),),
    )
    assert prior(SCAN, order=open_order).answer is Answer.NO
    assert prior(report("mri-lumbar-without-and-with-contrast", 40), order=open_order).answer is Answer.YES
    unknown = DraftOrder("ServiceRequest/draft", Recognition.NOT_RECOGNISED)
    assert prior(SCAN, order=unknown).answer is Answer.NO


@pytest.mark.parametrize(
    ("facts", "changed"),
    [
        ([], False),
        ([fact("low-back-pain", 10)], True),  # pain with a stated onset after the report
        ([fact("low-back-pain", 39)], True),
        ([fact("low-back-pain", 40)], False),  # begun on the day of the report
        ([fact("low-back-pain", recorded(10))], False),  # the same pain, written down again
        ([fact("lumbar-spondylosis", 30)], False),  # what the report showed
        ([fact("sciatica", 10, side="left")], True),  # leg pain is new
        ([fact("sciatica", 60, side="left"), fact("sciatica", 10, side="left")], True),
        ([fact("sciatica", 60, side="left"), fact("sciatica", recorded(10), side="left")], False),
        ([fact("sciatica", 60, side="left"), fact("sciatica", 10, side="right")], True),  # another side
        # A side that is not stated is not another one.
        ([fact("sciatica", 60, side="left"), fact("sciatica", recorded(10))], False),
        ([fact("sciatica", 60), fact("sciatica", 10, side="left")], True),
        ([fact("sciatica", 60, side="bilateral"), fact("sciatica", recorded(10), side="left")], False),
        (
            [
                fact("sciatica", 60, side="left"),
                fact("sciatica", 60, side="right"),
                fact("bilateral-sciatica", recorded(30)),
            ],
            False,
        ),
        ([fact("sciatica", None, side="left")], True),  # undated counts as newer
        ([fact("low-back-pain")], False),
        ([fact("neurogenic-claudication", 10)], True),
        ([seen("straight-leg-raise", 10, side="left")], True),
        ([seen("straight-leg-raise", 60, side="left"), seen("straight-leg-raise", 10, side="left")], False),
        ([strength(4, 10)], True),
        ([strength(4, 60), strength(4, 10)], True),  # an examination after the report that shows weakness
        ([strength(4, 60)], False),
        ([strength(5, 10)], False),
        ([temperature(38.5, 3)], True),
        ([temperature(36.8, 3)], False),
        ([fact("malignancy-history", 3000)], False),  # known before
        ([fact("malignancy-history")], True),
        ([fact("urinary-retention", 3)], True),
        ([fact("urinary-retention")], True),  # a possible one, too
        ([fact("fall", 10)], True),
        ([done("lumbar-decompression", 20)], True),
        ([done("lumbar-decompression", 60)], False),
        ([fact("lumbar-decompression", 20, FactKind.PROCEDURE, state="not-done")], False),
        ([report("ct-myelography-lumbar", 20)], False),  # another study is no operation
        ([fact("lumbar-fusion", 5, FactKind.REQUEST, state="planned")], True),
        ([fact("lumbar-fusion", None, FactKind.DRAFT, state="draft")], True),
        ([fact("lumbar-fusion", 60, FactKind.REQUEST, state="planned")], False),  # planned before the report
        ([seen("course-worsening", 3, course="worsening")], True),
        ([seen("course-worsening", 60, course="worsening")], False),
        ([seen("course-improving", 3, course="improving")], False),
        ([pain(4, 20), pain(7, 1)], True),
        ([pain(7, 20), pain(4, 1)], False),
        ([seen("changed-since-imaging-yes", 0)], True),
        ([seen("changed-since-imaging-yes", 10)], False),
        ([past("sciatica", 10, side="left")], False),
        ([absent("urinary-retention", 3)], False),
        ([fact("hypertension", 3)], False),
    ],
)
def test_anything_new_after_the_report_changes_the_answer(facts, changed):
    found = prior(SCAN, *facts)
    assert (found.answer is Answer.NO) is changed
    assert ("changed-since" in found.marks) is changed
    assert references(found.because)[0] == "DiagnosticReport/1"
    assert (len(found.because) > 1) is changed


def test_an_older_patient_is_no_news():
    assert prior(SCAN, age=80).answer is Answer.YES


def test_on_the_day_of_the_report_is_not_after_it():
    assert prior(SCAN, fact("sciatica", 40, side="left")).answer is Answer.YES
    assert prior(SCAN, fact("sciatica", 39, side="left")).answer is Answer.NO
    assert prior(SCAN, fact("sciatica", month(2026, 10), side="left")).answer is Answer.NO  # may be after


@pytest.mark.parametrize(
    ("concept", "answer"), [("changed-since-imaging-yes", Answer.NO), ("changed-since-imaging-no", Answer.YES)]
)
def test_the_clinicians_answer_on_the_order(concept, answer):
    assert prior(SCAN, order=order([reason("low-back-pain"), reason(concept)])).answer is answer


def test_unchanged_as_stated_does_not_outweigh_what_is_documented():
    stated = order([reason("low-back-pain"), reason("changed-since-imaging-no")])
    found = prior(SCAN, fact("sciatica", 3, side="left"), order=stated)
    assert (found.answer, len(found.against)) == (Answer.NO, 1)
    assert "stated-unchanged" in prior(SCAN, order=stated).notes


def test_the_newest_of_several_reports_is_the_one_that_counts():
    newer = report("mri-lumbar-without-contrast", 10, ref="DiagnosticReport/2")
    found = prior(SCAN, newer, fact("sciatica", 20, side="left"))
    assert (found.answer, references(found.because)) == (Answer.YES, ["DiagnosticReport/2"])


def test_where_the_episode_is_unknown_no_report_is_surely_of_it():
    found = answers(SCAN).prior_imaging
    assert (found.answer, len(found.considered)) == (Answer.NO, 1)
    assert answers().prior_imaging.presumed is True
