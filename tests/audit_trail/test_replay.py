"""A recorded call is made again from its record alone: the same to the byte, or an honest report of what differs."""

from __future__ import annotations

import json
from datetime import UTC, date, datetime, timedelta
from typing import Any

import msgspec
import pytest
from click import unstyle
from msgspec.structs import replace

from audit_trail.overrides import CardOutcome, OverrideMemory
from audit_trail.packing import packed, unpacked
from audit_trail.record import DecisionRecord
from cds_service.collaborators import Collaborators, build_collaborators
from cds_service.contents_in_use import decide_by
from cds_service.replay import compare, replay
from cds_service.replay_views import replay_lines
from cds_service.settings import Settings
from cds_service.versions import InForce, Name, content_of, software_version, texts_of
from sandbox.fhir_server import Behaviour, running
from sandbox.samples import samples
from tests.acr_grid import acr_cells
from tests.audit_trail.recorded import CALLER, NOON, Contents, made_by, recorded
from tests.case_reader import Case, read_cases
from tests.cds_service.service_under_test import a_call
from tests.clinic import tools_of, usual_tools
from tests.fhir_calls import TOKEN, authorization, every_other, everything, store_of, without
from tests.hook_requests import Request

USUAL = Contents(made_by(usual_tools()))
OPEN = Behaviour(tokens=frozenset({TOKEN}))


def a_sample(name: str) -> bytes:
    return samples()[name].filled(NOON.date(), lambda: "11111111-1111-4111-8111-111111111111").encode()


SAMPLES = [name for name, sample in samples().items() if sample.kind == "requests"]


@pytest.mark.parametrize("name", SAMPLES)
def test_every_sample_is_replayed_to_the_byte(name: str) -> None:
    record = recorded(a_sample(name), hook="order-sign" if "signing" in name else "")
    replayed = replay(record, USUAL)
    assert replayed.problem == ""
    assert replayed.differences == ()
    assert replayed.same
    assert replayed.same_software
    assert replayed.answer_bytes == len(unpacked(record.answer)) > 0


ALL_CASES = (*read_cases(), *acr_cells())
CASES = [case for number, case in enumerate(ALL_CASES) if number % 8 == 0 or case.settings]


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.file.removesuffix('.toml')}: {case.name}")
def test_clinical_cases_are_replayed_to_the_byte_under_the_settings_of_their_site(case: Case) -> None:
    tools = tools_of(case)
    now = datetime.combine(case.as_of, datetime.min.time(), tzinfo=UTC) + timedelta(hours=12)
    profile = "sandbox" if case.settings.get("update_only") else CALLER.profile
    record = recorded(case.request, tools, replace(CALLER, profile=profile), now)
    replayed = replay(record, Contents(made_by(tools)))
    assert (replayed.problem, replayed.differences, replayed.same) == ("", (), True)


FAILURES = {
    "an envelope that cannot be used": ({"hook": "order-select"}, 422),
    "no patient": ({**a_call(), "prefetch": {}}, 412),
    "another patient": ({**a_call(), "context": {**a_call()["context"], "patientId": "somebody-else"}}, 422),
}


@pytest.mark.parametrize(("call", "status"), FAILURES.values(), ids=list(FAILURES))
def test_a_refused_call_is_refused_again_in_the_same_words(call: Request, status: int) -> None:
    record = recorded(call)
    replayed = replay(record, USUAL)
    assert (record.outcome, record.status) == ("failed", status)
    assert (replayed.problem, replayed.differences, replayed.same) == ("", (), True)


# --- what the EHR's server had answered -------------------------------------------------------------------------------


def whole_call() -> Request:
    return json.loads(a_sample("six-weeks-of-therapy-and-planned-injection-mri"))


@pytest.mark.parametrize("goes", [everything, every_other])
def test_what_was_fetched_is_part_of_the_record_and_the_server_is_not_asked_again(goes: Any) -> None:
    call = whole_call()
    with running(store_of(call), OPEN) as ehr:
        stripped = without(call, ehr.base, goes)
        record = recorded(stripped, caller=replace(CALLER, fhir_servers=frozenset({ehr.base})))
        asked = len(ehr.requests)
    assert record.fetch_queries > 0
    assert len(record.fetched) > 0
    assert record.request_kept == "without token"
    assert TOKEN.encode() not in unpacked(record.request)
    replayed = replay(record, USUAL)
    assert (replayed.problem, replayed.differences, replayed.same) == ("", (), True)
    assert len(ehr.requests) == asked


