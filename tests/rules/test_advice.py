"""One order, answered questions, and the advice: tables of answers and outcomes."""

from datetime import date, timedelta

import pytest
from msgspec.structs import replace

from rules.advice import recommend_on
from rules.dates import DateInterval, DayRange
from rules.draft_order import Recognition
from rules.facts import AgeRange, SourceGap
from rules.finding import Episode, Finding
from rules.guidelines import load_guidelines
from rules.procedures import Procedure
from rules.recommendation import Category, PamaRating, Recommendation, Situation, Urgency
from tests.rules.answers import (
    TODAY,
    a_picture,
    adequate_care,
    an_order,
    answers,
    no,
    safety,
    unknown,
    yes,
)

GUIDELINES = load_guidelines(TODAY)
P = Procedure
S = Situation
U = Urgency


def advise(findings=None, order=None, picture=None, guidelines=GUIDELINES, others=()) -> Recommendation:
    return recommend_on(order or an_order(), findings or answers(), picture or a_picture(), guidelines, others)


ROWS = [
    # answers, leading row, variant, urgency
    ({}, "acute", 1, U.ROUTINE),
    ({"days": 27}, "acute", 1, U.ROUTINE),
    ({"days": 28}, "subacute-or-chronic", 2, U.ROUTINE),
    ({"days": 29}, "subacute-or-chronic", 2, U.ROUTINE),
    ({"days": None}, "duration-unknown", 2, U.ROUTINE),
    ({"episode": Episode(DayRange(20, 40))}, "duration-unknown", 2, U.ROUTINE),
    ({"episode": Episode(DayRange(5, None))}, "duration-unknown", 2, U.ROUTINE),
    ({"radiculopathy": yes("radiculopathy", "", "coded")}, "acute", 1, U.ROUTINE),
    ({"weakness": yes("weakness", "mild", "new")}, "acute", 1, U.ROUTINE),
    ({"trend": yes("trend", "worse", "nrs")}, "acute", 1, U.ROUTINE),
    ({"cauda_equina": yes("cauda_equina", "suspected", "saddle")}, "cauda-equina", 4, U.EMERGENCY),
    ({"aortic": yes("aortic", "", "aneurysm")}, "aortic-emergency", None, U.EMERGENCY),
    ({"weakness": yes("weakness", "worsening")}, "progressive-deficit", 4, U.IMMEDIATE),
    ({"weakness": yes("weakness", "mild", "multilevel")}, "progressive-deficit", 4, U.IMMEDIATE),
    ({"weakness": yes("weakness", "severe")}, "severe-deficit", 4, U.IMMEDIATE),
    ({"major_trauma": yes("major_trauma", "", "mechanism")}, "major-trauma", None, U.EMERGENCY),
    ({"infection": yes("infection", "", "spinal-infection-coded")}, "infection", 7, U.IMMEDIATE),
    ({"infection": yes("infection", "", "spinal-infection-suspected")}, "infection", 7, U.IMMEDIATE),
    ({"infection": yes("infection", "", "fever")}, "infection", 7, U.DAYS),
    ({"infection": yes("infection", "", "fever", "iv-drug-use")}, "infection", 7, U.IMMEDIATE),
    ({"infection": yes("infection", "", "fever", "recent-infection")}, "infection", 7, U.IMMEDIATE),
    ({"infection": yes("infection", "", "fever", "dialysis")}, "infection", 7, U.IMMEDIATE),
    ({"infection": yes("infection", "", "fever", "diabetes")}, "infection", 7, U.DAYS),
    (
        {"infection": yes("infection", "", "fever"), "immunosuppression": yes("immunosuppression", "", "hiv")},
        "infection",
        7,
        U.IMMEDIATE,
    ),
    (
        {"infection": yes("infection", "", "raised-markers"), "weakness": yes("weakness", "mild")},
        "infection",
        7,
        U.IMMEDIATE,
    ),
    (
        {"infection": yes("infection", "", "iv-drug-use"), "radiculopathy": yes("radiculopathy", "", "deficit")},
        "infection",
        7,
        U.IMMEDIATE,
    ),
    ({"cancer": yes("cancer", "known", "history")}, "cancer", 7, U.DAYS),
    (
        {"cancer": yes("cancer", "known", "history"), "weakness": yes("weakness", "mild")},
        "cancer",
        7,
        U.WITHIN_24_HOURS,
    ),
    ({"immunosuppression": yes("immunosuppression", "", "transplant")}, "immunosuppression", 7, U.URGENT_REVIEW),
    ({"fracture_risk": yes("fracture_risk", "", "osteoporosis")}, "fracture-risk", 6, U.ROUTINE),
    ({"fracture_risk": yes("fracture_risk", "age-alone", "older-age")}, "fracture-risk", 6, U.ROUTINE),
    (
        {"fracture_risk": yes("fracture_risk", "", "older-age"), "major_trauma": yes("major_trauma", "", "mechanism")},
        "major-trauma",
        None,
        U.EMERGENCY,
    ),
    ({"prior_surgery": yes("prior_surgery")}, "prior-surgery", 5, U.ROUTINE),
    (
        {"conservative_care": adequate_care(), "candidate": yes("candidate", "planned")},
        "care-and-candidate",
        3,
        U.ROUTINE,
    ),
    (
        {
            "conservative_care": adequate_care(),
            "candidate": yes("candidate", "planned"),
            "trend": yes("trend", "improving"),
        },
        "acute",
        1,
        U.ROUTINE,
    ),
    ({"conservative_care": adequate_care()}, "acute", 1, U.ROUTINE),
    ({"candidate": yes("candidate", "planned")}, "acute", 1, U.ROUTINE),
    (
        {
            "conservative_care": yes("conservative_care", "possible", "during-care"),
            "candidate": yes("candidate", "potential"),
            "trend": yes("trend", "worse"),
        },
        "worse-during-care",
        3,
        U.ROUTINE,
    ),
]


