"""The runner of the clinical cases is itself tested: a wrong expectation fails, and nothing is ignored in silence."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

import pytest

from tests.answer_reading import Reply
from tests.case_checks import EXPECTATIONS, problems
from tests.case_dates import CaseDateError, fhir_date
from tests.case_reader import Case, CaseError, cases_in, read_cases, read_file
from tests.clinic import ask
from tests.concept_codes import CPT, coding

SADDLE: dict[str, Any] = {
    "name": "saddle numbness",
    "patient": {"age": 45, "sex": "male"},
    "chart": [
        {"problem": "low-back-pain", "began": "20 days ago"},
        {"problem": "saddle-anaesthesia", "began": "today"},
    ],
    "order": "xr-lumbar",
    "expect": {"situation": "emergency"},
}


def _case(**changes: Any) -> Case:
    (case,) = cases_in({**SADDLE, **changes})
    return case


def _reply(case: Case) -> Reply:
    return ask(case.request, as_of=case.as_of)


RIGHT = {
    "situation": "emergency",
    "urgency": "emergency",
    "indicator": "critical",
    "rating": "not-appropriate",
    "category": "usually-not-appropriate",
    "score": 1,
    "variant": 4,
    "suggests": "mri-lumbar-without-contrast stat",
    "suggests_code": f"{CPT}|{coding('mri-lumbar-without-contrast@cpt')['code']}",
    "offers": ["mri-lumbar-without-contrast"],
    "never_offers": ["xr-lumbar"],
    "defers": False,
    "checked_none": False,
    "cards": 1,
    "silent": False,
    "asks": [],
    "findings": {"cauda_equina": "yes suspected +saddle -retention", "infection": "presumed no", "cancer": "not-yes"},
    "shows": {"cauda_equina": "saddle"},
    "adds": None,
    "acp": "acp_imm_cauda_equina",
    "nice": "serious-pathology !depends-on-setting",
    "days": "20",
    "matches": [4],
    "status": 200,
    "robust": None,
    "recheck_days": None,
    "duplicates": 0,
    "safety": ["!gbca_pregnancy"],
    "would_change": [],
    "summary": "MRI",
    "says": ["ACR", "no such words | MRI"],
    "says_not": "no such words",
}
WRONG = {
    "situation": "appropriate",
    "urgency": "routine",
    "indicator": "info",
    "rating": "appropriate",
    "category": "usually-appropriate",
    "score": 9,
    "variant": 1,
    "suggests": "mri-lumbar-without-contrast routine",
    "suggests_code": "urn:oid:2.999|X",
    "offers": ["pet-ct"],
    "never_offers": ["mri-lumbar-without-contrast"],
    "defers": True,
    "checked_none": True,
    "cards": 2,
    "silent": True,
    "asks": ["intervention-candidate-yes"],
    "findings": {"cauda_equina": "presumed no"},
    "shows": {"cauda_equina": "no such entry"},
    "adds": "ct-lumbar-without-contrast stat",
    "acp": "acp_imm_cancer_major",
    "nice": "!serious-pathology",
    "days": "21",
    "matches": [7],
    "status": 412,
    "robust": "neither",
    "recheck_days": 3,
    "duplicates": 1,
    "safety": ["gbca_pregnancy"],
    "would_change": ["no such finding"],
    "summary": "no such words",
    "says": "no such words",
    "says_not": "MRI",
}


def test_every_word_that_a_case_may_expect_is_shown_to_pass_and_to_fail():
    assert set(RIGHT) == set(WRONG) == set(EXPECTATIONS)


@pytest.mark.parametrize("word", sorted(word for word, right in RIGHT.items() if right is not None))
def test_a_right_expectation_passes(word: str):
    case = _case()
    assert problems(_reply(case), case.drafts, {word: RIGHT[word]}) == []


@pytest.mark.parametrize("word", sorted(WRONG))
def test_a_wrong_expectation_fails(word: str):
    case = _case()
    assert problems(_reply(case), case.drafts, {word: WRONG[word]})


@pytest.mark.parametrize(
    "answer",
    ["presumed no", "no", "unknown", "not-yes", "yes possible", "yes suspected +retention", "yes suspected -saddle"],
)
def test_a_wrong_answer_level_or_mark_of_a_finding_fails(answer: str):
    case = _case()
    assert problems(_reply(case), case.drafts, {"findings": {"cauda_equina": answer}})


def test_a_wrong_suggestion_fails_in_study_and_in_priority():
    case = _case()
    for wrong in ("ct-lumbar-without-contrast", "mri-lumbar-without-contrast urgent", "nothing"):
        assert problems(_reply(case), case.drafts, {"suggests": wrong})


def test_expectations_of_several_orders_are_checked_one_by_one():
    (case,) = cases_in({**{k: v for k, v in SADDLE.items() if k != "order"}, "orders": ["xr-lumbar", "dxa"]})
    reply = _reply(case)
    assert problems(reply, case.drafts, {"orders": [{"score": 1}, {"rating": "none"}]}) == []
    assert problems(reply, case.drafts, {"orders": [{"score": 1}, {"rating": "appropriate"}]})


@pytest.mark.parametrize(
    ("change", "says"),
    [
        ({"expect": {"ratng": "appropriate"}}, "ratng"),
        ({"expect": {"orders": [{"situatin": "emergency"}]}}, "situatin"),
        ({"expects": {}}, "expects"),
        ({"patient": {"agee": 4}}, "agee"),
        ({"chart": [{"problem": "low-back-pain", "begun": "today"}]}, "begun"),
        ({"chart": [{"prblem": "low-back-pain"}]}, "prblem"),
        ({"chart": [{"problem": "low-bak-pain"}]}, "low-bak-pain"),
        ({"chart": [{"exam": "own:no-such-code"}]}, "no-such-code"),
        ({"chart": [{"strength": "left eyebrow 4"}]}, "eyebrow"),
        ({"chart": [{"problem": "low-back-pain", "began": "a while ago"}]}, "a while ago"),
        ({"order": {"study": "xr-lumbar", "urgency": "stat"}}, "urgency"),
        ({"order": "xr-lumber"}, "xr-lumber"),
        ({"sources": {"Condition": "lost"}}, "lost"),
        ({"background": "nobody"}, "nobody"),
        ({"rows": [{"days": "3"}], "name": "no word of the row in the name"}, "row"),
        ({"rows": [{"days": "3"}], "name": "{weeks}"}, "weeks"),
        ({"expect": {}}, "expectation"),
    ],
)
def test_a_word_that_the_reader_does_not_know_stops_it(change: dict[str, Any], says: str):
    with pytest.raises(CaseError, match=says):
        list(cases_in({**SADDLE, **change}))


def test_an_empty_chart_is_not_accepted_in_silence():
    silent = {key: value for key, value in SADDLE.items() if key != "chart"}
    with pytest.raises(CaseError, match="no chart"):
        list(cases_in(silent))
    (written,) = cases_in({**silent, "chart": []})
    assert written.request["prefetch"]["conditions"] == {"resourceType": "Bundle", "type": "searchset", "total": 0}


def test_a_word_of_a_row_is_filled_in_wherever_it_stands():
    entry = {**SADDLE, "name": "retention for {days} days", "rows": [{"days": "3", "expect": {"score": 1}}]}
    entry["chart"] = [{"problem": "urinary-retention", "began": "{days} days ago"}]
    (case,) = cases_in(entry)
    assert case.name == "retention for 3 days"
    assert case.expect == {"situation": "emergency", "score": 1}
    (entry_in_chart,) = case.request["prefetch"]["conditions"]["entry"]
    assert entry_in_chart["resource"]["onsetDateTime"] == "2026-11-20"


def test_two_cases_with_one_name_are_refused(tmp_path: Path):
    case = '[[case]]\nname = "twice"\nchart = []\nexpect = { silent = true }\n'
    (tmp_path / "twins.toml").write_text(case * 2, encoding="utf-8")
    with pytest.raises(CaseError, match="two cases"):
        read_cases(tmp_path)


def test_an_unknown_table_in_a_file_is_refused(tmp_path: Path):
    file = tmp_path / "cases.toml"
    file.write_text('[[caze]]\nname = "lost"\n', encoding="utf-8")
    with pytest.raises(CaseError, match="caze"):
        list(read_file(file, tmp_path))


@pytest.mark.parametrize(
    ("text", "day"),
    [
        ("today", "2026-11-23"),
        ("yesterday", "2026-11-22"),
        ("21 days ago", "2026-11-02"),
        ("1 week ago", "2026-11-16"),
        ("3 years ago", "2023-11-23"),
        ("in 2 weeks", "2026-12-07"),
        ("2026-09", "2026-09"),
        ("2026", "2026"),
    ],
)
def test_dates_mean_what_they_say(text: str, day: str):
    assert fhir_date(text, date(2026, 11, 23)) == day


@pytest.mark.parametrize("text", ["last week", "21 days", "2026-9", "tomorrowish", ""])
def test_other_dates_are_refused(text: str):
    with pytest.raises(CaseDateError):
        fhir_date(text, date(2026, 11, 23))


def test_a_case_with_only_relative_dates_means_the_same_on_another_day():
    entry = {**SADDLE, "chart": [{"problem": "saddle-anaesthesia", "began": "2 days ago"}]}
    (here,), (there,) = cases_in(entry), cases_in(entry, as_of=date(2027, 3, 1))
    assert here.relative
    assert here.request["prefetch"]["conditions"] != there.request["prefetch"]["conditions"]
    (dated,) = cases_in({**entry, "chart": [{"problem": "saddle-anaesthesia", "began": "2026-11-21"}]})
    assert not dated.relative
