"""What holds for every combination of answers, not only for those a clinician thought of."""

from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from rules.advice import recommend_on
from rules.decide import assess, patient_on
from rules.draft_order import DraftOrder, Recognition
from rules.edition import RANK
from rules.finding import Answer, Finding, Findings, Safety
from rules.guidelines import load_guidelines
from rules.procedures import ONLY_FOR_BACK_PAIN, Procedure
from rules.recommendation import PamaRating, Recommendation, Situation, Urgency
from rules.sensitivity import assess_flipped, baseline_of, flipped
from tests.rules.answers import TODAY, a_picture, adequate_care, an_order, answers, no, safety, silent, unknown, yes

GUIDELINES = load_guidelines(TODAY)
_URGENCIES = list(Urgency)
_AT_ONCE = (Situation.EMERGENCY, Situation.IMMEDIATE)

_INFECTION_MARKS = (
    "spinal-infection-coded",
    "spinal-infection-suspected",
    "fever",
    "iv-drug-use",
    "bloodstream-infection",
    "raised-markers",
    "recent-infection",
    "dialysis",
)


def _either(name: str, *positives: Finding) -> st.SearchStrategy[Finding]:
    return st.sampled_from((silent(name), no(name), *positives))


@st.composite
def findings(draw: st.DrawFn) -> Findings:
    """Any combination of answers that the record could give."""
    marks = draw(st.sets(st.sampled_from(_INFECTION_MARKS), min_size=1, max_size=3))
    return answers(
        days=draw(st.sampled_from((None, 3, 27, 28, 200))),
        indication=draw(
            st.sampled_from(
                (yes("indication"), yes("indication"), unknown("indication"), no("indication", "other-reason"))
            )
        ),
        radiculopathy=draw(_either("radiculopathy", yes("radiculopathy"), yes("radiculopathy", "", "deficit"))),
        weakness=draw(
            _either(
                "weakness",
                yes("weakness", "mild", "new"),
                yes("weakness", "mild", "multilevel"),
                yes("weakness", "severe"),
                yes("weakness", "worsening"),
            )
        ),
        cauda_equina=draw(
            _either("cauda_equina", yes("cauda_equina", "suspected", "saddle"), unknown("cauda_equina", "possible"))
        ),
        infection=draw(_either("infection", no("infection", "diabetes"), yes("infection", "", *marks))),
        immunosuppression=draw(_either("immunosuppression", yes("immunosuppression", "", "hiv"))),
        cancer=draw(_either("cancer", yes("cancer", "known", "history"), yes("cancer", "suspected", "weight-loss"))),
        fracture_risk=draw(
            _either(
                "fracture_risk",
                yes("fracture_risk", "", "osteoporosis"),
                yes("fracture_risk", "age-alone", "older-age"),
            )
        ),
        major_trauma=draw(_either("major_trauma", silent("major_trauma"), yes("major_trauma"))),
        prior_surgery=draw(
            _either("prior_surgery", yes("prior_surgery"), yes("prior_surgery", "", "hardware-question"))
        ),
        conservative_care=draw(
            st.sampled_from(
                (silent("conservative_care"), yes("conservative_care", "possible", "during-care"), adequate_care())
            )
        ),
        candidate=draw(_either("candidate", unknown("candidate"), yes("candidate", "planned"))),
        trend=draw(
            st.sampled_from(
                (unknown("trend"), yes("trend", "improving"), yes("trend", "unchanged"), yes("trend", "worse"))
            )
        ),
        prior_imaging=draw(_either("prior_imaging", yes("prior_imaging"))),
        aortic=draw(_either("aortic", silent("aortic"), silent("aortic"), yes("aortic", "", "aneurysm"))),
        setting=draw(
            st.sampled_from((unknown("setting"), yes("setting", "specialist"), yes("setting", "non-specialist")))
        ),
        safety=draw(_safety()),
    )


@st.composite
def _safety(draw: st.DrawFn) -> Safety:
    devices = ("mr_cardiac_device_unlabelled", "mr_aneurysm_clip", "mri-not-possible")
    return safety(
        pregnancy=draw(_either("pregnancy", yes("pregnancy"), unknown("pregnancy", "possible"))),
        mr_device=draw(_either("mr_device", *(yes("mr_device", "", device) for device in devices))),
        kidney=draw(_either("kidney", yes("kidney", "", "egfr-below-30"))),
        contrast_reaction=draw(_either("contrast_reaction", yes("contrast_reaction", "", "gadolinium"))),
        could_be_pregnant=draw(st.booleans()),
    )


@st.composite
def orders(draw: st.DrawFn) -> DraftOrder:
    """Any of the eleven studies, or an MRI without stated contrast, at any priority."""
    priority = draw(st.sampled_from(("", "routine", "urgent", "asap", "stat")))
    if draw(st.integers(0, 9)) == 0:
        candidates = (Procedure.MRI_WITHOUT, Procedure.MRI_WITHOUT_AND_WITH, Procedure.MRI_WITH)
        return an_order(None, recognition=Recognition.CONTRAST_NOT_STATED, candidates=candidates, priority=priority)
    return an_order(draw(st.sampled_from(list(Procedure))), priority=priority)


