"""What stopped, jumped or fell silent is warned about; what is usual, or chance, is not."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from msgspec import structs

from audit_trail.facts import Calls, Facts, Noted, Orders, Shown, Took
from audit_trail.sentinels import Watched, Window, warnings_of

DAY = date(2026, 11, 25)
NOON = datetime(2026, 11, 25, 12, tzinfo=UTC)


def calls(count: int, client: str = "st-anna", outcome: str = "answered", unread: int = 0, unmapped: int = 0) -> Calls:
    status = 200 if outcome == "answered" else 500
    return Calls(DAY, "s", client, outcome, status, "info", "", False, count, count, unread, unmapped)


def orders(count: int, row: str = "acute") -> Orders:
    return Orders(DAY, "s", "st-anna", "st-anna\ndr", "p", "not-appropriate", "not-appropriate", "", row, count)


def shown(count: int, outcome: str) -> tuple[Shown, ...]:
    return (Shown(DAY, "s", "st-anna", "u", "p", "k", "r", "row", "warning", "t", outcome),) * count


def filled(count: int, keys: str, client: str = "st-anna") -> Noted:
    return Noted(DAY, client, "filled", keys, "", count)


def took(count: int, milliseconds: float) -> tuple[Took, ...]:
    return (Took(DAY, milliseconds, 0, 0, 0, 0, 0),) * count


def facts(**members: Any) -> Facts:
    return Facts(since=NOON - timedelta(days=1), until=NOON, **members)


def kinds(recent: Facts, before: Facts, *windows: Window) -> list[str]:
    return [each.kind for each in warnings_of(Watched(recent, before, windows))]


USUAL = facts(
    calls=(calls(1000, unread=30, unmapped=50), calls(10, outcome="failed")),
    orders=(orders(900), orders(100, "cancer")),
    shown=(*shown(300, "accepted"), *shown(100, "overridden"), *shown(600, "")),
    noted=(filled(700, "conditions,patient"), filled(300, "conditions,laboratory,patient")),
    took=took(1000, 10.0),
)
TODAY = facts(
    calls=(calls(100, unread=3, unmapped=5), calls(1, outcome="failed")),
    orders=(orders(90), orders(10, "cancer")),
    shown=(*shown(30, "accepted"), *shown(10, "overridden"), *shown(60, "")),
    noted=(filled(70, "conditions,patient"), filled(30, "conditions,laboratory,patient")),
    took=took(100, 10.0),
)


def test_a_day_like_any_other_warns_of_nothing():
    quiet = Window("st-anna", 24, 100, (90, 110, 95, 100))
    assert kinds(TODAY, USUAL, quiet) == []


def test_a_new_installation_warns_of_nothing():
    assert kinds(TODAY, facts()) == []
    assert kinds(facts(), facts(), Window("st-anna", 24, 0, (0, 0, 0, 0))) == []


def test_a_rule_that_stops_firing_is_warned_about():
    assert kinds(structs.replace(TODAY, orders=(orders(100),)), USUAL) == ["rule stopped"]


def test_a_rare_rule_may_not_fire_for_a_day():
    rare = structs.replace(USUAL, orders=(orders(998), orders(2, "cancer")))
    assert kinds(structs.replace(TODAY, orders=(orders(100),)), rare) == []


def test_a_part_of_the_record_that_stops_bringing_anything_is_warned_about():
    found = warnings_of(Watched(structs.replace(TODAY, noted=(filled(100, "conditions,patient"),)), USUAL))
    assert [(each.kind, each.about, each.client) for each in found] == [
        ("source stopped", "st-anna: laboratory", "st-anna")
    ]


def test_what_one_client_no_longer_sends_is_noticed_although_another_does():
    before = facts(
        calls=(calls(500), calls(500, "north")),
        noted=(filled(500, "conditions,patient"), filled(500, "conditions,patient", "north")),
    )
    recent = facts(
        calls=(calls(50), calls(50, "north")),
        noted=(filled(50, "patient"), filled(50, "conditions,patient", "north")),
    )
    assert [each.about for each in warnings_of(Watched(recent, before))] == ["st-anna: conditions"]


@pytest.mark.parametrize(
    ("recent", "kind"),
    [
        (lambda: structs.replace(TODAY, calls=(calls(100, unmapped=40),)), "unmapped codes"),
        (lambda: structs.replace(TODAY, calls=(calls(100, unread=40),)), "unread sources"),
        (lambda: structs.replace(TODAY, calls=(calls(80), calls(20, outcome="failed"))), "failures"),
        (lambda: structs.replace(TODAY, shown=(*shown(10, "accepted"), *shown(40, "overridden"))), "overrides"),
        (lambda: structs.replace(TODAY, took=took(100, 25.0)), "latency"),
    ],
)
def test_each_jump_has_its_own_warning(recent: Callable[[], Facts], kind: str):
    assert kinds(recent(), USUAL) == [kind]


def test_a_jump_in_unknown_codes_is_warned_about():
    found = warnings_of(Watched(structs.replace(TODAY, calls=(calls(100, unmapped=40),)), USUAL))
    assert [(each.kind, each.recent, each.grave) for each in found] == [
        ("unmapped codes", "40 of 100 calls (40.0 %)", False)
    ]


def test_more_failures_than_usual_are_warned_about():
    found = warnings_of(Watched(structs.replace(TODAY, calls=(calls(80), calls(20, outcome="failed"))), USUAL))
    assert [(each.kind, each.client, each.grave) for each in found] == [("failures", "st-anna", True)]


def test_more_overrides_than_usual_are_warned_about():
    assert kinds(structs.replace(TODAY, shown=(*shown(10, "accepted"), *shown(40, "overridden"))), USUAL) == [
        "overrides"
    ]


def test_slower_answers_than_usual_are_warned_about():
    assert kinds(structs.replace(TODAY, took=took(100, 25.0)), USUAL) == ["latency"]
    assert kinds(structs.replace(TODAY, took=took(100, 12.0)), USUAL) == []
    assert kinds(structs.replace(TODAY, took=took(3, 900.0)), USUAL) == []


def test_twice_as_many_of_very_few_is_chance():
    assert kinds(structs.replace(TODAY, calls=(calls(98), calls(2, outcome="failed"))), USUAL) == []


def test_silence_is_warned_about():
    found = warnings_of(Watched(facts(), facts(), (Window("st-anna", 24, 0, (90, 110, 95, 100)),)))
    assert [(each.kind, each.client, each.grave) for each in found] == [("silence", "st-anna", True)]
    assert "24 hours" in found[0].says


@pytest.mark.parametrize(
    "window",
    [
        Window("st-anna", 2, 0, (3, 4, 2, 5)),  # few calls at any time
        Window("st-anna", 24, 0, (100, 0, 100, 100)),  # a day like this was quiet before
        Window("st-anna", 24, 1, (100, 90, 100, 100)),  # somebody called
        Window("st-anna", 24, 0, (0, 0, 0, 0)),  # a client that has not begun
    ],
)
def test_hours_that_may_well_be_quiet_are_no_silence(window: Window):
    assert kinds(facts(), facts(), window) == []


def test_a_client_is_warned_about_once_however_many_windows_are_empty():
    windows = (Window("st-anna", 2, 0, (20, 20, 20, 20)), Window("st-anna", 24, 0, (90, 90, 90, 90)))
    assert len(warnings_of(Watched(facts(), facts(), windows))) == 1


def test_the_gravest_warning_comes_first():
    recent = structs.replace(TODAY, calls=(calls(80, unmapped=40), calls(20, outcome="failed")))
    assert kinds(recent, USUAL) == ["failures", "unmapped codes"]
