"""The command line: the same decision without HTTP, code look-up, the tables, and a start that stops by name."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import time
import urllib.request
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from cds_service.cli import main
from cds_service.schemas import validator
from tests.cds_service.service_under_test import STUDY, a_call
from tests.concept_codes import coding

DAY = "2026-03-01"
PATIENT = {"resourceType": "Patient", "id": "p-1", "birthDate": "1980-05-05"}


def run(*arguments: str, given: str | bytes | None = None, **environment: str) -> Result:
    return CliRunner().invoke(main, list(arguments), input=given, env=environment)


def a_file(tmp_path: Path, content: object) -> str:
    path = tmp_path / "file.json"
    path.write_text(json.dumps(content), encoding="utf-8")
    return str(path)


def cards(result: Result) -> list[dict[str, Any]]:
    assert result.exit_code == 0, result.output
    answer = json.loads(result.stdout)
    assert list(validator("response").iter_errors(answer)) == []
    shown: list[dict[str, Any]] = answer["cards"]
    return shown


# --- evaluate ---------------------------------------------------------------------------------------------------------


def test_a_request_is_judged_for_people_and_for_machines(tmp_path: Path) -> None:
    request = a_file(tmp_path, a_call())
    (card,) = cards(run("evaluate", request, "--json"))
    printed = run("evaluate", request)
    assert printed.exit_code == 0
    assert card["summary"] in printed.stdout.replace("\n", " ")
    assert card["indicator"].upper() in printed.stdout
    for suggestion in card["suggestions"]:
        assert suggestion["label"] in printed.stdout
    assert "Rating of " in printed.stdout
    assert "not-appropriate" in printed.stdout


def test_silence_is_not_mistaken_for_all_clear(tmp_path: Path) -> None:
    call = a_call()
    call["context"]["draftOrders"]["entry"][0]["resource"]["code"] = {"text": "MRI brain"}
    printed = run("evaluate", a_file(tmp_path, call)).stdout
    assert printed == "No card: no selected order is lumbar imaging, so nothing was assessed.\n"


def test_record_text_cannot_drive_the_terminal(tmp_path: Path) -> None:
    call = a_call()
    order = call["context"]["draftOrders"]["entry"][0]["resource"]
    order["reasonCode"].append({"text": "odd words \x1b[2J\x07 that nobody reads"})
    printed = run("evaluate", a_file(tmp_path, call)).stdout
    assert "odd words" in printed
    assert not [character for character in printed if character != "\n" and not character.isprintable()]


def test_a_request_may_come_from_standard_input() -> None:
    assert cards(run("evaluate", "-", "--json", given=json.dumps(a_call())))


@pytest.mark.parametrize(
    "record",
    [
        pytest.param([PATIENT], id="list"),
        pytest.param({"resourceType": "Bundle", "type": "collection", "entry": [{"resource": PATIENT}]}, id="bundle"),
        pytest.param(
            {"resourceType": "Bundle", "entry": [{"resource": PATIENT}, {}, None, {"resource": 1}]}, id="holes"
        ),
    ],
)
def test_a_whole_record_is_judged_with_an_order_made_up_for_it(tmp_path: Path, record: object) -> None:
    result = run("evaluate", a_file(tmp_path, record), "--order", STUDY, "--reason", "low back pain", "--json")
    (card,) = cards(result)
    assert card["indicator"] == "warning"


def test_a_whole_record_has_no_missing_parts(tmp_path: Path) -> None:
    result = run("evaluate", a_file(tmp_path, [PATIENT]), "--order", STUDY, "--reason", "low back pain")
    assert "could not be read" not in result.stdout
    assert "Not available" not in result.stdout


def test_reasons_can_be_codes(tmp_path: Path) -> None:
    reason = coding("cauda-equina-syndrome")
    file = a_file(tmp_path, [PATIENT])
    result = run("evaluate", file, "--order", STUDY, "--reason", f"{reason['system']}|{reason['code']}", "--json")
    assert cards(result)[0]["indicator"] == "critical"


def test_the_day_can_be_chosen(tmp_path: Path) -> None:
    file = a_file(tmp_path, [{**PATIENT, "birthDate": "2010-03-02"}])
    child = run("evaluate", file, "--order", STUDY, "--reason", "low back pain", "--today", "2028-03-01", "--json")
    adult = run("evaluate", file, "--order", STUDY, "--reason", "low back pain", "--today", "2028-03-02", "--json")
    assert cards(child)[0]["summary"] != cards(adult)[0]["summary"]


def test_the_hook_can_be_chosen(tmp_path: Path) -> None:
    file = a_file(tmp_path, a_call())
    at_signing = cards(run("evaluate", file, "--hook", "order-sign", "--json"))
    assert at_signing[0]["uuid"] != cards(run("evaluate", file, "--json"))[0]["uuid"]


@pytest.mark.parametrize(
    ("content", "options", "said"),
    [
        pytest.param([PATIENT], [], "--order", id="record-without-order"),
        pytest.param([PATIENT], ["--order", "mri-of-the-moon"], "mri-of-the-moon", id="unknown-order"),
        pytest.param([], ["--order", STUDY], "one patient", id="no-patient"),
        pytest.param([PATIENT, {**PATIENT, "id": "p-2"}], ["--order", STUDY], "one patient", id="two-patients"),
        pytest.param({"resourceType": "Patient"}, ["--order", STUDY], "Bundle", id="single-resource"),
        pytest.param([PATIENT], ["--order", STUDY, "--today", "1 March"], "YYYY-MM-DD", id="bad-day"),
        pytest.param(a_call(), ["--order", STUDY], "its own orders", id="order-beside-a-request"),
        pytest.param(a_call(), ["--reason", "low back pain"], "its own orders", id="reason-beside-a-request"),
    ],
)
def test_what_cannot_be_judged_is_said_in_one_line(
    tmp_path: Path, content: object, options: list[str], said: str
) -> None:
    result = run("evaluate", a_file(tmp_path, content), *options)
    assert result.exit_code == 2
    assert said in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_a_refused_request_is_an_operation_outcome_on_standard_error(tmp_path: Path) -> None:
    result = run("evaluate", a_file(tmp_path, a_call(prefetch=None)), "--json")
    assert (result.exit_code, result.stdout) == (1, "")
    assert json.loads(result.stderr)["resourceType"] == "OperationOutcome"


# --- codes ------------------------------------------------------------------------------------------------------------


def test_a_code_is_explained() -> None:
    known = coding("cauda-equina-syndrome")
    result = run("codes", known["system"], known["code"])
    assert result.exit_code == 0
    assert result.stdout.splitlines()[0] == "cauda-equina-syndrome"
    assert "because" in result.stdout


def test_an_unknown_code_is_not_taken_for_absence() -> None:
    result = run("codes", "http://example.org/local", "ABC")
    assert result.exit_code == 1
    assert "not recognised" in result.stdout


def test_lines_are_answered_one_by_one() -> None:
    known = coding("cauda-equina-syndrome")
    given = f'system,code,display\n{known["system"]},{known["code"]},"a, b"\n\nhttp://example.org/local,ABC\n'
    result = run("codes", given=given)
    first, second = (json.loads(line) for line in result.stdout.splitlines())
    assert (first["code"], first["display"], first["concepts"]) == (known["code"], "a, b", ["cauda-equina-syndrome"])
    assert (second["code"], second["concepts"]) == ("ABC", [])


def test_a_broken_line_spoils_no_other_line() -> None:
    known = coding("cauda-equina-syndrome")
    sound = f"{known['system']},{known['code']}".encode()
    given = b'no comma\n"never closed,1,x\nhttp://loinc.org,\xff\xfe,x\n' + sound + b"\r\n"
    result = run("codes", given=given)
    assert result.exit_code == 0
    lines = [json.loads(line) for line in result.stdout.splitlines()]
    assert [line["concepts"] for line in lines] == [[], [], [], ["cauda-equina-syndrome"]]
    assert "no code in this line" in lines[0]["because"][0]
    assert "no code in this line" in lines[1]["because"][0]


def test_a_code_whose_table_was_left_out_is_said_to_be_so() -> None:
    known = coding(f"{STUDY}@cpt")
    result = run("codes", known["system"], known["code"], LUMBAR_CDS_WITHOUT_CPT="yes")
    assert result.exit_code == 1
    assert "the table of this code system was left out" in result.stdout


def test_a_diagnosis_is_not_explained_as_an_order() -> None:
    known = coding("cauda-equina-syndrome")
    assert "as an order" not in run("codes", known["system"], known["code"], known["display"]).stdout


def test_a_medicine_is_recognised_by_an_ingredient_in_its_name() -> None:
    given = "http://www.nlm.nih.gov/research/umls/rxnorm,0,naproxen 500 MG Oral Tablet\n"
    assert "nsaid" in json.loads(run("codes", given=given).stdout)["concepts"]


def test_order_concepts_are_listed() -> None:
    assert STUDY in run("codes", "--orders").stdout.splitlines()


# --- rules ------------------------------------------------------------------------------------------------------------


def test_the_tables_are_printed_with_their_citations() -> None:
    printed = run("rules").stdout
    assert "mri_lumbar_spine_without_iv_contrast" in printed
    assert "ACR Low Back Pain 2021, variant 4" in printed
    assert "fever_celsius" in printed
    assert "our_choice" in printed


def test_one_table_can_be_asked_for() -> None:
    printed = run("rules", "parameters").stdout
    assert "fever_celsius" in printed
    assert "mri_lumbar_spine" not in printed
    assert run("rules", "astrology").exit_code == 2


# --- serve ------------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "environment", "said"),
    [
        pytest.param(["serve"], {}, "--open", id="without-open"),
        pytest.param(["serve", "--open", "--host", "0.0.0.0"], {}, "loopback", id="everyone"),
        pytest.param(["serve", "--open"], {"LUMBAR_CDS_HOST": "192.0.2.1"}, "loopback", id="everyone-by-setting"),
        pytest.param(["serve", "--open", "--fhir-server", "http://10.0.0.1/fhir"], {}, "https", id="plain-http"),
        pytest.param(["serve", "--open", "--fhir-server", "https://x?y"], {}, "--fhir-server", id="no-base"),
        pytest.param(["serve", "--open"], {"LUMBAR_CDS_FHIR_SERVERS": "ftp://x"}, "FHIR_SERVERS", id="no-web-address"),
        pytest.param(["serve", "--open"], {"LUMBAR_CDS_PORTT": "1"}, "LUMBAR_CDS_PORTT", id="mistyped"),
        pytest.param(["serve", "--open"], {"LUMBAR_CDS_PORT": "x"}, "LUMBAR_CDS_PORT", id="unusable"),
    ],
)
def test_a_start_that_must_not_be_is_stopped_by_name(
    arguments: list[str], environment: dict[str, str], said: str
) -> None:
    result = run(*arguments, **environment)
    assert result.exit_code == 2
    assert said in result.stderr


def test_a_port_that_is_taken_is_said_in_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as other:
        result = run("serve", "--open", "--port", str(other.getsockname()[1]))
    assert result.exit_code == 2
    assert "--port" in result.stderr
    assert len(result.stderr.splitlines()) == 1


def test_site_parameters_that_cannot_be_used_stop_the_start_by_name(tmp_path: Path) -> None:
    for text, said in [("fever = 38", "fever"), ("fever_celsius = 'hot'", "fever_celsius"), ("= 3", "SITE_PARAMETERS")]:
        path = tmp_path / "values.toml"
        path.write_text(text, encoding="utf-8")
        result = run("evaluate", "-", given="{}", LUMBAR_CDS_SITE_PARAMETERS=str(path))
        assert result.exit_code == 2
        assert said in result.stderr


def test_the_server_starts_says_what_to_try_answers_and_stops(tmp_path: Path) -> None:
    port = _free_port()
    command = [sys.executable, "-m", "cds_service", "serve", "--open", "--port", str(port)]
    log = (tmp_path / "log").open("w+b")
    process = subprocess.Popen(command, stderr=log, cwd=Path(__file__).parents[2], env={**os.environ})
    try:
        assert _first_answer(f"http://127.0.0.1:{port}/health", process)["status"] == "ok"
        process.terminate()
        assert process.wait(timeout=20) == 0
    finally:
        with suppress(ProcessLookupError):
            process.kill()
        process.wait(timeout=20)
    log.seek(0)
    said = log.read().decode()
    assert f"curl http://127.0.0.1:{port}/cds-services" in said
    assert f"sandbox.try_requests acute-low-back-pain-three-weeks-mri --post --url http://127.0.0.1:{port}" in said


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _first_answer(url: str, server: subprocess.Popen[bytes]) -> dict[str, Any]:
    deadline = time.monotonic() + 20
    while True:
        try:
            with urllib.request.urlopen(url, timeout=5) as answer:
                found: dict[str, Any] = json.load(answer)
                return found
        except OSError:
            if time.monotonic() > deadline or server.poll() is not None:
                raise
            time.sleep(0.05)