def test_pages_that_followed_a_prefetched_one_stand_behind_it_again() -> None:
    call = whole_call()
    with running(store_of(call), replace(OPEN, page_size=1)) as ehr:
        stripped = without(call, ehr.base, everything)
        record = recorded(stripped, caller=replace(CALLER, fhir_servers=frozenset({ehr.base})))
    assert any(len(answer.pages) > 1 for wave in record.fetched for answer in wave.answers)
    replayed = replay(record, USUAL)
    assert (replayed.problem, replayed.differences, replayed.same) == ("", (), True)


def test_a_server_that_was_down_is_down_in_the_replay() -> None:
    call = whole_call()
    with running(store_of(call), OPEN) as ehr:
        base = ehr.base
    stripped = without(call, base, lambda key: key in ("conditions", "medications"))
    record = recorded(stripped, caller=replace(CALLER, fhir_servers=frozenset({base})))
    assert record.gaps
    replayed = replay(record, USUAL)
    assert (replayed.problem, replayed.differences, replayed.same) == ("", (), True)


# --- a site's own files and settings ----------------------------------------------------------------------------------


def site(tmp_path: Any) -> Collaborators:
    parameters = tmp_path / "parameters.toml"
    parameters.write_text("acute_days = 14\nfever_celsius = 38.3\n")
    return build_collaborators(
        Settings(
            site_parameters=parameters,
            rating_guideline="acp",
            show_appropriate=frozenset(),
            public_url="https://cds.example.org",
        )
    )


def test_a_sites_settings_come_from_the_record_not_from_the_machine(tmp_path: Any) -> None:
    tools = site(tmp_path)
    record = recorded(a_sample("acute-low-back-pain-three-weeks-mri"), tools)
    contents = Contents(made_by(tools))
    (tmp_path / "parameters.toml").unlink()
    replayed = replay(record, contents)
    assert (replayed.problem, replayed.differences, replayed.same) == ("", (), True)
    assert record.orders[0].row == "subacute-or-chronic"


def test_a_remembered_override_is_an_input_of_the_replay() -> None:
    tools = build_collaborators(Settings())
    first = recorded(a_sample("acute-low-back-pain-three-weeks-mri"), tools)
    memory = OverrideMemory()
    outcome = CardOutcome("st-anna", first.cards[0].uuid, "overridden", NOON, NOON, "planned-procedure")
    memory.learn([outcome], lambda cards: dict.fromkeys(cards, first))
    tools.overrides = memory
    call = {**msgspec.json.decode(unpacked(first.request)), "hookInstance": "22222222-2222-4222-8222-222222222222"}
    again = recorded(call, tools, now=NOON + timedelta(hours=1))
    assert [each.reason for each in again.overrides] == ["planned-procedure"]
    assert again.cards[0].indicator == "info"
    assert first.cards[0].indicator == "warning"
    replayed = replay(again, Contents(made_by(tools)))
    assert (replayed.problem, replayed.differences, replayed.same) == ("", (), True)
    without_it = replay(replace(again, overrides=()), Contents(made_by(tools)))
    assert not without_it.same


# --- other contents ---------------------------------------------------------------------------------------------------


def changed(name: Name, file: str, before: str, after: str) -> InForce:
    """What is in force, with one thing in one file changed."""
    usual = made_by(usual_tools())
    contents = []
    for content in usual.contents:
        texts = texts_of(content.json)
        if content.name == name:
            assert texts[file].count(before) >= 1
            texts[file] = texts[file].replace(before, after, 1)
        contents.append(content_of(content.name, texts))
    digests = {content.name: content.digest for content in contents}
    return InForce(replace(usual.versions, **digests), tuple(contents))


Change = tuple[Name, str, str, str]
ACUTE: Change = (
    "rules",
    "parameters.toml",
    'value = 28\ncites = "ACR Low Back Pain 2021, narrative',
    'value = 14\ncites = "ACR Low Back Pain 2021, narrative',
)
WORDS: Change = ("wording", "wording.toml", 'short = "X-ray"', 'short = "radiograph"')


