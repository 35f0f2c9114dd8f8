"""`lumbar-cds lint`, from a file to the exit status."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cards.profiles import PROFILES
from cds_service.cli import main
from tests.case_reader import cases_in
from tests.clinic import ask

(CASE,) = cases_in(
    {
        "name": "three weeks of pain",
        "patient": {"age": 45, "sex": "male"},
        "chart": [{"problem": "low-back-pain", "began": "21 days ago"}],
        "expect": {"defers": True},
    }
)


def run(path: Path, *options: str) -> Result:
    return CliRunner().invoke(main, ["lint", str(path), *options])


@pytest.fixture
def usual(tmp_path: Path) -> Path:
    path = tmp_path / "answer.json"
    path.write_bytes(ask(CASE.request, as_of=CASE.as_of).raw)
    return path


def test_what_epic_would_drop_of_the_usual_answer_is_read_a_line_each(usual: Path):
    result = run(usual, "--profile", "epic")
    assert result.exit_code == 1
    lines = result.output.splitlines()
    assert any(line.startswith("LOST") and "`update` is not applied by this client" in line for line in lines)
    assert lines[-1].startswith("epic: ")


@pytest.mark.parametrize("profile", PROFILES)
def test_an_answer_written_for_a_client_loses_nothing(profile: str, tmp_path: Path):
    path = tmp_path / "answer.json"
    path.write_bytes(ask(CASE.request, as_of=CASE.as_of, profile=profile).raw)
    result = run(path, "--profile", profile)
    assert (result.exit_code, result.output.splitlines()[-1]) == (0, f"{profile}: nothing lost or changed")


def test_as_json_each_loss_is_an_object(usual: Path):
    result = run(usual, "--profile", "sandbox", "--json")
    losses: list[dict[str, Any]] = [json.loads(line) for line in result.output.splitlines()]
    assert {loss["consequence"] for loss in losses} == {"lost", "note"}
    assert all(set(loss) == {"place", "consequence", "why"} for loss in losses)


def test_what_the_specification_does_not_allow_is_named(tmp_path: Path):
    path = tmp_path / "answer.json"
    path.write_text(
        '{"cards": [{"summary": "x", "indicator": "info", "uuid": "u", "source": {"label": "s"}, "links": []}]}'
    )
    result = run(path)
    assert result.exit_code == 1
    assert "cards[0].links" in result.output


@pytest.mark.parametrize("content", ["{", "[]", '"x"', '{"services": []}', "\udcff"])
def test_what_is_no_answer_is_refused(content: str, tmp_path: Path):
    path = tmp_path / "answer.json"
    path.write_bytes(content.encode("utf-8", "surrogateescape"))
    result = run(path)
    assert result.exit_code == 2
    assert "lumbar-cds: no" in result.output


def test_control_characters_of_a_file_do_not_reach_the_terminal(tmp_path: Path):
    path = tmp_path / "answer.json"
    path.write_text(json.dumps({"cards": [{"suggestions": [{"label": "\x1b[2J"}]}]}))
    assert "\x1b" not in run(path, "--profile", "plain").output
