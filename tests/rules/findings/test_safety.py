"""Safety: what is on record, never a clearance; a hazard that is over is none."""

import pytest

from rules.facts import FactKind
from rules.finding import Answer
from tests.rules.findings.builders import (
    absent,
    ago,
    answers,
    done,
    fact,
    month,
    order,
    past,
    reason,
    references,
    seen,
    taken,
)

YES, NO, UNKNOWN = Answer.YES, Answer.NO, Answer.UNKNOWN


def safety(*facts, **more):
    return answers(*facts, **more).safety


# --- pregnancy -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "answer", "level"),
    [
        ([], UNKNOWN, ""),
        ([fact("pregnancy", 280)], YES, ""),
        ([fact("pregnancy", 281)], UNKNOWN, ""),
        ([fact("pregnancy")], YES, ""),
        ([past("pregnancy", 100)], UNKNOWN, ""),
        ([seen("pregnancy-test", 100)], YES, ""),
        ([seen("pregnancy-test", 281)], UNKNOWN, ""),
        ([absent("pregnancy-test", 7)], NO, ""),
        ([absent("pregnancy-test", 8)], UNKNOWN, ""),
        ([absent("pregnancy-test", 100, encounter="Encounter/1")], UNKNOWN, ""),
        ([absent("pregnancy", 3)], NO, ""),
        ([absent("pregnancy", month(2026, 11))], UNKNOWN, ""),
        ([seen("pregnancy-test", 30), absent("pregnancy-test", 2)], NO, ""),  # the newer test decides
        ([seen("pregnancy-test", 2), absent("pregnancy-test", 5)], YES, ""),
        ([fact("pregnancy", 60), absent("pregnancy-test", 2)], YES, ""),  # a coded pregnancy stands, both are shown
        ([fact("pregnancy", 200), fact("pregnancy-ended", 10)], UNKNOWN, ""),
        ([fact("pregnancy-ended", 400), fact("pregnancy", 60)], YES, ""),
        ([fact("pregnancy-possible", 3)], UNKNOWN, "possible"),
        ([fact("pregnancy-possible", 281)], UNKNOWN, ""),
        ([past("pregnancy-possible", 3)], UNKNOWN, ""),
        ([fact("pregnancy-possible", 3), absent("pregnancy-test", 1)], NO, ""),
        ([fact("pregnancy-possible", 3), absent("pregnancy-test", 5)], UNKNOWN, "possible"),
        ([fact("pregnancy-possible", 3), fact("pregnancy", 3)], YES, ""),
    ],
)
def test_pregnancy(facts, answer, level):
    found = safety(*facts, age=30).pregnancy
    assert (found.answer, found.level) == (answer, level)
    assert found.presumed is False


def test_a_newer_negative_test_is_shown_beside_a_coded_pregnancy():
    found = safety(fact("pregnancy", 60), absent("pregnancy-test", 2, ref="Observation/neg")).pregnancy
    assert (references(found.against), found.notes) == (["Observation/neg"], ("newer-negative-test",))


def test_a_negative_test_of_this_encounter_holds():
    test = absent("pregnancy-test", 20, encounter="Encounter/7")
    assert safety(test, encounter="Encounter/7").pregnancy.answer is NO
    assert safety(test, encounter="Encounter/8").pregnancy.answer is UNKNOWN


def test_the_orders_own_reason_is_of_today():
    found = safety(order=order([reason("pregnancy")])).pregnancy
    assert (found.answer, found.because[0].marks) == (YES, ())
    assert "date uncertain" in safety(fact("pregnancy")).pregnancy.because[0].marks


@pytest.mark.parametrize(
    ("age", "sex", "facts", "ask"),
    [
        (30, "female", [], True),
        (12, "female", [], True),
        (11, "female", [], False),
        (55, "female", [], True),
        (56, "female", [], False),
        ((55, 56), "female", [], True),
        (30, "male", [], False),
        (30, "unknown", [], True),
        (None, "female", [], True),
        (30, "female", [absent("pregnancy-test", 3)], False),
        (30, "female", [fact("pregnancy", 3)], True),
    ],
)
def test_age_and_sex_alone_are_a_reason_to_ask_only(age, sex, facts, ask):
    found = safety(*facts, age=age, sex=sex)
    assert found.could_be_pregnant is ask
    if not facts:
        assert found.pregnancy.answer is UNKNOWN