@pytest.mark.parametrize(
    ("given", "row", "variant", "urgency"), ROWS, ids=[str(i) + "-" + r[1] for i, r in enumerate(ROWS)]
)
def test_the_first_row_that_fits_leads_and_the_most_urgent_rule_sets_the_pace(given, row, variant, urgency):
    advice = advise(answers(**given))
    assert (advice.leading.id, advice.leading.variant, advice.urgency) == (row, variant, urgency)


def test_every_match_is_listed_behind_the_leading_row():
    advice = advise(
        answers(
            weakness=yes("weakness", "worsening"),
            cancer=yes("cancer", "known", "history"),
            fracture_risk=yes("fracture_risk", "", "osteoporosis"),
        )
    )
    assert [row.id for row in advice.matched] == ["progressive-deficit", "cancer", "fracture-risk"]


def test_a_deficit_beside_major_trauma_does_not_slow_the_trauma_down():
    advice = advise(answers(weakness=yes("weakness", "worsening"), major_trauma=yes("major_trauma", "", "mechanism")))
    assert advice.urgency is U.EMERGENCY


BETTER = [
    # answers, ordered study, priority of the order -> offered study, priority
    ({"cauda_equina": yes("cauda_equina", "suspected")}, P.RADIOGRAPHY, "", P.MRI_WITHOUT, "stat"),
    ({"cauda_equina": yes("cauda_equina", "suspected")}, P.CT_WITHOUT, "routine", P.MRI_WITHOUT, "stat"),
    ({"cauda_equina": yes("cauda_equina", "suspected")}, P.MRI_WITHOUT, "routine", None, "stat"),
    ({"cauda_equina": yes("cauda_equina", "suspected")}, P.MRI_WITHOUT_AND_WITH, "asap", None, "stat"),
    ({"weakness": yes("weakness", "severe")}, P.MRI_WITH, "urgent", P.MRI_WITHOUT, "stat"),
    ({"major_trauma": yes("major_trauma")}, P.RADIOGRAPHY, "stat", P.CT_WITHOUT, ""),
    ({"major_trauma": yes("major_trauma")}, P.CT_WITHOUT, "routine", None, "stat"),
    ({"infection": yes("infection", "", "fever")}, P.RADIOGRAPHY, "", P.MRI_WITHOUT_AND_WITH, "urgent"),
    ({"infection": yes("infection", "", "fever")}, P.MRI_WITHOUT, "", None, "urgent"),
    ({"cancer": yes("cancer", "known", "history")}, P.CT_WITHOUT, "urgent", P.MRI_WITHOUT_AND_WITH, ""),
    ({"cancer": yes("cancer", "suspected", "weight-loss")}, P.FDG_PET_CT, "", P.MRI_WITHOUT, "urgent"),
    ({"immunosuppression": yes("immunosuppression", "", "hiv")}, P.RADIOGRAPHY, "", P.MRI_WITHOUT, "urgent"),
    ({"fracture_risk": yes("fracture_risk", "", "osteoporosis")}, P.BONE_SCAN, "", P.RADIOGRAPHY, ""),
    (
        {"fracture_risk": yes("fracture_risk", "", "osteoporosis"), "weakness": yes("weakness", "mild")},
        P.CT_WITH,
        "",
        P.MRI_WITHOUT,
        "",
    ),
    ({"prior_surgery": yes("prior_surgery")}, P.CT_WITH, "", P.MRI_WITHOUT_AND_WITH, ""),
    ({"prior_surgery": yes("prior_surgery", "", "hardware-question")}, P.CT_WITH, "", P.RADIOGRAPHY, ""),
    (
        {"conservative_care": adequate_care(), "candidate": yes("candidate", "planned")},
        P.CT_WITH,
        "",
        P.MRI_WITHOUT,
        "",
    ),
    (
        {"fracture_risk": yes("fracture_risk", "", "osteoporosis"), "safety": safety(pregnancy=yes("pregnancy"))},
        P.CT_WITHOUT,
        "",
        P.MRI_WITHOUT,
        "",
    ),
    (
        {"infection": yes("infection", "", "fever"), "safety": safety(pregnancy=yes("pregnancy"))},
        P.MRI_WITHOUT_AND_WITH,
        "urgent",
        P.MRI_WITHOUT,
        "",
    ),
    (
        {
            "infection": yes("infection", "", "fever"),
            "safety": safety(contrast_reaction=yes("contrast_reaction", "", "gadolinium")),
        },
        P.RADIOGRAPHY,
        "urgent",
        P.MRI_WITHOUT,
        "",
    ),
    (
        {
            "cauda_equina": yes("cauda_equina", "suspected"),
            "safety": safety(mr_device=yes("mr_device", "", "mri-not-possible")),
        },
        P.RADIOGRAPHY,
        "stat",
        P.CT_WITHOUT,
        "",
    ),
]


