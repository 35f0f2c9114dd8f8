"""Nothing of the record is shown without a sign-in, and a sign-in is hard to guess, to steal and to forge."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest.mock import patch

import pytest

from cds_service import pages_setup
from cds_service.local_users import UsersError, session_key
from cds_service.rate_limit import RateLimit
from cds_service.sign_in_attempts import SignInAttempts
from tests.audit_pages.history import Past, past_in
from tests.audit_pages.visiting import PAGES, PASSWORD, Visitor, add_user, signed_in, users_of
from tests.builders import a_draft, a_patient
from tests.hook_requests import a_request


@pytest.mark.parametrize(
    "page", [*PAGES, "/audit/decisions/x", "/audit/decisions/x/request.json", "/audit/decisions.csv"]
)
def test_nothing_is_shown_without_a_sign_in(fresh: Past, page: str):
    answer = Visitor(fresh).get(page)
    assert answer.status_code == 302
    assert answer.headers["Location"].startswith("/audit/sign-in")


def test_whoever_signs_in_gets_to_the_page_that_was_asked_for(fresh: Past):
    add_user(fresh, "ann", "auditor")
    visitor = Visitor(fresh)
    at = visitor.get("/audit/decisions?card=critical").headers["Location"]
    answer = visitor.sign_in("ann", next=visitor.get(at).request.args["next"])
    assert answer.headers["Location"] == "/audit/decisions?card=critical"
    assert visitor.get("/audit/decisions").status_code == 200


@pytest.mark.parametrize(
    "elsewhere",
    ["https://evil.example", "//evil.example", "/\\evil.example", "/audit.evil", "javascript:x", "/hazards"],
)
def test_a_sign_in_leads_nowhere_else(fresh: Past, elsewhere: str):
    add_user(fresh, "ann", "auditor")
    assert Visitor(fresh).sign_in("ann", next=elsewhere).headers["Location"] == "/audit"


@pytest.mark.parametrize(
    ("name", "password"), [("ann", "wrong password here"), ("nobody", PASSWORD), ("ann", PASSWORD.upper())]
)
def test_a_wrong_name_and_a_wrong_password_get_the_same_answer(fresh: Past, name: str, password: str):
    add_user(fresh, "ann", "auditor")
    visitor = Visitor(fresh)
    answer = visitor.sign_in(name, password)
    assert answer.status_code == 401
    assert "Name and password do not fit together." in answer.get_data(as_text=True)
    assert visitor.get("/audit").status_code == 302


def test_a_name_is_the_same_in_any_case(fresh: Past):
    add_user(fresh, "ann", "auditor")
    assert Visitor(fresh).sign_in("ANN").status_code == 302


def test_attempts_are_limited_by_name_and_by_address(fresh: Past):
    add_user(fresh, "ann", "auditor")
    statuses = [
        Visitor(fresh, address=f"203.0.113.{each}").sign_in("ann", "wrong wrong wrong").status_code for each in range(7)
    ]
    assert statuses == [401] * 5 + [429] * 2
    late = Visitor(fresh, address="203.0.113.99").sign_in("ann")
    assert late.status_code == 429, "the right password, too, has to wait"
    assert int(late.headers["Retry-After"]) > 0


def test_attempts_are_counted_by_name_by_address_and_altogether():
    clock = [0.0]
    attempts = SignInAttempts(RateLimit(lambda: clock[0]))
    assert [attempts.wait("ann", f"198.51.100.{each}") > 0 for each in range(7)] == [False] * 5 + [True] * 2
    clock[0] = 60.0
    assert attempts.wait("ann", "198.51.100.1") == 0.0
    assert attempts.wait("ann", "198.51.100.1") > 0.0
    clock[0] = 3600.0
    assert [attempts.wait(f"u{each}", "203.0.113.1") > 0 for each in range(22)] == [False] * 20 + [True] * 2
    clock[0] = 7200.0
    everybody = [attempts.wait(f"v{each}", f"192.0.2.{each}") > 0 for each in range(62)]
    assert everybody == [False] * 60 + [True] * 2


@pytest.mark.parametrize("form", [{}, {"csrf_token": "x"}, {"csrf_token": "forged.forged.forged"}])
def test_a_form_of_another_site_is_refused(fresh: Past, form: dict[str, str]):
    add_user(fresh, "ann", "auditor")
    answer = Visitor(fresh).post("/audit/sign-in", {"name": "ann", "password": PASSWORD, **form})
    assert answer.status_code == 400


def test_a_form_that_comes_from_another_address_is_refused(fresh: Past):
    add_user(fresh, "ann", "auditor")
    visitor = Visitor(fresh)
    form = {"csrf_token": visitor.token(), "name": "ann", "password": PASSWORD}
    assert visitor.post("/audit/sign-in", form, headers={"Referer": "https://evil.example/"}).status_code == 400


def test_a_token_of_one_visitor_is_none_of_another(fresh: Past):
    add_user(fresh, "ann", "auditor")
    form = {"csrf_token": Visitor(fresh).token(), "name": "ann", "password": PASSWORD}
    assert Visitor(fresh).post("/audit/sign-in", form).status_code == 400


def test_hook_calls_need_no_form_token(past: Past):
    assert past.calls.post("/cds-services/lumbar-imaging-order-select", json={}).status_code == 422


def test_the_cookie_is_for_this_host_over_https_and_out_of_reach_of_scripts(fresh: Past):
    add_user(fresh, "ann", "auditor")
    cookie = Visitor(fresh).sign_in("ann").headers["Set-Cookie"]
    name, _, rest = cookie.partition("=")
    assert name == "__Host-lumbar-cds"
    parts = {part.strip() for part in rest.split(";")}
    assert {"Secure", "HttpOnly", "Path=/", "SameSite=Lax"} <= parts
    assert not any(part.startswith("Domain") for part in parts)


def test_the_key_of_the_cookies_is_made_once_and_readable_by_nobody_else(fresh: Past):
    folder = fresh.settings.state_folder
    key = session_key(folder)
    assert len(key) >= 32
    assert session_key(folder) == key == fresh.app.config["SECRET_KEY"]
    assert (folder / "session-key").stat().st_mode & 0o077 == 0
    (folder / "session-key").write_text("short", encoding="utf-8")
    with pytest.raises(UsersError):
        session_key(folder)


def test_pages_are_not_shown_over_plain_http(fresh: Past):
    assert Visitor(fresh, host="http://cds.example.org").get("/audit/sign-in").status_code == 403
    assert Visitor(fresh, host="http://127.0.0.1:8090").get("/audit/sign-in").status_code == 200


def test_a_copy_of_a_cookie_opens_nothing_after_the_sign_out(fresh: Past):
    visitor = signed_in(fresh, "auditor")
    copy = visitor.client.get_cookie("__Host-lumbar-cds", domain="cds.example.org")
    assert copy is not None
    assert visitor.post("/audit/sign-out", {"csrf_token": visitor.token("/audit")}).status_code == 302
    assert visitor.get("/audit").status_code == 302
    visitor.client.set_cookie("__Host-lumbar-cds", copy.value, domain="cds.example.org", secure=True)
    assert visitor.get("/audit").status_code == 302


def test_a_cookie_that_was_changed_opens_nothing(fresh: Past):
    visitor = signed_in(fresh, "quality")
    cookie = visitor.client.get_cookie("__Host-lumbar-cds", domain="cds.example.org")
    assert cookie is not None
    visitor.client.set_cookie("__Host-lumbar-cds", "e" + cookie.value[1:], domain="cds.example.org", secure=True)
    assert visitor.get("/audit").status_code == 302


@pytest.mark.parametrize("change", ["remove", "password", "role"])
def test_a_session_ends_when_the_account_changes(fresh: Past, change: str):
    visitor = signed_in(fresh, "auditor")
    assert visitor.get("/audit/sentinels").status_code == 200
    users = users_of(fresh)
    {
        "remove": lambda: users.remove(visitor.name),
        "password": lambda: users.set_password(visitor.name, "another hash"),
        "role": lambda: users.set_role(visitor.name, "quality"),
    }[change]()
    assert visitor.get("/audit/sentinels").status_code == 302


@pytest.mark.parametrize(("minutes", "status"), [(29, 200), (31, 302)])
def test_a_session_ends_when_nobody_is_there(fresh: Past, minutes: int, status: int):
    visitor = signed_in(fresh, "auditor")
    with later(minutes):
        assert visitor.get("/audit/sentinels").status_code == status


def test_a_session_ends_after_a_working_day_however_busy(fresh: Past):
    visitor = signed_in(fresh, "auditor")
    for minutes in range(20, 480, 20):
        with later(minutes):
            assert visitor.get("/audit/sentinels").status_code == 200
    with later(481):
        assert visitor.get("/audit/sentinels").status_code == 302


def later(minutes: int) -> Any:
    now = datetime.now(UTC) + timedelta(minutes=minutes)
    return patch.object(pages_setup, "datetime", type("Clock", (datetime,), {"now": classmethod(lambda cls, tz: now)}))


def test_no_page_runs_a_script_or_loads_anything_from_elsewhere(past: Past):
    visitor = signed_in(past, "auditor")
    for page in (*PAGES[:4], "/dsi", "/hazards", "/audit/sign-in"):
        answer = visitor.get(page)
        policy = answer.headers.get_all("Content-Security-Policy")
        assert len(policy) == 1
        assert policy[0].startswith("default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'")
        assert "unsafe" not in policy[0]
        text = answer.get_data(as_text=True)
        assert "<script" not in text
        assert " style=" not in text
        assert answer.headers["Cache-Control"] == "no-store"
        assert answer.headers.get_all("Referrer-Policy") == ["same-origin"]


def test_the_demo_needs_no_sign_in_and_is_shown_under_this_machines_name_only(tmp_path: Path):
    with past_in(tmp_path, demo=True) as demo:
        assert Visitor(demo, host="http://127.0.0.1:8090").get("/audit").status_code == 200
        assert Visitor(demo, host="http://localhost:8090").get("/audit").status_code == 200
        # A page elsewhere whose name was made to point to this machine.
        assert Visitor(demo, host="http://rebound.example:8090").get("/audit").status_code == 403


def test_the_demo_shows_no_record_of_registered_clients(tmp_path: Path):
    """The service is tried out on the machine, and in the state folder, of the real one."""
    call = a_request([a_draft("mri-lumbar-without-contrast")], patient=a_patient(as_of=datetime.now(UTC).date()))
    with past_in(tmp_path, demo=True) as demo:
        demo.call(call, datetime.now(UTC))
        demo.store()
        assert Visitor(demo, host="http://127.0.0.1:8090").get("/audit/decisions").status_code == 200
    with past_in(tmp_path) as real:
        real.call({**call, "hookInstance": "5f0c1d34-8a55-4a5e-9e8a-3a3d3f7b7aff"}, datetime.now(UTC))
        real.store()
    with past_in(tmp_path, demo=True) as demo:
        for page in PAGES:
            answer = Visitor(demo, host="http://127.0.0.1:8090").get(page)
            assert answer.status_code == 403
            assert "registered clients" in answer.get_data(as_text=True)


def test_a_demo_behind_a_public_address_is_shown_under_that_too(tmp_path: Path):
    with past_in(tmp_path, demo=True, public_url="https://demo.example.org") as demo:
        assert Visitor(demo, host="https://demo.example.org").get("/audit").status_code == 200


def test_without_any_user_the_page_says_how_to_add_one(fresh: Past):
    assert "lumbar-cds users add" in Visitor(fresh).get("/audit/sign-in").get_data(as_text=True)