def test_pregnancy_numbers_are_parameters():
    assert safety(fact("pregnancy", 280), changed={"pregnancy_test_lookback_days": 279}).pregnancy.answer is UNKNOWN
    assert safety(absent("pregnancy-test", 7), changed={"pregnancy_negative_days": 6}).pregnancy.answer is UNKNOWN
    assert not safety(age=12, changed={"pregnancy_age_min_years": 13}).could_be_pregnant
    assert not safety(age=55, changed={"pregnancy_age_max_years": 54}).could_be_pregnant


# --- devices and metal -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("concept", "mark"),
    [
        ("pacemaker", "mr_cardiac_device_unlabelled"),
        ("implantable-defibrillator", "mr_cardiac_device_unlabelled"),
        ("cochlear-implant", "mr_cochlear_implant"),
        ("neurostimulator", "mr_neurostimulator"),
        ("programmable-shunt-or-pump", "mr_infusion_pump"),
        ("intracranial-aneurysm-clip", "mr_aneurysm_clip"),
        ("orbital-foreign-body", "mr_orbital_metal"),
        ("retained-metal-fragment", "mr_other_active_or_magnet"),
    ],
)
def test_a_device_on_record_is_named_and_a_removed_or_refuted_one_is_none(concept, mark):
    found = safety(fact(concept, 900, FactKind.DEVICE)).mr_device
    assert (found.answer, set(found.marks)) == (YES, {mark})
    assert safety(fact(concept)).mr_device.answer is YES
    assert safety(done(concept, 900)).mr_device.answer is YES
    removed = safety(fact(concept, 900, FactKind.DEVICE, current=False)).mr_device
    assert (removed.answer, len(removed.considered)) == (UNKNOWN, 1)
    assert safety(fact(concept, 900, present=False)).mr_device.answer is NO
    assert safety(fact(concept, 3, FactKind.PROCEDURE, state="planned")).mr_device.answer is UNKNOWN


def test_silence_about_devices_is_never_a_clearance():
    found = safety().mr_device
    assert (found.answer, found.presumed) == (UNKNOWN, False)


@pytest.mark.parametrize(
    ("concept", "marks"),
    [
        ("spinal-implant", {"spinal"}),
        ("lumbar-fusion", {"spinal"}),
        ("joint-replacement", set()),
        ("surgical-clip-device", set()),
        ("embolization-coil", set()),
        ("other-implant", set()),
        ("cardiac-valve-prosthesis", set()),
    ],
)
def test_passive_metal_is_artefact_and_no_hazard(concept, marks):
    found = safety(fact(concept, 900))
    assert (found.passive_metal.answer, set(found.passive_metal.marks)) == (YES, marks)
    assert found.mr_device.answer is UNKNOWN


# --- kidneys ---------------------------------------------------------------------------------------------------------


def egfr(value, began=10, **more):
    return seen("egfr", began, value=value, **more)