@pytest.mark.parametrize(("given", "ordered", "priority", "study", "raised"), BETTER)
def test_the_better_test_and_its_priority(given, ordered, priority, study, raised):
    better = advise(answers(**given), an_order(ordered, priority=priority)).better
    assert better is not None
    assert (better.procedure, better.priority) == (study, raised)


UNCHANGED = [
    ({}, P.MRI_WITHOUT),
    ({}, P.RADIOGRAPHY),
    ({"days": 90}, P.CT_WITHOUT),
    ({"fracture_risk": yes("fracture_risk", "", "osteoporosis")}, P.MRI_WITHOUT),
    ({"fracture_risk": yes("fracture_risk", "", "osteoporosis")}, P.CT_WITHOUT),
    ({"prior_surgery": yes("prior_surgery")}, P.RADIOGRAPHY),
    ({"conservative_care": adequate_care(), "candidate": yes("candidate", "planned")}, P.RADIOGRAPHY),
    (
        # ACR's alternative waits for no device: CT stays while the pacemaker is cleared.
        {
            "immunosuppression": no("immunosuppression"),
            "prior_surgery": yes("prior_surgery"),
            "safety": safety(mr_device=yes("mr_device", "", "mr_cardiac_device_unlabelled")),
        },
        P.CT_WITHOUT,
    ),
    ({"aortic": yes("aortic", "", "aneurysm")}, P.MRI_WITHOUT),
]