def made_under(other: InForce, call: bytes) -> DecisionRecord:
    """A record as a version with these contents would have written it."""
    record = replace(recorded(call), versions=other.versions)
    decided = decide_by(record, {each.name: texts_of(each.json) for each in other.contents})
    return replace(record, answer=packed(decided.answer), details=packed(decided.details))


@pytest.mark.parametrize("change", [ACUTE, WORDS], ids=["rules", "wording"])
def test_a_decision_is_replayed_by_the_contents_that_it_was_made_by(change: Change) -> None:
    other = changed(*change)
    record = made_under(other, a_sample("fever-and-injected-drugs-radiograph" if change is WORDS else SAMPLES[0]))
    today = recorded(unpacked(record.request))
    assert (record.answer, record.details) != (today.answer, today.details)
    replayed = replay(record, Contents(other))
    assert (replayed.problem, replayed.differences, replayed.same) == ("", (), True)


def test_what_today_would_say_names_the_cause_of_each_difference() -> None:
    record = recorded(a_sample(SAMPLES[0]))
    today = changed(*ACUTE)
    compared = compare(record, USUAL, today, NOON.date())
    assert compared.problem == ""
    assert compared.unchanged == ("terminology", "wording", "settings")
    (effect,) = compared.effects
    assert effect.cause == "rules"
    assert [(each.place, each.before, each.after) for each in effect.changed] == [
        ("parameters.toml.parameter.acute_days[1].value", "28", "14")
    ]
    assert set(effect.differences) == set(compared.differences)
    rows = {each.place: (each.before, each.after) for each in compared.differences}
    assert rows["advice[1].leading.id"] == ("acute", "subacute-or-chronic")
    assert ("Order 1: row", "pain for under 4 weeks, no criterion for imaging",
            "pain for 4 weeks or more, no criterion for imaging") in compared.at_a_glance  # fmt: skip


def test_each_cause_is_tried_alone() -> None:
    record = recorded(a_sample("fever-and-injected-drugs-radiograph"))
    rules, words = changed(*ACUTE), changed(*WORDS)
    contents = tuple(
        next(each for each in (rules if name == "rules" else words).contents if each.name == name)
        for name in ("rules", "terminology", "wording", "settings")
    )
    compared = compare(record, USUAL, InForce(words.versions, contents), NOON.date())
    found = {effect.cause: effect for effect in compared.effects}
    assert set(found) == {"rules", "wording"}
    assert found["rules"].differences == ()  # eight days of fever: acute either way
    assert {each.place.split(".")[0] for each in found["wording"].differences} >= {f"cards[{record.cards[0].uuid}]"}


def test_contents_that_this_version_cannot_use_keep_nobody_from_hearing_what_today_would_say() -> None:
    """An upgrade adds words that its code asks for: what was kept before has none of them."""
    before = changed("wording", "wording.toml", "\nrecheck = ", "\nrecheck-earlier = ")
    record = replace(recorded(a_sample(SAMPLES[0])), versions=before.versions)
    assert "cannot work with the wording of then" in replay(record, Contents(before)).problem
    compared = compare(record, Contents(before), changed(*ACUTE), NOON.date())
    assert compared.problem == ""
    assert ("Order 1: row", "pain for under 4 weeks, no criterion for imaging",
            "pain for 4 weeks or more, no criterion for imaging") in compared.at_a_glance  # fmt: skip
    assert [each.cause for each in compared.effects] == ["software", "rules", "wording"]
    assert all(
        "cannot work with the wording" in each.problem and "recheck" in each.technical for each in compared.effects
    )


def test_where_nothing_has_changed_nothing_differs() -> None:
    record = recorded(a_sample(SAMPLES[0]))
    compared = compare(record, USUAL, made_by(usual_tools()), NOON.date())
    assert (compared.differences, compared.effects, compared.problem) == ((), (), "")
    assert compared.unchanged == ("rules", "terminology", "wording", "settings")


def test_the_address_of_the_service_is_no_difference() -> None:
    record = recorded(a_sample(SAMPLES[0]))
    elsewhere = build_collaborators(Settings(public_url="https://elsewhere.example.org"))
    assert compare(record, USUAL, made_by(elsewhere), NOON.date()).differences == ()


