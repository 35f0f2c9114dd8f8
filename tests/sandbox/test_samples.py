"""The sample requests and records: each has its story, is valid R4, and is about the day on which it is tried."""

from __future__ import annotations

import importlib
import re
from datetime import date
from importlib.resources import files

import msgspec
import pytest

from cds_service.evaluation import record_resources, request_for
from sandbox.samples import UnknownSample, UnknownToken, fill, sample, samples
from sandbox.stories import load
from tests.clinic import usual_tools
from tests.sandbox.codes import unreviewed_codes

DAY = date(2026, 3, 31)
REQUESTS = sorted(name for name, each in samples().items() if each.kind == "requests")
PATIENTS = sorted(name for name, each in samples().items() if each.kind == "patients")


def _filled(name: str) -> dict:
    return msgspec.json.decode(sample(name).filled(DAY, lambda: "5c9b3c4e-0000-4000-8000-000000000000"))


def _validate(resource: dict) -> None:
    name = resource["resourceType"]
    getattr(importlib.import_module(f"fhir.resources.R4B.{name.lower()}"), name).model_validate(resource)


def _strings(value: object):
    if isinstance(value, dict):
        for each in value.values():
            yield from _strings(each)
    elif isinstance(value, list):
        for each in value:
            yield from _strings(each)
    elif isinstance(value, str):
        yield value


def test_every_sample_request_has_its_story_and_every_story_its_request():
    folder = files("sandbox").joinpath("hook_requests").iterdir()
    stored = {file.name.removesuffix(".json") for file in folder if file.name.endswith(".json")}
    assert stored == set(REQUESTS)
    assert len(REQUESTS) >= 12


def test_the_record_of_every_story_is_a_sample_too():
    assert set(PATIENTS) == {story.id for story in load()}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_sample_request_is_a_hook_call_whose_resources_are_valid_r4(name: str):
    call = _filled(name)
    assert call["hook"] in ("order-select", "order-sign")
    assert {"userId", "patientId", "draftOrders"} <= set(call["context"])
    parts = [call["context"]["draftOrders"], *(part for part in call["prefetch"].values() if part is not None)]
    for part in parts:
        _validate(part)


@pytest.mark.parametrize("name", PATIENTS[:3])
def test_a_sample_record_is_a_bundle_that_can_be_evaluated(name: str):
    bundle = _filled(name)
    _validate(bundle)
    order = sample(name).advice.removeprefix("Try --order ").removesuffix(".")
    asked = request_for(record_resources(bundle), order, (), usual_tools().terminology)
    assert asked["context"]["patientId"] == name


@pytest.mark.parametrize("name", REQUESTS)
def test_every_entry_of_a_sample_request_is_about_the_patient_of_its_context(name: str):
    call = _filled(name)
    patient = f"Patient/{call['context']['patientId']}"
    text = sample(name).template()
    named = {value for value in _strings(msgspec.json.decode(text)) if value.startswith("Patient/")}
    assert named == {patient}


@pytest.mark.parametrize("name", REQUESTS)
def test_a_selected_order_is_among_the_drafts(name: str):
    context = _filled(name)["context"]
    drafts = {f"ServiceRequest/{entry['resource']['id']}" for entry in context["draftOrders"]["entry"]}
    assert set(context.get("selections", ())) <= drafts


@pytest.mark.parametrize("name", REQUESTS)
def test_no_sample_is_dated_after_the_day_on_which_it_is_tried(name: str):
    for value in _strings(_filled(name)):
        if re.match(r"\d{4}-\d{2}-\d{2}", value):
            assert value[:10] <= DAY.isoformat()


@pytest.mark.parametrize(
    ("token", "day"),
    [
        ("{{today}}", "2026-03-31"),
        ("{{today-21}}", "2026-03-10"),
        ("{{today-21d}}", "2026-03-10"),
        ("{{today+2}}", "2026-04-02"),
        ("{{today-1m}}", "2026-02-28"),
        ("{{today-4m}}", "2025-11-30"),
        ("{{today-49y}}", "1977-03-31"),
        ("{{today-2}}T18:20:00Z", "2026-03-29T18:20:00Z"),
    ],
)
def test_a_token_is_a_day_relative_to_today(token: str, day: str):
    assert fill(token, DAY, str) == day


def test_a_year_before_29_february_is_28_february():
    assert fill("{{today-1y}}", date(2028, 2, 29), str) == "2027-02-28"


@pytest.mark.parametrize("token", ["{{yesterday}}", "{{today-3w}}", "{{TODAY}}", "{{ today }}"])
def test_a_token_that_means_nothing_is_refused(token: str):
    with pytest.raises(UnknownToken):
        fill(token, DAY, str)


def test_each_filled_request_has_its_own_hook_instance():
    numbers = iter(["one", "two"])
    first, second = (sample(REQUESTS[0]).filled(DAY, lambda: next(numbers)) for _ in range(2))
    assert (msgspec.json.decode(first)["hookInstance"], msgspec.json.decode(second)["hookInstance"]) == ("one", "two")


def test_a_sample_is_found_by_its_path_too():
    assert sample("sandbox/hook_requests/head-ct-stays-silent.json") == sample("head-ct-stays-silent")


def test_an_unknown_name_is_refused():
    with pytest.raises(UnknownSample):
        sample("no-such-story")


def test_every_clinical_code_of_the_samples_is_in_the_reviewed_value_sets_or_names_its_source():
    for name in REQUESTS:
        assert unreviewed_codes(_filled(name)) == [], name