@pytest.mark.parametrize(("given", "ordered"), UNCHANGED)
def test_no_change_is_offered_where_none_is_due(given, ordered):
    assert advise(answers(**given), an_order(ordered)).better is None


SITUATIONS = [
    ({}, {}, S.NOT_APPROPRIATE, PamaRating.NOT_APPROPRIATE, True),
    (
        {"cauda_equina": unknown("cauda_equina", "possible")},
        {},
        S.POSSIBLE_CAUDA_EQUINA,
        PamaRating.NOT_APPROPRIATE,
        False,
    ),
    ({"indication": unknown("indication")}, {}, S.ANSWER_MISSING, None, False),
    ({"indication": no("indication", "other-reason")}, {}, S.NOT_RATED, PamaRating.NO_CRITERIA_APPLY, False),
    (
        {"indication": unknown("indication"), "cauda_equina": yes("cauda_equina", "suspected")},
        {},
        S.EMERGENCY,
        PamaRating.APPROPRIATE,
        False,
    ),
    ({"conservative_care": adequate_care()}, {}, S.ANSWER_MISSING, None, False),
    # The category of CT without and with contrast is the same with and without candidacy: it is rated all the same.
    (
        {"conservative_care": adequate_care()},
        {"procedure": P.CT_WITHOUT_AND_WITH},
        S.ANSWER_MISSING,
        PamaRating.NOT_APPROPRIATE,
        False,
    ),
    (
        {"conservative_care": adequate_care(), "candidate": no("candidate")},
        {},
        S.NOT_APPROPRIATE,
        PamaRating.NOT_APPROPRIATE,
        True,
    ),
    (
        {"conservative_care": adequate_care(), "candidate": yes("candidate", "planned")},
        {},
        S.APPROPRIATE,
        PamaRating.APPROPRIATE,
        False,
    ),
    ({"prior_imaging": yes("prior_imaging")}, {}, S.PRIOR_IMAGING, PamaRating.NOT_APPROPRIATE, True),
    (
        {
            "prior_imaging": yes("prior_imaging"),
            "conservative_care": adequate_care(),
            "candidate": yes("candidate", "potential"),
        },
        {},
        S.PRIOR_IMAGING,
        PamaRating.NOT_APPROPRIATE,
        True,
    ),
    (
        {"prior_imaging": yes("prior_imaging"), "fracture_risk": yes("fracture_risk", "", "osteoporosis")},
        {},
        S.APPROPRIATE,
        PamaRating.APPROPRIATE,
        False,
    ),
    (
        {
            "fracture_risk": yes("fracture_risk", "", "osteoporosis"),
            "safety": safety(mr_device=yes("mr_device", "", "mr_cochlear_implant")),
        },
        {},
        S.SAFETY,
        PamaRating.APPROPRIATE,
        False,
    ),
    (
        {"safety": safety(mr_device=yes("mr_device", "", "mr_cardiac_device_unlabelled"))},
        {},
        S.NOT_APPROPRIATE,
        PamaRating.NOT_APPROPRIATE,
        True,
    ),
    (
        {"safety": safety(mr_device=yes("mr_device", "", "mr_aneurysm_clip"))},
        {},
        S.SAFETY,
        PamaRating.NOT_APPROPRIATE,
        True,
    ),
    ({"deferred": True}, {}, S.DEFERRED, PamaRating.NOT_APPROPRIATE, True),
    (
        {"deferred": True, "infection": yes("infection", "", "fever")},
        {},
        S.WRONG_TEST,
        PamaRating.APPROPRIATE,
        False,
    ),
    (
        {"deferred": True, "cauda_equina": unknown("cauda_equina", "possible")},
        {},
        S.POSSIBLE_CAUDA_EQUINA,
        PamaRating.NOT_APPROPRIATE,
        False,
    ),
    ({"deferred": True, "weakness": yes("weakness", "worsening")}, {}, S.IMMEDIATE, PamaRating.APPROPRIATE, False),
    ({}, {"procedure": P.BONE_SCAN}, S.NOT_APPROPRIATE, PamaRating.NOT_APPROPRIATE, True),
    ({"indication": unknown("indication")}, {"procedure": P.BONE_SCAN}, S.NOT_OURS, None, False),
    (
        {"indication": no("indication", "other-reason")},
        {"procedure": P.FDG_PET_CT},
        S.NOT_OURS,
        PamaRating.NO_CRITERIA_APPLY,
        False,
    ),
    ({}, {"procedure": None, "recognition": Recognition.NOT_RECOGNISED}, S.NOT_RATED, None, False),
    ({}, {"procedure": None, "recognition": Recognition.NOT_AMONG_ELEVEN}, S.NOT_RATED, None, False),
    ({}, {"unread_reasons": ("xyz",)}, S.NOT_APPROPRIATE, PamaRating.NOT_APPROPRIATE, False),
    (
        {},
        {"unread_reasons": ("xyz",), "reason_references": ("Condition/1",)},
        S.NOT_APPROPRIATE,
        PamaRating.NOT_APPROPRIATE,
        True,
    ),
    (
        {},
        {"unread_reasons": ("xyz",), "reason_references": ("Condition/1",), "unread_reason_has_red_flag_stem": True},
        S.NOT_APPROPRIATE,
        PamaRating.NOT_APPROPRIATE,
        False,
    ),
]


