"""Changes each value of the clinical data, one at a time, and shows that a case notices.

Guideline cells, rows, thresholds and what silence means: a wrong value must not be able to stand.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import cache

import msgspec
import pytest

from cds_service.collaborators import Collaborators
from rules.finding import Answer, Finding, Findings
from rules.findings import answers
from rules.findings.questions import QUESTIONS, Question
from rules.guideline_tables import Guidelines
from rules.parameters import Parameters
from rules.procedures import Procedure
from rules.recommendation import Category, Recommendation
from tests import mutants
from tests.acr_grid import acr_cells
from tests.answer_reading import Reply
from tests.case_checks import problems
from tests.case_reader import DEFAULT_DAY, Case, cases_in, read_cases
from tests.clinic import ask

# Read only where the feedback of clinicians is kept, which no case of an order reaches.
NOT_READ_BY_A_DECISION = frozenset({"override_memory_hours"})


@cache
def _passing() -> tuple[tuple[Case, Reply], ...]:
    """The cases that the service passes as it is, with its replies."""
    found = []
    for case in (*read_cases(), *acr_cells()):
        if case.settings:
            continue
        reply = ask(case.request, as_of=case.as_of)
        if not problems(reply, case.drafts, case.expect):
            found.append((case, reply))
    return tuple(found)


def _notices(tools: Collaborators | None, cases: Iterable[Case]) -> bool:
    """Does one of the cases fail, or answer otherwise, with these tools?"""
    return any(problems(ask(case.request, as_of=case.as_of, tools=tools), case.drafts, case.expect) for case in cases)


def _touching(word: str) -> list[Case]:
    return [case for case, _ in _passing() if word in case.touches]


def _guidelines() -> Guidelines:
    return mutants.guidelines_on(DEFAULT_DAY)


# --- guideline cells --------------------------------------------------------------------------------------------------

_OTHER_CATEGORIES = {
    Category.USUALLY: ((Category.MAY_BE, 6), (Category.USUALLY_NOT, 1), (Category.USUALLY, None)),
    Category.MAY_BE: ((Category.USUALLY, 7), (Category.USUALLY_NOT, 3), (Category.MAY_BE, None)),
    Category.MAY_BE_DISAGREEMENT: ((Category.MAY_BE, 5), (Category.USUALLY_NOT, 3)),
    Category.USUALLY_NOT: ((Category.USUALLY, 9), (Category.MAY_BE, 4), (Category.USUALLY_NOT, None)),
}
_NEIGHBOUR = {1: 2, 2: 3, 3: 2, 4: 5, 5: 6, 6: 5, 7: 8, 8: 9, 9: 8}


@pytest.mark.parametrize("case", list(acr_cells()), ids=lambda case: case.name)
def test_a_wrong_cell_of_the_acr_table_is_noticed(case: Case):
    guidelines = _guidelines()
    decided = ask(case.request, as_of=case.as_of).advice
    assert decided is not None
    ordered = decided[0].ordered
    assert ordered is not None
    variant = case.expect["variant"]
    for category, score in _OTHER_CATEGORIES[ordered.category]:
        wrong = mutants.with_cell(guidelines, variant, ordered.procedure, category, score or _NEIGHBOUR[ordered.score])
        assert _notices(mutants.with_guidelines(wrong), [case]), (category, score)


def test_every_cell_of_the_acr_table_was_changed():
    cells = set()
    for case in acr_cells():
        (decided,) = ask(case.request, as_of=case.as_of).advice or ()
        cells.add((case.expect["variant"], decided.order.procedure))
    assert cells == {(variant, procedure) for variant in range(1, 8) for procedure in Procedure}


# --- thresholds -------------------------------------------------------------------------------------------------------

PARAMETERS = [name for name in Parameters.__struct_fields__ if name not in NOT_READ_BY_A_DECISION]


@pytest.mark.parametrize("name", PARAMETERS)
@pytest.mark.parametrize("direction", [1, -1], ids=["more", "less"])
def test_a_wrong_threshold_is_noticed_by_a_case_on_its_day(name: str, direction: int):
    guidelines = _guidelines()
    value = getattr(guidelines.parameters, name)
    step = 1 if isinstance(value, int) else 0.1
    wrong = mutants.with_parameter(guidelines, name, value + direction * step)
    touching = _touching(name)
    assert touching, f"no passing case touches {name}"
    assert _notices(mutants.with_guidelines(wrong), touching)


# --- what silence means -----------------------------------------------------------------------------------------------


def _blank_record() -> Findings:
    """An order without a reason and a chart without an entry: every answer is what silence means."""
    entry = {"name": "blank", "patient": {"age": 45, "sex": "male"}, "chart": [], "expect": {"status": 200}}
    (case,) = cases_in({**entry, "order": "mri-lumbar-without-contrast for no reason"})
    (decided,) = ask(case.request, as_of=case.as_of).advice or ()
    return decided.findings


def _answered_otherwise(questions: Mapping[str, Question]) -> list[str]:
    """The questions that a blank record does not answer as the policy says."""
    findings = _blank_record()
    wrong = []
    for name, question in questions.items():
        if name == "episode":
            unknown = findings.episode.days is None
        else:
            finding = getattr(findings, name, None) or getattr(findings.safety, name)
            unknown = finding.answer is Answer.UNKNOWN
            if not unknown and not (finding.answer is Answer.NO and finding.presumed):
                wrong.append(name)
        if unknown is (question.silence == "no"):
            wrong.append(name)
    return wrong


def test_silence_is_answered_as_the_policy_says():
    assert _answered_otherwise(QUESTIONS) == []


@pytest.mark.parametrize("name", list(QUESTIONS))
def test_another_meaning_of_silence_is_noticed(name: str, monkeypatch: pytest.MonkeyPatch):
    """Either the answers follow the changed policy, and a case fails; or they do not, and that is noticed."""
    passing = [case for case, _ in _passing()]
    about = [case for case in passing if name in case.expect.get("findings", {})]
    other = "unknown" if QUESTIONS[name].silence == "no" else "no"
    turned = {**QUESTIONS, name: msgspec.structs.replace(QUESTIONS[name], silence=other)}
    if other == "no":
        monkeypatch.setitem(answers.UNKNOWN, name, Finding(name, Answer.NO, presumed=True))
    else:
        monkeypatch.setitem(answers.PRESUMED_NO, name, Finding(name, Answer.UNKNOWN))
    assert _answered_otherwise(turned) or _notices(None, [*about, *passing[::5]])


# --- rows of the tables -----------------------------------------------------------------------------------------------


def _decisions() -> Iterable[tuple[Case, Recommendation]]:
    for case, reply in _passing():
        for decided in reply.advice or ():
            yield case, decided


ROW_TABLES = ("criteria", "acp_rows", "nice_rows", "safety_rows")


def _row_ids() -> list[tuple[str, int, str]]:
    guidelines = _guidelines()
    listed = []
    for table in ROW_TABLES:
        rows = getattr(guidelines, table)
        for at, row in enumerate(rows):
            if table in ("acp_rows", "nice_rows") and at == len(rows) - 1:
                continue  # the ground row always stays
            listed.append((table, at, row.id if table == "safety_rows" else row.row.id))
    return listed


def _cases_reading(table: str, row_id: str) -> list[Case]:
    found = []
    for case, decided in _decisions():
        if table == "criteria":
            ids = [row.id for row in decided.matched]
        elif table == "safety_rows":
            ids = [note.row for note in decided.safety]
        else:
            ids = [row.id for view in decided.views for row in view.rows]
        if row_id in ids:
            found.append(case)
    return found


@pytest.mark.parametrize(("table", "at", "row_id"), _row_ids(), ids=lambda value: str(value))
def test_a_missing_row_is_noticed(table: str, at: int, row_id: str):
    tools = mutants.with_guidelines(mutants.without(_guidelines(), table, at))
    reading = _cases_reading(table, row_id)
    assert reading, f"no passing case reaches {row_id}"
    assert _notices(tools, reading)


def _urgency_rules() -> list[tuple[int, int]]:
    return [(level, rule) for level, each in enumerate(_guidelines().urgencies) for rule in range(len(each.conditions))]


@pytest.mark.parametrize(("level", "rule"), _urgency_rules())
def test_a_missing_rule_of_urgency_is_noticed(level: int, rule: int):
    guidelines = _guidelines()
    levels = list(guidelines.urgencies)
    there = levels[level]
    kept = there.conditions[:rule] + there.conditions[rule + 1 :]
    levels[level] = type(there)(there.urgency, there.priority, kept)
    tools = mutants.with_guidelines(mutants.changed(guidelines, urgencies=tuple(levels)))
    reading = [case for case, decided in _decisions() if decided.urgency is there.urgency]
    assert _notices(tools, reading), there.conditions[rule]


OTHER_PRIORITY = {"stat": "urgent", "asap": "routine", "urgent": "routine", "routine": "urgent"}


@pytest.mark.parametrize("level", range(len(_guidelines().urgencies)))
def test_another_priority_for_an_urgency_is_noticed(level: int):
    guidelines = _guidelines()
    levels = list(guidelines.urgencies)
    there = levels[level]
    levels[level] = msgspec.structs.replace(there, priority=OTHER_PRIORITY[there.priority])
    tools = mutants.with_guidelines(mutants.changed(guidelines, urgencies=tuple(levels)))
    assert _notices(tools, [case for case, decided in _decisions() if decided.urgency is there.urgency])


@pytest.mark.parametrize("at", range(len(_guidelines().preferences)))
def test_another_first_choice_of_study_is_noticed(at: int):
    guidelines = _guidelines()
    preferences = list(guidelines.preferences)
    there = preferences[at]
    other = Procedure.CT_MYELOGRAPHY
    preferences[at] = msgspec.structs.replace(there, procedure=other)
    tools = mutants.with_guidelines(mutants.changed(guidelines, preferences=tuple(preferences)))
    leading = [case for case, decided in _decisions() if decided.leading and decided.leading.variant == there.variant]
    assert _notices(tools, leading), f"variant {there.variant}: {there.procedure.value}"


@pytest.mark.parametrize("variant", sorted(_guidelines().no_mri))
def test_another_alternative_to_mri_is_noticed(variant: int):
    guidelines = _guidelines()
    alternatives = {**guidelines.no_mri, variant: (Procedure.DISCOGRAPHY,)}
    tools = mutants.with_guidelines(mutants.changed(guidelines, no_mri=alternatives))
    leading = [case for case, decided in _decisions() if decided.leading and decided.leading.variant == variant]
    assert _notices(tools, leading)
