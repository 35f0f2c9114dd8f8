"""Each sample request gets the advice that its story promises, on any day it is tried."""

from __future__ import annotations

from datetime import date

import msgspec
import pytest

from sandbox.samples import sample, samples
from sandbox.try_requests import main, readable
from tests.clinic import ask, http_clinic

DAYS = (date(2026, 3, 2), date(2026, 12, 31), date(2028, 2, 29))

# Sample: indicator of the first card, words of its summary, pama rating; no card where the indicator is empty.
STORIES = {
    "acute-low-back-pain-three-weeks-mri": ("warning", "defer MRI", "not-appropriate"),
    "four-months-untreated-woman-of-49-mri": ("warning", "defer MRI", "not-appropriate"),
    "ct-without-and-with-contrast-low-back-pain": ("warning", "defer CT", "not-appropriate"),
    "saddle-numbness-and-retention-radiograph": ("critical", "cauda equina", "not-appropriate"),
    "left-foot-weaker-at-each-visit-mri-routine": ("critical", "weakness", "appropriate"),
    "fever-and-injected-drugs-radiograph": ("critical", "infection", "appropriate"),  # ACR variant 7: may be
    "breast-cancer-years-ago-new-pain-mri-without-contrast": ("warning", "cancer", "appropriate"),
    "osteoporosis-and-a-fall-mri": ("info", "usually appropriate", "appropriate"),
    "six-weeks-of-therapy-and-planned-injection-mri": ("info", "usually appropriate", "appropriate"),
    "text-only-numb-bottom-cannot-pee-mri": ("critical", "cauda equina", "appropriate"),
    "prior-mri-in-this-episode-nothing-new-mri": ("warning", "already done", "not-appropriate"),
    "pacemaker-and-planned-injection-mri": ("warning", "pacemaker", "appropriate"),
    "head-ct-stays-silent": ("", "", ""),
    "problem-list-could-not-be-read-mri": ("warning", "could not be read", ""),
    "signing-mri-with-injection-drafted": ("", "", "appropriate"),
}


def _pama(answer: dict) -> str:
    ratings = [line.partition(": ")[2].partition(",")[0] for line in readable(answer) if line.startswith("  rating of")]
    return ratings[0] if ratings else ""


def test_every_sample_request_is_in_the_table():
    assert set(STORIES) == {name for name, each in samples().items() if each.kind == "requests"}


@pytest.mark.parametrize("day", DAYS, ids=str)
@pytest.mark.parametrize("name", STORIES)
def test_a_sample_gets_the_advice_of_its_story(name: str, day: date):
    indicator, words, pama = STORIES[name]
    filled = sample(name).filled(day, lambda: "5c9b3c4e-0000-4000-8000-000000000000")
    reply = ask(filled.encode(), as_of=day)
    answer = reply.body
    cards = answer["cards"]
    assert bool(cards) == bool(indicator)
    if cards:
        assert cards[0]["indicator"] == indicator
        assert words in cards[0]["summary"]
    assert _pama(answer) == pama


def test_posting_a_sample_prints_its_cards(capsys: pytest.CaptureFixture[str]):
    with http_clinic() as clinic:
        assert (
            main(["acute-low-back-pain-three-weeks-mri", "head-ct-stays-silent", "--post", "--url", clinic.base_url])
            == 0
        )
    said = capsys.readouterr().out
    assert "[warning]" in said
    assert "(recommended)" in said
    assert "rating of draft-1: not-appropriate" in said
    assert "no card" in said


def test_printing_a_sample_writes_json_without_tokens(capsys: pytest.CaptureFixture[str]):
    assert main(["head-ct-stays-silent", "--print", "--today", "2026-03-02"]) == 0
    said = capsys.readouterr().out
    assert "{{" not in said
    assert msgspec.json.decode(said)["context"]["draftOrders"]["entry"][0]["resource"]["authoredOn"] == "2026-03-02"


def test_without_a_name_the_samples_are_listed_with_their_stories(capsys: pytest.CaptureFixture[str]):
    assert main([]) == 0
    said = capsys.readouterr().out
    for each in samples().values():
        assert each.name in said
        assert each.story in said


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["no-such-story"], "there is no sample"),
        (["three-weeks-of-low-back-pain", "--post"], "not a call"),
        (["head-ct-stays-silent", "--post", "--url", "http://127.0.0.1:9"], "is the service running"),
    ],
)
def test_what_cannot_be_done_is_said_and_fails(arguments: list[str], said: str, capsys: pytest.CaptureFixture[str]):
    assert main(arguments) == 1
    assert said in capsys.readouterr().err