@pytest.mark.parametrize(("given", "ordered", "situation", "rating", "defers"), SITUATIONS)
def test_the_card_the_rating_and_whether_deferral_may_be_offered(given, ordered, situation, rating, defers):
    advice = advise(answers(**given), an_order(**ordered))
    assert advice.situation is situation
    assert (advice.rating.pama if advice.rating else None) is rating
    assert advice.may_defer is defers
    assert (advice.recheck is not None) is defers


@pytest.mark.parametrize(
    ("variant_answers", "situation", "rated", "alternatives"),
    [
        ({}, S.NOT_APPROPRIATE, True, []),
        (
            {"conservative_care": adequate_care(), "candidate": yes("candidate", "planned")},
            S.NOT_RATED,
            False,
            [P.MRI_WITHOUT, P.MRI_WITHOUT_AND_WITH],
        ),
        ({"infection": yes("infection", "", "fever")}, S.WRONG_TEST, False, [P.MRI_WITHOUT_AND_WITH, P.MRI_WITHOUT]),
    ],
)
def test_contrast_not_stated_is_rated_only_where_every_choice_rates_alike(
    variant_answers, situation, rated, alternatives
):
    order = an_order(
        None,
        recognition=Recognition.CONTRAST_NOT_STATED,
        candidates=(P.MRI_WITHOUT, P.MRI_WITHOUT_AND_WITH, P.MRI_WITH),
    )
    advice = advise(answers(**variant_answers), order)
    assert advice.situation is situation
    assert (advice.rating is not None) is rated
    assert [study.procedure for study in advice.alternatives] == alternatives


def test_the_contrast_choices_begin_with_the_study_that_would_be_offered():
    order = an_order(
        None,
        recognition=Recognition.CONTRAST_NOT_STATED,
        candidates=(P.MRI_WITHOUT_AND_WITH, P.MRI_WITHOUT, P.MRI_WITH),
    )
    advice = advise(answers(immunosuppression=yes("immunosuppression", "", "hiv")), order)
    assert [study.procedure for study in advice.alternatives] == [P.MRI_WITHOUT, P.MRI_WITHOUT_AND_WITH]


def test_an_emergency_settles_the_contrast_that_was_not_stated():
    order = an_order(
        None,
        recognition=Recognition.CONTRAST_NOT_STATED,
        candidates=(P.MRI_WITHOUT, P.MRI_WITHOUT_AND_WITH, P.MRI_WITH),
    )
    better = advise(answers(cauda_equina=yes("cauda_equina", "suspected")), order).better
    assert better is not None
    assert (better.procedure, better.priority, better.why) == (P.MRI_WITHOUT, "stat", "contrast-not-stated")


