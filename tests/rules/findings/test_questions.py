"""The questions load strictly, and every answer of the findings has its question."""

import pytest

from rules.concepts import GROUPS
from rules.finding import Episode, Findings, Safety
from rules.findings.imaging_detail import ImagingDetailError, read_studies
from rules.findings.muscle_roots import MuscleRootError, one_root_explains, read_roots
from rules.findings.questions import ORDER_STATE_GROUPS, QUESTIONS, QuestionError, read_questions
from rules.parameters import Parameters

HEAD = '[question.q]\nasks = "a?"\nsilence = "no"\nwhy = "b"\ncites = ["c"]\n'


@pytest.mark.parametrize(
    ("text", "complaint"),
    [
        (HEAD + 'surprise = "y"\n', "surprise"),
        (HEAD + 'yes = ["no-such-group"]\n', "unknown concept group 'no-such-group'"),
        (HEAD + 'parameters = ["no_such_number"]\n', "unknown parameter 'no_such_number'"),
        (HEAD.replace('"no"', '"maybe"'), "maybe"),
        (HEAD.replace('["c"]', "[]"), "must not be empty"),
        (HEAD + 'marks = ["m", "m"]\n', "twice"),
        (HEAD, "no question reads the concept group"),
    ],
)
def test_a_file_of_questions_that_is_not_strictly_right_stops_the_start(text, complaint):
    with pytest.raises(QuestionError, match=complaint):
        read_questions(text)


def test_every_finding_and_only_findings_have_a_question():
    fields = set(Findings.__struct_fields__) | set(Safety.__struct_fields__)
    assert set(QUESTIONS) == fields - {"safety", "egfr", "could_be_pregnant", "checked_none_on", "deferred"}
    assert Episode in Findings.__annotations__.values()


def test_every_parameter_that_the_findings_use_is_a_parameter():
    for question in QUESTIONS.values():
        assert set(question.parameters) <= set(Parameters.__struct_fields__)


def test_every_group_is_read_by_a_question_or_is_the_orders_own_state():
    read = frozenset[str]().union(*(question.groups for question in QUESTIONS.values()))
    assert read | ORDER_STATE_GROUPS == set(GROUPS)


@pytest.mark.parametrize(
    ("muscles", "explained"),
    [
        (("ankle-dorsiflexion",), True),
        (("ankle-dorsiflexion", "great-toe-extension"), True),  # L5
        (("knee-extension", "ankle-dorsiflexion"), True),  # L4
        (("hip-flexion", "knee-extension"), True),  # L3
        (("great-toe-extension", "ankle-plantarflexion"), False),  # L5 and S1
        (("ankle-dorsiflexion", "ankle-plantarflexion"), False),
        (("hip-flexion", "ankle-dorsiflexion"), False),
        (("hip-flexion", "knee-extension", "ankle-dorsiflexion"), False),  # each pair but one, never all three
        (("finger-abduction",), True),  # a muscle the table does not know says nothing
        ((), True),
    ],
)
def test_a_single_root_explains_what_the_published_tables_say(muscles, explained):
    assert one_root_explains(muscles) is explained


@pytest.mark.parametrize(
    "text",
    [
        'cites = []\n[roots]\na = ["L5"]\n',
        'cites = ["x"]\n[roots]\na = []\n',
        'cites = ["x"]\nmore = 1\n[roots]\na = ["L5"]\n',
    ],
)
def test_a_root_table_without_a_source_a_root_or_with_more_is_refused(text):
    with pytest.raises(MuscleRootError):
        read_roots(text)


@pytest.mark.parametrize(
    "row",
    [
        'ordered = "radiography_lumbar_spine"\nanswered_by = ["xr-hip"]\nreason = "r"\n',
        'ordered = "radiography_lumbar_spine"\nanswered_by = []\nreason = "r"\n',
        'ordered = "radiography_lumbar_spine"\nanswered_by = ["xr-lumbar"]\nreason = ""\n',
        'ordered = "radiography_lumbar_spine"\nanswered_by = ["xr-lumbar"]\nreason = "alone"\n',
        'ordered = "a-study-we-do-not-rate"\nanswered_by = ["xr-lumbar"]\nreason = "r"\n',
    ],
)
def test_a_table_of_earlier_studies_that_is_incomplete_or_unknown_is_refused(row):
    with pytest.raises(ImagingDetailError):
        read_studies(f"[[study]]\n{row}")
