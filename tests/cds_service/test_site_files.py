"""A site's own codes, orderables and parameters, named in the settings."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.collaborators import build_collaborators
from cds_service.settings import settings_from
from tests.builders import a_condition, a_draft, a_patient
from tests.case_dates import birth_date
from tests.cds_service.service_under_test import STUDY
from tests.clinic import ask
from tests.hook_requests import a_request

DAY = date(2026, 3, 1)
LOCAL = "urn:oid:1.2.840.114350.1.13.0.1.7.2.696580"


def a_file(folder: Path, name: str, text: str) -> str:
    path = folder / name
    path.write_text(text, encoding="utf-8")
    return str(path)


def answer(environment: dict[str, str], drafts: list[dict[str, Any]], chart: list[dict[str, Any]]) -> dict[str, Any]:
    tools = build_collaborators(settings_from(environment), DAY)
    request = a_request(drafts, patient=a_patient(as_of=DAY), chart=chart)
    reply = ask(request, as_of=DAY, tools=tools)
    assert reply.status == 200
    return reply.body


def test_a_local_order_is_recognised_and_the_better_test_is_named_in_the_same_local_codes(tmp_path: Path) -> None:
    catalogue = a_file(
        tmp_path,
        "orders.csv",
        "system,code,display,concept,emit\n"
        f"{LOCAL},CT1,CT lumbar w wo,ct-lumbar-without-and-with-contrast,yes\n"
        f"{LOCAL},MR1,MR lumbar wo,mri-lumbar-without-contrast,yes\n",
    )
    draft = a_draft({"coding": [{"system": LOCAL, "code": "CT1"}]}, ["cauda-equina-syndrome"])
    body = answer({"LUMBAR_CDS_ORDER_CATALOGUE": catalogue}, [draft], [])
    assert body["cards"][0]["indicator"] == "critical"
    updates = [
        action["resource"]
        for suggestion in body["cards"][0]["suggestions"]
        for action in suggestion["actions"]
        if action["type"] == "update"
    ]
    assert (LOCAL, "MR1") in {(coding.get("system"), coding.get("code")) for coding in updates[0]["code"]["coding"]}


def test_a_local_diagnosis_counts_once_the_site_says_what_it_means(tmp_path: Path) -> None:
    code_map = a_file(
        tmp_path, "codes.csv", f"system,code,display,concept,polarity\n{LOCAL},X1,local,cauda-equina-syndrome,present\n"
    )
    chart = [a_condition(f"{LOCAL}|X1|local words", recordedDate=DAY.isoformat())]
    without = answer({}, [a_draft(STUDY)], chart)
    known = answer({"LUMBAR_CDS_SITE_CODES": code_map}, [a_draft(STUDY)], chart)
    assert without["cards"][0]["indicator"] != "critical"
    assert known["cards"][0]["indicator"] == "critical"


def test_a_sites_own_threshold_is_used(tmp_path: Path) -> None:
    values = a_file(tmp_path, "values.toml", "older_age_years = 60\n")
    request = a_request([a_draft(STUDY)], patient=a_patient(as_of=DAY, born=birth_date(66, DAY)))
    usual = ask(request, as_of=DAY).advice
    tools = build_collaborators(settings_from({"LUMBAR_CDS_SITE_PARAMETERS": values}), DAY)
    own = ask(request, as_of=DAY, tools=tools).advice
    assert usual is not None
    assert own is not None
    assert not usual[0].findings.fracture_risk.yes
    assert own[0].findings.fracture_risk.yes


@pytest.mark.parametrize(
    ("variable", "text"),
    [
        ("LUMBAR_CDS_SITE_CODES", "system,code\nx,y\n"),
        ("LUMBAR_CDS_SITE_CODES", f"system,code,display,concept,polarity\n{LOCAL},X1,x,no-such-concept,present\n"),
        ("LUMBAR_CDS_ORDER_CATALOGUE", f"system,code,display,concept,emit\n{LOCAL},X1,x,low-back-pain,yes\n"),
        ("LUMBAR_CDS_SITE_PARAMETERS", "no_such_parameter = 3\n"),
    ],
)
def test_a_site_file_that_cannot_be_used_stops_the_start_in_one_line(tmp_path: Path, variable: str, text: str) -> None:
    named = a_file(tmp_path, "site-file", text)
    result = CliRunner().invoke(main, ["evaluate", "-"], input=json.dumps({}), env={variable: named})
    assert result.exit_code == 2
    assert len(result.stderr.splitlines()) == 1
