"""What holds for every record: order, duplicates and unrelated entries do not matter, red flags only add."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from rules.concepts import CONCEPTS, GROUPS
from rules.dates import DateInterval
from rules.facts import AgeRange, ClinicalPicture, Fact, FactKind
from rules.finding import Answer, Finding, Findings
from rules.findings import answer_questions
from rules.findings.questions import QUESTIONS
from tests.rules.findings.builders import TODAY, fact, order, parameters, reason

RED_FLAGS = (
    "cauda_equina",
    "infection",
    "immunosuppression",
    "cancer",
    "fracture_risk",
    "major_trauma",
    "aortic",
    "weakness",
)
RED_FLAG_GROUPS = (
    "cauda-equina-syndrome", "urinary-feature", "bowel-feature", "saddle-feature", "anal-tone", "sexual-dysfunction",
    "cauda-equina-statement", "weakness-coded", "spinal-infection", "fever", "body-temperature", "injecting-drug-use",
    "bloodstream-infection", "inflammatory-marker", "recent-infection", "infection-strengthener", "hiv", "transplant",
    "immunosuppressive-medicine", "immunosuppressed-state", "corticosteroid-medicine", "corticosteroid-status",
    "malignancy", "malignancy-history", "metastasis", "weight-loss", "low-velocity-trauma", "osteoporosis",
    "osteoporosis-treatment", "vertebral-fracture", "fragility-fracture", "midline-tenderness", "major-trauma",
    "traumatic-spinal-fracture", "cord-injury", "aortic-aneurysm", "aortic-dissection",
)  # fmt: skip
MUSCLES = ("ankle-dorsiflexion", "great-toe-extension", "ankle-plantarflexion", "knee-extension", "hip-flexion")
ANSWERS_ON_ORDER = sorted(c for group in GROUPS if "stated" in group for c in GROUPS[group].concepts)

days = st.integers(0, 900).map(lambda ago: TODAY - timedelta(days=ago))
dates = st.one_of(
    st.none(),
    days.map(lambda day: DateInterval(day, day)),
    days.map(lambda day: DateInterval(None, day)),
    days.map(lambda day: DateInterval(day.replace(day=1), max(day, min(day.replace(day=28), TODAY)))),
)
kinds = st.sampled_from(
    [
        FactKind.CONDITION,
        FactKind.OBSERVATION,
        FactKind.PROCEDURE,
        FactKind.MEDICATION,
        FactKind.REQUEST,
        FactKind.REPORT,
    ]
)
STATES = {FactKind.PROCEDURE: ("done", "ongoing", "planned", "not-done"), FactKind.REQUEST: ("planned",),
          FactKind.REPORT: ("final", "preliminary")}  # fmt: skip


ANY_CONCEPT = st.sampled_from(sorted(CONCEPTS))


@st.composite
def facts(draw: st.DrawFn, concepts: st.SearchStrategy[str] = ANY_CONCEPT) -> Fact:
    """Any fact that the rules may read, plausible or not."""
    concept, kind = draw(concepts), draw(kinds)
    number = st.sampled_from([0.0, 4.0, 7.0, 15.0, 29.0, 38.0, 39.2, 74.0, 80.0])
    return fact(
        concept,
        draw(dates),
        kind,
        ref=f"{kind.value}/{draw(st.integers(0, 10_000))}",
        present=draw(st.sampled_from([True, True, True, False])),
        suspected=draw(st.sampled_from([False, False, True])),
        current=draw(st.sampled_from([True, True, False])),
        ended=draw(st.one_of(st.none(), days.map(lambda day: DateInterval(day, day)))),
        value=draw(st.one_of(st.none(), number)),
        grade=draw(st.integers(0, 5)) if concept == "muscle-strength" else None,
        side=draw(st.sampled_from(["", "left", "right", "bilateral"])),
        site=draw(st.sampled_from(MUSCLES))
        if concept == "muscle-strength"
        else draw(st.sampled_from(["", "nrs", "vas"])),
        course=draw(st.sampled_from(["", "", "worsening", "improving"])),
        state=draw(st.sampled_from(STATES.get(kind, ("",)))),
        encounter=draw(st.sampled_from(["", "Encounter/7"])),
        days_supplied=draw(st.one_of(st.none(), st.sampled_from([7, 30, 90]))),
        marks=draw(st.sampled_from([(), ("from text",)])),
    )


@st.composite
def records(draw: st.DrawFn) -> list[Fact]:
    """Entries of a few groups only, so that they meet each other."""
    groups = draw(st.lists(st.sampled_from(sorted(GROUPS)), min_size=1, max_size=5, unique=True))
    concepts = sorted({concept for group in groups for concept in GROUPS[group].concepts})
    return draw(st.lists(facts(st.sampled_from(concepts)), max_size=10))


ages = st.one_of(st.none(), st.integers(10, 90).map(lambda age: AgeRange(age, age)),
                 st.integers(10, 90).map(lambda age: AgeRange(age, age + 1)))  # fmt: skip
orders = st.lists(st.sampled_from(["low-back-pain", "sciatica", "scoliosis", "fall", "red-flags-checked-none",
                                   *ANSWERS_ON_ORDER]), max_size=2).map(
    lambda concepts: order([reason(concept) for concept in concepts], reason_references=("condition/1",))
)  # fmt: skip


def answered(held: list[Fact], draft, age) -> Findings:
    picture = ClinicalPicture(TODAY, tuple(held), age, "female", "Encounter/7")
    return answer_questions(picture, draft, parameters())


def findings_of(answers: Findings) -> list[Finding]:
    safety = answers.safety
    held = [getattr(answers, name) for name in answers.__struct_fields__]
    held += [getattr(safety, name) for name in safety.__struct_fields__]
    return [each for each in held if isinstance(each, Finding)]


@given(st.data(), records(), orders, ages)
def test_shuffling_and_duplicating_entries_never_changes_an_answer(data, held, draft, age):
    again = data.draw(st.permutations(held + held[:3]))
    assert answered(held, draft, age) == answered(again, draft, age)


@given(records(), orders, ages, facts(st.sampled_from(["hypertension", "asthma", "creatinine"])))
def test_an_unrelated_entry_never_changes_an_answer(held, draft, age, unrelated):
    assert answered(held, draft, age) == answered([*held, unrelated], draft, age)


@st.composite
def red_flags(draw: st.DrawFn) -> Fact:
    """A present, current red flag of any date, as it would stand in a record."""
    concept = draw(st.sampled_from(sorted({c for group in RED_FLAG_GROUPS for c in GROUPS[group].concepts})))
    return fact(concept, draw(dates), ref="Condition/red-flag", value=39.0 if concept == "body-temperature" else None,
                side=draw(st.sampled_from(["", "left"])))  # fmt: skip


@given(records(), orders, ages, red_flags())
def test_adding_a_red_flag_never_takes_another_answer_back(held, draft, age, flag):
    before, after = answered(held, draft, age), answered([*held, flag], draft, age)
    rank = {Answer.NO: 0, Answer.UNKNOWN: 1, Answer.YES: 2}
    for name in RED_FLAGS:
        was, now = getattr(before, name), getattr(after, name)
        assert rank[now.answer] >= rank[was.answer], name
        assert was.level != "worsening" or now.level == "worsening"


@given(records(), orders, ages)
def test_answers_carry_only_listed_levels_marks_and_notes(held, draft, age):
    for finding in findings_of(answered(held, draft, age)):
        question = QUESTIONS[finding.name]
        assert finding.level in ("", *question.levels), finding
        assert finding.marks <= set(question.marks), finding
        assert set(finding.notes) <= set(question.notes), finding


@given(records(), orders, ages)
def test_every_answer_stands_under_its_own_name(held, draft, age):
    answers = answered(held, draft, age)
    for page in (answers, answers.safety):
        for name in page.__struct_fields__:
            if isinstance(finding := getattr(page, name), Finding):
                assert finding.name == name


@given(records(), orders, ages)
def test_answers_are_consistent_with_their_silence(held, draft, age):
    for finding in findings_of(answered(held, draft, age)):
        if finding.presumed:
            assert finding.answer is Answer.NO
            assert finding.because == ()
            assert QUESTIONS[finding.name].silence == "no"
        if finding.answer is Answer.YES and finding.name != "setting":
            assert finding.because, finding.name


@given(records(), orders, ages)
def test_evidence_is_shown_once_and_in_order_of_date_and_reference(held, draft, age):
    for finding in findings_of(answered(held, draft, age)):
        shown = list(finding.because)
        if finding.name == "prior_imaging":  # the report first
            shown = shown[1:]
        assert len(set(shown)) == len(shown)
        assert shown == sorted(shown, key=lambda each: (each.dated, each.reference, each.says, each.marks))


@given(ages)
def test_the_empty_record_is_never_called_safe(age):
    answers = answered([], order(), age)
    for finding in findings_of(answers):
        if finding.answer is Answer.NO:
            assert finding.presumed or finding.name == "setting", finding.name