def advise(given_findings: Findings, order: DraftOrder, age: int = 45) -> Recommendation:
    return recommend_on(order, given_findings, a_picture(age), GUIDELINES)


def accepted(advice: Recommendation) -> DraftOrder:
    """The draft after the offered change was accepted."""
    assert advice.better is not None
    order = advice.order
    if advice.better.procedure is not None:
        order = replace(order, procedure=advice.better.procedure, recognition=Recognition.CODED, candidates=())
    return replace(order, priority=advice.better.priority or order.priority)


@given(findings(), orders())
def test_an_accepted_suggestion_is_never_followed_by_another_change(answered, order):
    advice = advise(answered, order)
    if advice.better is not None:
        assert advise(answered, accepted(advice)).better is None


@given(findings(), orders())
def test_an_accepted_suggestion_is_never_rated_worse(answered, order):
    before = advise(answered, order)
    if before.better is None or before.better.procedure is None:
        return
    after = advise(answered, accepted(before))
    if before.ordered is not None and after.ordered is not None:
        assert RANK[after.ordered.category] >= RANK[before.ordered.category]
    if before.rating is not None and before.rating.pama is PamaRating.APPROPRIATE:
        assert after.rating is not None
        assert after.rating.pama is PamaRating.APPROPRIATE


RED_FLAGS = [
    yes("cauda_equina", "suspected", "saddle"),
    yes("weakness", "worsening"),
    yes("weakness", "severe"),
    yes("major_trauma"),
    yes("aortic", "", "dissection"),
    yes("infection", "", "fever"),
    yes("infection", "", "spinal-infection-coded"),
    yes("cancer", "known", "history"),
    yes("immunosuppression", "", "hiv"),
    yes("fracture_risk", "", "osteoporosis"),
    yes("prior_surgery"),
]


@given(findings(), orders(), st.sampled_from(RED_FLAGS))
def test_adding_a_red_flag_never_lowers_urgency(answered, order, flag):
    current: Finding = getattr(answered, flag.name)
    if current.answer is Answer.YES:
        return
    more = replace(answered, **{flag.name: replace(flag, marks=flag.marks | current.marks)})
    before, after = advise(answered, order).urgency, advise(more, order).urgency
    assert _URGENCIES.index(after) <= _URGENCIES.index(before)


@given(findings(), orders())
def test_nothing_urgent_is_ever_deferred(answered, order):
    advice = advise(answered, order)
    if advice.urgency is not Urgency.ROUTINE or answered.cauda_equina.level == "possible":
        assert not advice.may_defer


@given(findings(), orders())
def test_an_emergency_carries_no_question_no_deferral_and_no_prior_imaging(answered, order):
    advice = advise(answered, order)
    if advice.situation in _AT_ONCE:
        assert not advice.questions
        assert not advice.may_defer
        assert advice.recheck is None
        assert not {Situation.NOT_APPROPRIATE, Situation.PRIOR_IMAGING, Situation.ANSWER_MISSING} & set(
            advice.secondary
        )


@given(findings(), orders())
def test_a_lumbar_order_is_never_silent(answered, order):
    advice = advise(answered, order)
    if order.procedure not in ONLY_FOR_BACK_PAIN:
        assert advice.situation is not Situation.NOT_OURS


@given(findings(), orders())
def test_under_imaging_is_raised(answered, order):
    advice = advise(answered, order)
    if advice.situation in _AT_ONCE and answered.aortic.answer is not Answer.YES:
        asked_for = advice.better.priority if advice.better is not None else order.priority
        assert (asked_for or order.priority) == advice.urgency_priority


@given(findings(), orders())
def test_only_an_ask_finding_or_unread_data_suppresses_a_rating(answered, order):
    advice = advise(answered, order)
    if advice.rating is None and advice.situation is not Situation.NOT_OURS:
        assert advice.not_rated_because in ("answer-missing", "contrast-matters")


@given(findings(), orders())
def test_at_most_three_changes_are_listed_and_robust_means_none(answered, order):
    advice = advise(answered, order)
    assert len(advice.would_change) <= 3
    assert not (advice.robust and advice.would_change)


@given(findings(), orders())
def test_the_same_answers_give_the_same_advice(answered, order):
    assert advise(answered, order) == advise(answered, order)


@given(findings(), orders())
def test_a_flip_that_looks_only_at_the_rows_reading_it_equals_deciding_afresh(answered, order):
    patient = patient_on(TODAY, None, GUIDELINES)
    base = assess(order.procedure, answered, patient, GUIDELINES)
    baseline = baseline_of(base, order.procedure, answered, patient, GUIDELINES)
    for flip in GUIDELINES.flips:
        afresh = assess(order.procedure, flipped(answered, (flip,)), patient, GUIDELINES)
        assert assess_flipped(baseline, (flip,)) == afresh