def test_rules_that_come_into_force_later_are_those_of_today() -> None:
    follows = "[[parameter.adequate_care_days]]"
    later = f'[[parameter.acute_days]]\nfrom = 2027-01-01\nvalue = 14\nour_choice = "a trial"\n\n{follows}'
    today = changed("rules", "parameters.toml", follows, later)
    record = made_under(today, a_sample(SAMPLES[0]))
    assert replay(record, Contents(today)).same
    compared = compare(record, Contents(today), today, date(2027, 2, 1))
    (effect,) = compared.effects
    assert (effect.cause, effect.changed) == ("rules", ())
    assert compared.differences


# --- another version, and what cannot be replayed ---------------------------------------------------------------------


def test_another_version_says_which_one_wrote_the_record() -> None:
    record = recorded(a_sample(SAMPLES[0]))
    older = replace(record, versions=replace(record.versions, software="0.0.9+0123456789ab"))
    replayed = replay(older, USUAL)
    assert (replayed.wrote, replayed.replayed_by) == ("0.0.9+0123456789ab", software_version())
    assert not replayed.same_software
    assert replayed.same


def test_every_difference_from_the_record_is_reported() -> None:
    record = recorded(a_sample(SAMPLES[0]))
    body = msgspec.json.decode(unpacked(record.answer))
    body["cards"][0]["summary"] = "Something else"
    body["cards"][0]["detail"] += "\nA line more"
    del body["systemActions"]
    details = msgspec.json.decode(unpacked(record.details))
    details["advice"][0]["findings"]["trend"]["level"] = "worse"
    told = replace(record, answer=packed(msgspec.json.encode(body)), details=packed(msgspec.json.encode(details)))
    replayed = replay(told, USUAL)
    card = f"cards[{record.cards[0].uuid}]"
    places = [each.place for each in replayed.differences]
    assert f"{card}.summary" in places
    assert any(place.startswith(f"{card}.detail, line ") for place in places)
    assert "systemActions" in places
    assert "advice[1].findings.trend.level" in places
    assert len(places) == 4
    assert not replayed.same


def test_a_body_that_means_the_same_in_other_bytes_differs() -> None:
    record = recorded(a_sample(SAMPLES[0]))
    spaced = json.dumps(json.loads(unpacked(record.answer))).encode()
    (difference,) = replay(replace(record, answer=packed(spaced)), USUAL).differences
    assert difference.place == "answer"
    assert "mean the same" in difference.after


def no_contents(_: str) -> None:
    return None


NOT_REPLAYED: dict[str, tuple[dict[str, Any], str]] = {
    "the request was never kept": ({"request": b"", "request_kept": "not kept"}, "the request was not kept"),
    "the request was deleted": ({"request": b""}, "deleted when its time had come"),
    "the answer was deleted": ({"answer": b""}, "the answer was deleted"),
    "the request is damaged": ({"request": b"damaged"}, "damaged"),
    "it failed for another reason": ({"outcome": "failed", "status": 503}, "status 503"),
    "an unknown kind of client": ({"profile": "of tomorrow"}, "no clients of the kind"),
    "an unknown service": ({"service": "other"}, "not sent to a service of ours"),
}


@pytest.mark.parametrize(("change", "why"), NOT_REPLAYED.values(), ids=list(NOT_REPLAYED))
def test_what_cannot_be_replayed_says_why(change: dict[str, Any], why: str) -> None:
    record = replace(recorded(a_sample(SAMPLES[0])), **change)
    replayed = replay(record, USUAL)
    assert why in replayed.problem
    assert not replayed.same
    if "answer" not in change:
        assert why in compare(record, USUAL, made_by(usual_tools()), NOON.date()).problem


def test_contents_that_are_gone_or_were_changed_are_named() -> None:
    record = recorded(a_sample(SAMPLES[0]))
    assert "the rules that it was made by are not kept" in replay(record, no_contents).problem
    forged = Contents(made_by(usual_tools()))
    digest = record.versions.rules
    other = content_of("rules", {"parameters.toml": ""})
    forged.kept[digest] = replace(forged.kept[digest], content=packed(other.json))
    assert "they were changed" in replay(record, forged).problem
    forged.kept[digest] = replace(forged.kept[digest], content=b"damaged")
    assert "are damaged" in replay(record, forged).problem