def test_a_study_that_was_not_recognised_still_meets_its_emergency():
    order = an_order(None, recognition=Recognition.NOT_RECOGNISED)
    advice = advise(answers(cauda_equina=yes("cauda_equina", "suspected")), order)
    assert advice.situation is S.EMERGENCY
    assert advice.rating is None
    assert advice.better is not None
    assert advice.better.procedure is P.MRI_WITHOUT


HIDDEN = (SourceGap("Condition", "failed", True),)


@pytest.mark.parametrize(
    ("given", "ordered", "situation", "rating"),
    [
        ({}, P.MRI_WITHOUT, S.SOURCE_NOT_READ, None),
        ({}, P.RADIOGRAPHY, S.SOURCE_NOT_READ, None),
        # Usually not appropriate in every variant: certain whatever the record lacks.
        ({}, P.MRI_WITH, S.SOURCE_NOT_READ, PamaRating.NOT_APPROPRIATE),
        ({}, P.CT_WITHOUT_AND_WITH, S.SOURCE_NOT_READ, PamaRating.NOT_APPROPRIATE),
        ({"cancer": yes("cancer", "known", "history")}, P.MRI_WITHOUT, S.WRONG_TEST, PamaRating.APPROPRIATE),
        ({"cauda_equina": yes("cauda_equina", "suspected")}, P.MRI_WITHOUT, S.EMERGENCY, PamaRating.APPROPRIATE),
    ],
)
def test_what_could_not_be_read_is_never_taken_for_absent(given, ordered, situation, rating):
    advice = advise(answers(**given), an_order(ordered), a_picture(gaps=HIDDEN))
    assert advice.situation is situation
    assert (advice.rating.pama if advice.rating else None) is rating
    assert not advice.may_defer
    assert not advice.robust
    assert S.SOURCE_NOT_READ in (advice.situation, *advice.secondary)


def test_a_gap_that_hides_no_red_flag_changes_nothing():
    gaps = (SourceGap("PractitionerRole", "failed", False),)
    assert advise(picture=a_picture(gaps=gaps)).situation is S.NOT_APPROPRIATE


@pytest.mark.parametrize(
    ("age", "rating", "not_known"),
    [
        (AgeRange(17, 17), PamaRating.NO_CRITERIA_APPLY, False),
        (AgeRange(18, 18), PamaRating.NOT_APPROPRIATE, False),
        (AgeRange(17, 18), PamaRating.NOT_APPROPRIATE, True),
        (None, PamaRating.NOT_APPROPRIATE, True),
    ],
)
def test_under_eighteen_the_rating_is_that_no_criteria_apply(age, rating, not_known):
    advice = advise(picture=a_picture(age))
    assert advice.rating is not None
    assert advice.rating.pama is rating
    assert advice.age_not_known is not_known


def test_an_emergency_is_said_at_any_age():
    advice = advise(
        answers(cauda_equina=yes("cauda_equina", "suspected", "retention")), an_order(P.RADIOGRAPHY), a_picture(16)
    )
    assert advice.situation is S.EMERGENCY
    assert advice.rating is not None
    assert advice.rating.pama is PamaRating.NO_CRITERIA_APPLY
    assert advice.better is not None
    assert advice.better.procedure is P.MRI_WITHOUT


RECHECKS = [
    ({}, "unknown", 14),
    ({"trend": yes("trend", "unchanged")}, "unchanged", 14),
    ({"trend": yes("trend", "improving")}, "improving", 28),
    ({"trend": yes("trend", "worse")}, "worse", 7),
    ({"weakness": yes("weakness", "mild", "new")}, "mild-weakness", 7),
    ({"weakness": yes("weakness", "mild", "new"), "trend": yes("trend", "improving")}, "mild-weakness", 7),
]