@pytest.mark.parametrize(
    ("facts", "answer", "marks"),
    [
        ([], UNKNOWN, set()),
        ([egfr(29.9)], YES, {"egfr-below-30"}),
        ([egfr(30.0)], NO, set()),
        ([egfr(90.0, 90)], NO, set()),
        ([egfr(90.0, 91)], UNKNOWN, {"egfr-old"}),
        ([egfr(20.0, 91)], YES, {"egfr-below-30", "egfr-old"}),
        ([egfr(20.0, None)], YES, {"egfr-below-30", "egfr-old"}),
        ([egfr(20.0, month(2026, 8))], YES, {"egfr-below-30", "egfr-old"}),  # perhaps older than 90 days
        ([egfr(15.0, comparator="<")], YES, {"egfr-below-30"}),
        ([egfr(30.0, comparator="<")], YES, {"egfr-below-30"}),
        ([egfr(60.0, comparator="<")], UNKNOWN, set()),  # leaves it open
        ([egfr(60.0, comparator=">")], NO, set()),
        ([egfr(15.0, comparator=">")], UNKNOWN, set()),
        ([egfr(20.0, 100), egfr(50.0, 10)], NO, set()),  # the newer overrules
        ([egfr(50.0, 100), egfr(20.0, 10)], YES, {"egfr-below-30"}),
        ([egfr(50.0, 10), egfr(20.0, 10)], YES, {"egfr-below-30"}),  # on one day the lowest
        ([egfr(50.0, 10), egfr(20.0, None)], NO, set()),
        ([fact("acute-kidney-injury", 90)], YES, {"acute-kidney-injury"}),
        ([fact("acute-kidney-injury", 91)], UNKNOWN, set()),
        ([fact("acute-kidney-injury")], YES, {"acute-kidney-injury"}),
        ([past("acute-kidney-injury", 20)], UNKNOWN, set()),  # resolved is none
        ([fact("dialysis", 900)], YES, {"dialysis"}),
        ([past("dialysis", 900)], UNKNOWN, set()),
        ([done("dialysis", 90)], YES, {"dialysis"}),
        ([done("dialysis", 91)], UNKNOWN, set()),
        ([fact("ckd-4-5-esrd", 900)], YES, {"ckd-4-5"}),
        ([fact("ckd-4-5-esrd", 900), egfr(45.0)], YES, {"ckd-4-5"}),
        ([fact("ckd-4-5-esrd", 900, present=False)], UNKNOWN, set()),
        ([fact("ckd-3", 900)], UNKNOWN, set()),
    ],
)
def test_kidney_function(facts, answer, marks):
    found = safety(*facts)
    assert (found.kidney.answer, set(found.kidney.marks)) == (answer, marks)
    assert safety(*reversed(facts), *facts) == found


def test_the_latest_egfr_is_kept_with_its_date_and_comparator():
    found = safety(egfr(15.0, 100, comparator="<")).egfr
    assert (found.value, found.comparator, found.measured, found.old) == (15.0, "<", ago(100).latest, True)
    assert safety().egfr is None
    assert safety(egfr(50.0, present=False)).egfr is None
    assert safety(egfr(50.0, None)).egfr.measured is None


def test_kidney_numbers_are_parameters():
    assert safety(egfr(29.0), changed={"egfr_low": 25.0}).kidney.answer is NO
    assert safety(egfr(90.0, 90), changed={"egfr_old_days": 89}).egfr.old is True
    changed = {"kidney_injury_lookback_days": 89}
    assert safety(fact("acute-kidney-injury", 90), changed=changed).kidney.answer is UNKNOWN


# --- contrast, claustrophobia, metformin -----------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("facts", "answer", "marks"),
    [
        ([], UNKNOWN, set()),
        ([fact("gbca-allergy", 900, FactKind.ALLERGY)], YES, {"gadolinium"}),
        ([fact("gadolinium-contrast-substance", 900, FactKind.ALLERGY)], YES, {"gadolinium"}),
        ([fact("iodinated-contrast-substance", 900, FactKind.ALLERGY)], YES, {"iodinated"}),
        ([fact("iodinated-contrast-allergy", 900, FactKind.ALLERGY)], YES, {"iodinated"}),
        ([fact("contrast-allergy", 900)], YES, {"unspecified"}),
        ([fact("contrast-substance-unspecified", 900, FactKind.ALLERGY)], YES, {"unspecified"}),
        (
            [fact("contrast-allergy", 900), fact("gbca-allergy", 900, FactKind.ALLERGY)],
            YES,
            {"unspecified", "gadolinium"},
        ),
        ([taken("gadolinium-contrast-substance", 3)], UNKNOWN, set()),  # given is no reaction
        ([fact("contrast-allergy", 900, current=False)], UNKNOWN, set()),
        ([fact("contrast-allergy", 900, present=False)], NO, set()),
    ],
)
def test_contrast_reactions_by_agent(facts, answer, marks):
    found = safety(*facts).contrast_reaction
    assert (found.answer, set(found.marks)) == (answer, marks)


@pytest.mark.parametrize(
    ("name", "concept", "kind"),
    [("claustrophobia", "claustrophobia", FactKind.CONDITION), ("metformin", "metformin", FactKind.MEDICATION)],
)
def test_claustrophobia_and_metformin_while_current(name, concept, kind):
    assert getattr(safety(fact(concept, 900, kind)), name).answer is YES
    assert getattr(safety(fact(concept, 900, kind, current=False)), name).answer is UNKNOWN
    assert getattr(safety(fact(concept, 900, kind, present=False)), name).answer is NO
    assert getattr(safety(), name).answer is UNKNOWN