@pytest.mark.parametrize("name", ["__init__.py", "../escaped.toml", "/escaped.toml", "findings/../../escaped.csv"])
def test_contents_never_name_code_nor_anything_outside_their_package(name: str) -> None:
    usual = made_by(usual_tools())
    forged = content_of("rules", {**texts_of(usual.contents[0].json), name: "raise SystemExit"})
    versions = replace(usual.versions, rules=forged.digest)
    record = replace(recorded(a_sample(SAMPLES[0])), versions=versions)
    replayed = replay(record, Contents(usual, InForce(versions, (forged,))))
    assert "no data file of ours" in replayed.problem


def test_contents_that_this_version_cannot_use_are_named() -> None:
    other = changed("rules", "parameters.toml", "[[parameter.acute_days]]", "[[parameter.of_another_time]]")
    record = replace(recorded(a_sample(SAMPLES[0])), versions=other.versions)
    replayed = replay(record, Contents(other))
    assert "kept and whole, but this version of the software cannot work with the rules of then" in replayed.problem
    assert "of_another_time" in replayed.technical


def test_an_auditor_hears_what_can_still_be_said_of_what_cannot_be_replayed() -> None:
    other = changed("wording", "wording.toml", "\nrecheck = ", "\nrecheck-earlier = ")
    record = recorded(a_sample(SAMPLES[0]))
    record = replace(record, versions=replace(other.versions, software="0.0.9+0123456789ab"))
    replayed = replay(record, Contents(other))
    assert not any("Error" in said for said in (replayed.problem, *replayed.can_be_said, *replayed.cannot_be_said))
    said = "; ".join(replayed.can_be_said)
    for command in ("show {} --answer", "explain {}", "show {} --request", "verify", "diff {}"):
        assert f"lumbar-cds audit {command.format(record.decision)}" in said
    assert "0.0.9+0123456789ab, can replay it" in said
    assert any("speaks neither against the answer nor against the record" in each for each in replayed.cannot_be_said)
    shown = unstyle("\n".join(replay_lines(record, replayed)))
    assert shown.index("It cannot be replayed") < shown.index("What can still be said") < shown.index("What cannot")
    assert shown.index("What cannot") < shown.index("For whoever maintains the software")


@pytest.mark.parametrize(
    ("change", "can", "cannot"),
    [
        ({"request": b""}, ("--answer", "explain", "verify"), ("--request", "diff", "can replay it")),
        (
            {"request": b"", "request_kept": "not kept", "answer": b"", "details": b""},
            ("verify",),
            ("--answer", "explain"),
        ),
        ({"answer": b""}, ("explain", "--request", "verify"), ("--answer",)),
        ({"outcome": "failed", "status": 503, "details": b""}, ("What the caller was told",), ("explain", "shown")),
    ],
)
def test_only_what_is_on_record_is_said_to_be(
    change: dict[str, Any], can: tuple[str, ...], cannot: tuple[str, ...]
) -> None:
    replayed = replay(replace(recorded(a_sample(SAMPLES[0])), **change), USUAL)
    said = "; ".join(replayed.can_be_said)
    assert all(each in said for each in can)
    assert not any(each in said for each in cannot)
    assert replayed.cannot_be_said


def test_the_token_is_in_no_record() -> None:
    call = {**whole_call(), "fhirServer": "https://ehr.example.org/fhir", "fhirAuthorization": authorization()}
    record = recorded(call)
    assert TOKEN.encode() not in msgspec.msgpack.encode(replace(record, request=b"")) + unpacked(record.request)
    assert replay(record, USUAL).same


def test_a_process_that_ends_in_mid_answer_is_named_and_another_takes_its_place(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = changed("rules", "parameters.toml", "value = 28", "value = 27")
    record = replace(recorded(a_sample(SAMPLES[0])), versions=other.versions)
    monkeypatch.setattr("cds_service.decided_elsewhere._MODULE", "no_such_module")
    assert "No module named no_such_module" in replay(record, Contents(other)).technical
    monkeypatch.undo()
    assert replay(record, Contents(other)).problem == ""
