"""`lumbar-cds audit`: what each command shows of records that the service wrote, and that looking is recorded."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result
from msgspec.structs import replace

from audit_trail.database import sqlite_address, store_address
from audit_trail.packing import packed, unpacked
from audit_trail.queries import Queries
from audit_trail.record import DecisionRecord, FeedbackItem, FeedbackRecord, Record
from audit_trail.store import open_store
from audit_trail.tables import EPOCH
from cds_service.cli import main
from cds_service.settings import DEFAULT_CANONICAL_BASE
from sandbox.samples import samples
from tests import postgres
from tests.audit_trail.recorded import NOON, Contents, made_by, recorded
from tests.audit_trail.stores import frames
from tests.cds_service.service_under_test import a_call
from tests.clinic import usual_tools

DEFER = "acute-low-back-pain-three-weeks-mri"
EMERGENCY = "saddle-numbness-and-retention-radiograph"
SILENT = "head-ct-stays-silent"


def record_of(name: str) -> DecisionRecord:
    return recorded(json.loads(samples()[name].filled(NOON.date(), lambda: "11111111-1111-4111-8111-111111111111")))


DEFERRED = record_of(DEFER)
OVERRIDDEN = FeedbackRecord(
    at=NOON + timedelta(minutes=6),
    service=DEFERRED.service,
    client=DEFERRED.client,
    items=(
        FeedbackItem(
            card=DEFERRED.cards[0].uuid,
            outcome="overridden",
            reason_code="planned-procedure",
            reason_system=DEFAULT_CANONICAL_BASE,
            comment="injection on Friday",
            outcome_timestamp="2026-11-25T12:05:00Z",
        ),
    ),
)
RECORDS: tuple[Record, ...] = (
    *Contents(made_by(usual_tools())).kept.values(),
    DEFERRED,
    replace(record_of(EMERGENCY), at=NOON + timedelta(minutes=1)),
    replace(record_of(SILENT), at=NOON + timedelta(minutes=2), decision="left-alone-1"),
    replace(recorded({**a_call(), "prefetch": {}}), at=NOON + timedelta(minutes=3), decision="failed-1"),
    OVERRIDDEN,
    replace(OVERRIDDEN, at=NOON + timedelta(minutes=7)),  # sent again
)
EMERGENT: Any = RECORDS[-5]


class CommandLine:
    """The commands, on a store of their own."""

    def __init__(self, folder: Path, database: str = "") -> None:
        self.environment = {"LUMBAR_CDS_STATE_DIR": str(folder), "COLUMNS": "80"}
        if database:
            self.environment["LUMBAR_CDS_AUDIT_STORE"] = database
        self.store = open_store(store_address(database) if database else sqlite_address(folder / "audit.sqlite3"))
        self.store.prepare()
        self.store.append("worker-1", frames(list(RECORDS)))

    def run(self, *arguments: str, status: int = 0, **more: str) -> Result:
        result = CliRunner().invoke(main, ["audit", *arguments], env={**self.environment, **more})
        assert result.exit_code == status, (result.output, result.exception)
        return result

    def looked(self) -> list[tuple[str, str, int]]:
        """What was recorded of looking: action, decision, how many records."""
        accesses = Queries(self.store).accesses(EPOCH, NOON.replace(year=9000))
        assert {each.record.through for each in accesses} <= {"command line"}
        assert all(each.record.who for each in accesses)
        return [(each.record.action, each.record.decision, each.record.records) for each in accesses]


@pytest.fixture
def line(tmp_path: Path) -> Iterator[CommandLine]:
    made = CommandLine(tmp_path)
    yield made
    made.store.close()


def test_the_list_shows_what_was_said_and_what_was_replied(line: CommandLine) -> None:
    shown = line.run("list", COLUMNS="120").output
    lines = shown.splitlines()
    assert lines[0].split() == ["When", "(UTC)", "Decision", "Client", "What", "it", "said", "Card", "Reply"]
    assert "2026-11-25 12:03  failed-1  st-anna  failed, 412 PatientUnavailable" in shown
    assert "left alone" in shown
    assert f"2026-11-25 12:00  {DEFERRED.decision[:8]}" in shown
    assert "overridden" in shown
    assert shown.index("failed-1") < shown.index(DEFERRED.decision[:8])
    assert line.looked() == [("list", "", 4)]


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--outcome", "failed"), 1),
        (("--rating", "not-appropriate"), 2),
        (("--situation", "emergency"), 1),
        (("--client", "st-bea"), 0),
        (("--patient", DEFERRED.patient), 1),
        (("--patient", f"Patient/{DEFERRED.patient}"), 1),
        (("--user", DEFERRED.user), 3),
        (("--since", "2026-11-25T12:02:00"), 2),
        (("--until", "2026-11-25"), 0),
        (("--limit", "2"), 2),
    ],
)
def test_the_list_is_narrowed_by_what_is_asked(line: CommandLine, options: tuple[str, ...], count: int) -> None:
    rows = [json.loads(each) for each in line.run("list", "--json", *options).output.splitlines()]
    if options[0] == "--user":
        count = sum(each.user == DEFERRED.user for each in RECORDS if isinstance(each, DecisionRecord))
    assert len(rows) == count


def test_a_list_that_goes_on_says_how(line: CommandLine) -> None:
    assert "More before that: --until 2026-11-25T12:02:00Z, or --limit N." in line.run("list", "--limit", "2").output


@pytest.mark.parametrize(
    "name", [DEFERRED.decision, DEFERRED.decision[:8], DEFERRED.cards[0].uuid.upper(), "worker-1-5"]
)
def test_a_decision_is_found_by_any_of_its_names(line: CommandLine, name: str) -> None:
    assert f"Decision {DEFERRED.decision}" in line.run("explain", name).output
    assert line.looked() == [("explain", DEFERRED.decision, 1)]


def test_last_is_the_last_one(line: CommandLine) -> None:
    assert "Decision failed-1" in line.run("explain", "last").output


@pytest.mark.parametrize("name", ["no-such-decision", "abc", "%%%%%%%%", "______"])
def test_a_name_of_nothing_is_said_to_be_one(line: CommandLine, name: str) -> None:
    assert "no such decision, record or card" in line.run("show", name, status=2).output
    assert line.looked() == []


def test_show_has_everything_on_record(line: CommandLine) -> None:
    shown = line.run("show", DEFERRED.decision, COLUMNS="120").output
    for said in (
        "worker-1-5",
        DEFERRED.user,
        DEFERRED.versions.rules,
        "Is back pain or sciatica",
        "conditions",
        "known empty",
        "Check red flags, then defer MRI without contrast",
        "A procedure is planned (planned-procedure)",
        "injection on Friday",
    ):
        assert said in " ".join(shown.split()), said
    assert shown.count("overridden") == 1  # sent twice, counted once
    narrow = line.run("show", DEFERRED.decision).output.splitlines()
    assert all(len(each) <= 80 for each in narrow if "http" not in each)


def test_show_hands_out_request_and_answer_to_the_byte(line: CommandLine) -> None:
    assert line.run("show", DEFERRED.decision, "--answer").stdout_bytes == unpacked(DEFERRED.answer)
    assert line.run("show", DEFERRED.decision, "--request").stdout_bytes == unpacked(DEFERRED.request)
    whole = json.loads(line.run("show", DEFERRED.decision, "--json").output)
    assert whole["answer"] == json.loads(unpacked(DEFERRED.answer))


def test_explain_tells_the_story(line: CommandLine) -> None:
    told = " ".join(line.run("explain", EMERGENT.decision, COLUMNS="120").output.split())
    assert "The first row that fits leads: suspected cauda equina" in told
    assert "Is cauda equina syndrome suspected?" in told
    assert "What would have changed it" in told
    story = json.loads(line.run("explain", EMERGENT.decision, "--json").output)
    assert story["sections"][0]["title"] == "The call"


def test_replay_is_the_same_to_the_byte(line: CommandLine) -> None:
    shown = line.run("replay", DEFERRED.decision, EMERGENT.decision).output
    assert shown.count("The same to the byte: ") == 2
    (plain,) = map(json.loads, line.run("replay", DEFERRED.decision, "--json").output.splitlines())
    assert (plain["same"], plain["differences"]) == (True, [])
    assert "4 the same to the byte, 0 differ" in line.run("replay", "--all").output
    assert line.looked()[-1][0] == "replay"


def test_a_replay_that_differs_lists_every_difference(line: CommandLine) -> None:
    answer = json.loads(unpacked(DEFERRED.answer))
    answer["cards"][0]["indicator"] = "info"
    forged = replace(DEFERRED, decision="forged-1", answer=packed(json.dumps(answer).encode()))
    older = replace(forged, decision="older-1", versions=replace(forged.versions, software="0.0.9+x"))
    gone = replace(DEFERRED, decision="gone-1", request=b"")
    line.store.append("worker-2", frames([forged, older, gone]))
    shown = line.run("replay", "forged-1", status=1).output
    assert "It differs in one place: the cards (1)." in shown
    assert "this is a defect, or the record was changed" in shown
    assert "Recorded  info" in shown
    assert "Replayed  warning" in shown
    assert "by 0.0.9+x" in line.run("replay", "older-1", status=1).output
    assert "cannot be replayed" in line.run("replay", "gone-1", status=2).output
    every = line.run("replay", "--all", status=1).output
    assert "4 the same to the byte, 2 differ, 1 cannot be replayed" in every
    assert "older-1  differs (written by 0.0.9+x): cards[" in every


def test_replay_wants_ids_or_all(line: CommandLine) -> None:
    line.run("replay", status=2)
    line.run("replay", "--all", "last", status=2)


def test_diff_says_the_same_or_names_the_cause(line: CommandLine, tmp_path: Path) -> None:
    same = line.run("diff", DEFERRED.decision, "--today", "2026-11-25").output
    assert "Today it would say the same, to the byte." in same
    parameters = tmp_path / "site.toml"
    parameters.write_text("acute_days = 14\n")
    site = {"LUMBAR_CDS_SITE_PARAMETERS": str(parameters)}
    shown = line.run("diff", DEFERRED.decision, "--today", "2026-11-25", status=1, **site).output
    assert "Unchanged  rules, terminology, wording" in shown
    assert "settings.json.site_parameters.acute_days" in shown
    assert "pain for 4 weeks or more" in " ".join(shown.split())
    (plain,) = map(json.loads, line.run("diff", DEFERRED.decision, "--json", status=1, **site).output.splitlines())
    assert [effect["cause"] for effect in plain["effects"]] == ["settings"]


def test_feedback_is_listed_with_its_decision_and_its_clinician(line: CommandLine) -> None:
    unknown = FeedbackItem(card="a card of last year", outcome="accepted", accepted_suggestions=("x",))
    line.store.append("worker-2", frames([replace(OVERRIDDEN, at=NOON + timedelta(hours=1), items=(unknown,))]))
    shown = line.run("feedback", COLUMNS="120").output
    first = next(each for each in shown.splitlines() if DEFERRED.decision[:8] in each)
    assert "not appropriate" in first
    assert DEFERRED.user.removeprefix("Practitioner/") in first
    assert "A procedure is planned" in first
    assert "“injection on Friday”" in shown
    assert "2 outcomes of 2 cards: 1 accepted, 1 overridden. Cards that are not known: 1." in shown
    told = [json.loads(each) for each in line.run("feedback", "--json").output.splitlines()]
    assert [(each["decision"], each["row"], each["user"]) for each in told] == [
        (DEFERRED.decision, DEFERRED.orders[0].row, DEFERRED.user),
        ("", "", ""),
    ]
    assert line.looked()[-1] == ("feedback", "", 2)


@pytest.mark.parametrize(
    ("options", "count"),
    [
        (("--client", "st-bea"), 0),
        (("--client", "st-anna"), 1),
        (("--user", DEFERRED.user), 1),
        (("--user", "Practitioner/nobody"), 0),
        (("--situation", "not-appropriate"), 1),
        (("--rating", "none"), 0),
        (("--service", "lumbar-imaging-order-sign"), 0),
        (("--until", "2026-11-25T12:06:00"), 0),
    ],
)
def test_feedback_is_narrowed_by_what_is_asked(line: CommandLine, options: tuple[str, ...], count: int) -> None:
    assert len(line.run("feedback", "--json", *options).output.splitlines()) == count


def test_exports_hold_every_call_that_was_chosen(line: CommandLine) -> None:
    ndjson = line.run("export").stdout
    assert [json.loads(each)["decision"] for each in ndjson.splitlines()][-1] == DEFERRED.decision
    assert len(ndjson.splitlines()) == 4
    table = list(csv.DictReader(io.StringIO(line.run("export", "--format", "csv").stdout)))
    assert [row["comment"] for row in table if row["decision"] == DEFERRED.decision] == ["injection on Friday"]
    fhir = [json.loads(each) for each in line.run("export", "--format", "fhir").stdout.splitlines()]
    assert {each["resourceType"] for each in fhir} == {"AuditEvent", "Provenance"}
    bundle = json.loads(line.run("export", "--format", "fhir", "--bundle").stdout)
    assert len(bundle["entry"]) >= len(fhir)
    assert len({entry["fullUrl"] for entry in bundle["entry"]}) == len(bundle["entry"])
    one = line.run("export", "--patient", DEFERRED.patient)
    assert "1 call exported as ndjson" in one.stderr
    assert [each[0] for each in line.looked()] == ["export"] * 5


def test_simulate_counts_the_cards_of_each_threshold(line: CommandLine) -> None:
    shown = line.run("simulate").output
    assert "critical cards" in shown
    assert "By kind of advice" in shown
    (plain,) = map(json.loads, line.run("simulate", "--json").output.splitlines())
    assert [each["cards"] for each in plain["cost"]["thresholds"]] == [1, 2, 2, 2]


def test_simulate_decides_again_with_another_parameter(line: CommandLine) -> None:
    shown = line.run("simulate", "--set", "acute_days=14").output
    assert "2 calls were decided again" in shown
    plain = json.loads(line.run("simulate", "--set", "acute_days=14", "--json").output)
    assert plain["otherwise"]["before"] == plain["otherwise"]["after"] == {"critical": 1, "warning": 1}


@pytest.mark.parametrize("change", ["acute_days", "acute_days=soon", "no_such=1", "fever_celsius=99"])
def test_a_parameter_that_cannot_be_used_is_refused(line: CommandLine, change: str) -> None:
    line.run("simulate", "--set", change, status=2)


@pytest.mark.parametrize("period", ["yesterday", "2026-13-01", "0d", "-3d"])
def test_a_period_that_cannot_be_read_is_refused(line: CommandLine, period: str) -> None:
    assert "expected a day" in line.run("list", f"--since={period}", status=2).output


def test_without_a_store_there_is_nothing_to_look_at(tmp_path: Path) -> None:
    environment = {"LUMBAR_CDS_STATE_DIR": str(tmp_path)}
    none = CliRunner().invoke(main, ["audit", "list"], env=environment)
    assert (none.exit_code, "there is no audit store" in none.output) == (2, True)
    assert not list(tmp_path.glob("*.sqlite3"))
    off = CliRunner().invoke(main, ["audit", "list"], env={**environment, "LUMBAR_CDS_AUDIT_STORE": "off"})
    assert (off.exit_code, "LUMBAR_CDS_AUDIT_STORE" in off.output) == (2, True)


def test_every_command_shows_the_same_on_postgresql(line: CommandLine, tmp_path: Path) -> None:
    other = CommandLine(tmp_path, postgres.new_database())
    for command in (
        ("list",),
        ("list", "--json", "--situation", "emergency"),
        ("show", DEFERRED.decision[:8]),
        ("explain", DEFERRED.cards[0].uuid),
        ("replay", "--all"),
        ("export", "--format", "csv"),
        ("export", "--patient", DEFERRED.patient),
        ("simulate", "--set", "acute_days=14"),
        ("feedback", "--client", "st-anna"),
    ):
        assert other.run(*command).stdout == line.run(*command).stdout
    other.store.close()


def test_where_looking_cannot_be_recorded_nothing_is_shown(line: CommandLine, monkeypatch: pytest.MonkeyPatch) -> None:
    from audit_trail.draining import StoreDown
    from audit_trail.store import NotRecorded, Store

    def full(*_: object) -> None:
        raise NotRecorded("the disk is full")

    assert issubclass(NotRecorded, StoreDown)
    monkeypatch.setattr(Store, "accessed", full)
    for command in (
        ["list"],
        ["feedback"],
        ["show", "last"],
        ["explain", "last"],
        ["replay", "last"],
        ["export"],
        ["simulate"],
    ):
        result = line.run(*command, status=2)
        assert DEFERRED.patient not in result.output
        assert "the disk is full" in result.output