@pytest.mark.parametrize(("given", "basis", "days"), RECHECKS)
def test_a_deferral_has_a_recheck_date(given, basis, days):
    plan = advise(answers(**given)).recheck
    assert plan is not None
    assert (plan.basis, plan.days, plan.on) == (basis, days, TODAY + timedelta(days=days))


@pytest.mark.parametrize(
    ("care", "day"),
    [
        (None, TODAY + timedelta(days=42)),
        (DateInterval(date(2026, 2, 20), date(2026, 2, 20)), date(2026, 2, 20) + timedelta(days=42)),
        (DateInterval(date(2026, 2, 1), date(2026, 2, 28)), date(2026, 2, 28) + timedelta(days=42)),
    ],
)
def test_the_earliest_day_on_which_six_weeks_of_care_could_be_met(care, day):
    given = {} if care is None else {"conservative_care": replace(yes("conservative_care", "possible"), since=care)}
    plan = advise(answers(**given)).recheck
    assert plan is not None
    assert plan.care_complete_on == day


def test_what_would_change_it_lists_three_most_urgent_first():
    advice = advise()
    assert [change.findings for change in advice.would_change] == [("cauda_equina",), ("major_trauma",), ("aortic",)]
    assert not advice.robust


def test_robust_only_when_no_examined_flip_changes_anything():
    asked = {
        name: no(name)
        for name in (
            "cauda_equina",
            "weakness",
            "major_trauma",
            "infection",
            "cancer",
            "immunosuppression",
            "fracture_risk",
            "prior_surgery",
            "aortic",
            "prior_imaging",
        )
    }
    settled = answers(**asked, conservative_care=no("conservative_care"), candidate=no("candidate"))
    assert advise(settled).robust
    with_diabetes = replace(settled, infection=no("infection", "diabetes"))
    assert not advise(with_diabetes).robust


def test_a_pair_is_examined_when_no_single_flip_changes_anything():
    red_flags = "cauda_equina weakness major_trauma infection cancer immunosuppression fracture_risk aortic"
    names = f"{red_flags} prior_surgery prior_imaging"
    settled = answers(days=90, **{name: no(name) for name in names.split()})
    assert [change.findings for change in advise(settled).would_change] == [("conservative_care", "candidate")]


VIEWS = [
    # answers -> ACP verdict, differs; NICE verdict, differs
    ({}, "no-imaging", False, "depends-on-setting", False),
    ({"setting": yes("setting", "non-specialist")}, "no-imaging", False, "not-in-this-setting", False),
    ({"fracture_risk": yes("fracture_risk", "", "osteoporosis")}, "defer", True, "depends-on-setting", True),
    (
        {
            "conservative_care": adequate_care(),
            "candidate": yes("candidate", "planned"),
            "radiculopathy": yes("radiculopathy"),
            "setting": yes("setting", "non-specialist"),
        },
        "image-now",
        False,
        "not-in-this-setting",
        True,
    ),
    (
        {
            "conservative_care": adequate_care(),
            "candidate": yes("candidate", "planned"),
            "radiculopathy": yes("radiculopathy"),
            "setting": yes("setting", "specialist"),
        },
        "image-now",
        False,
        "image-if-changes-management",
        False,
    ),
    # First test for cancer: ACP radiography and ESR, ACR MRI.
    ({"cancer": yes("cancer", "known", "history")}, "image-now", True, "serious-pathology", False),
    ({"infection": yes("infection", "", "fever")}, "no-imaging", True, "serious-pathology", False),
    ({"infection": yes("infection", "", "fever", "iv-drug-use")}, "image-now", False, "serious-pathology", False),
    ({"cauda_equina": yes("cauda_equina", "suspected")}, "image-now", False, "serious-pathology", False),
    ({"weakness": yes("weakness", "severe")}, "image-now", False, "serious-pathology", False),
    ({"major_trauma": yes("major_trauma")}, "defer", True, "serious-pathology", False),
]


@pytest.mark.parametrize(("given", "acp", "acp_differs", "nice", "nice_differs"), VIEWS)
def test_acp_and_nice_are_worked_out_each_by_its_own_row(given, acp, acp_differs, nice, nice_differs):
    views = {view.guideline: view for view in advise(answers(**given)).views}
    assert (views["acp"].verdict, views["acp"].differs) == (acp, acp_differs)
    assert (views["nice"].verdict, views["nice"].differs) == (nice, nice_differs)


@pytest.mark.parametrize(
    ("rates", "given", "rating"),
    [
        ("acp", {"fracture_risk": yes("fracture_risk", "", "osteoporosis")}, PamaRating.NOT_APPROPRIATE),
        ("acr", {"fracture_risk": yes("fracture_risk", "", "osteoporosis")}, PamaRating.APPROPRIATE),
        ("nice", {"setting": yes("setting", "non-specialist")}, PamaRating.NOT_APPROPRIATE),
        ("nice", {}, None),
        ("nice", {"cancer": yes("cancer", "known", "history")}, PamaRating.APPROPRIATE),
        ("acp", {"cancer": yes("cancer", "known", "history")}, PamaRating.NOT_APPROPRIATE),
    ],
)
def test_a_site_chooses_which_guideline_rates(rates, given, rating):
    advice = advise(answers(**given), guidelines=load_guidelines(TODAY, rates))
    assert (advice.rating.pama if advice.rating else None) is rating


def test_variant_four_with_a_device_names_ct_in_parallel_and_keeps_the_mri():
    given = answers(
        cauda_equina=yes("cauda_equina", "suspected"),
        safety=safety(mr_device=yes("mr_device", "", "mr_cardiac_device_unlabelled")),
    )
    advice = advise(given, an_order(P.MRI_WITHOUT, priority="stat"))
    assert advice.situation is S.EMERGENCY
    assert S.SAFETY in advice.secondary
    assert advice.better is None
    assert advice.parallel is not None
    assert advice.parallel.procedure is P.CT_WITHOUT


def test_a_second_lumbar_study_in_the_session_is_named():
    other = an_order(P.CT_WITHOUT, reference="ServiceRequest/2", name="CT lumbar spine")
    silent = an_order(None, reference="ServiceRequest/3", recognition=Recognition.NOT_OURS, name="knee")
    assert advise(others=(other, silent)).duplicates == ("CT lumbar spine",)


def test_presumed_findings_are_named_and_charted_negatives_are_not():
    assert "cauda_equina" in advise().presumed
    assert "cauda_equina" not in advise(answers(cauda_equina=no("cauda_equina"))).presumed


def test_the_rating_carries_category_score_and_row():
    rating = advise(answers(cancer=yes("cancer", "known"))).rating
    assert rating is not None
    assert (rating.category, rating.score, rating.row) == (Category.USUALLY, 7, "acr-lbp-2021-v7")


def test_possible_cauda_equina_asks_whether_it_is_new_or_worse():
    finding = Finding("cauda_equina", unknown("x").answer, "possible", frozenset({"retention"}))
    question = advise(answers(cauda_equina=finding)).questions[0]
    assert [option.code for option in question.options] == ["new-or-worse-yes", "new-or-worse-no"]


def test_acp_speaks_of_the_row_that_the_study_is_about():
    given = answers(
        conservative_care=adequate_care(),
        candidate=yes("candidate", "planned"),
        radiculopathy=yes("radiculopathy"),
        cancer=no("cancer", "age-over-50"),
    )
    acp = next(view for view in advise(given).views if view.guideline == "acp")
    assert [row.id for row in acp.rows] == ["acp_defer_radiculopathy", "acp_defer_cancer_weaker"]
    assert not acp.differs


def test_acp_names_the_bone_before_the_age_that_is_a_weak_cancer_factor():
    given = answers(
        fracture_risk=yes("fracture_risk", "", "osteoporosis", "older-age", "acp-older-age"),
        cancer=no("cancer", "age-over-50"),
    )
    acp = next(view for view in advise(given).views if view.guideline == "acp")
    assert [row.id for row in acp.rows] == ["acp_defer_compression_fracture", "acp_defer_cancer_weaker"]
