"""The open demo and tokens: none is needed, and one that is sent must be the public sandbox's."""

from __future__ import annotations

import json
import time
from pathlib import Path
from typing import Any

import pytest

import cds_service.sandbox_tokens as sandbox_tokens
from cds_service.errors import CallFailed
from cds_service.key_sets import FixedKeys, read_key_set
from cds_service.public_sandbox import ISSUER, KEY_SET_ADDRESS, sandbox_keys
from cds_service.replay_memory import SqliteReplayMemory
from cds_service.served_hosts import ServedHosts
from cds_service.settings import Settings
from cds_service.trust import Caller, OpenTrust
from cds_service.trust_setup import open_trust
from tests.hostile.registered import EC_KID, a_token, key_set

PATH = "/cds-services"
HEADER = {"jku": KEY_SET_ADDRESS}


@pytest.fixture
def trust(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> OpenTrust:
    """Open mode with keys of the test's own in place of the published one."""
    monkeypatch.setattr(sandbox_tokens, "sandbox_keys", lambda: FixedKeys(read_key_set(json.dumps(key_set()).encode())))
    tokens = sandbox_tokens.SandboxTokens(("http://127.0.0.1:8090",), SqliteReplayMemory(tmp_path / "new" / "used"))
    return OpenTrust(frozenset({ISSUER}), tokens=tokens, hosts=ServedHosts(frozenset({"tunnel.example.org"})))


def sent(token: str, **headers: str) -> Any:
    return {"Authorization": f"Bearer {token}", "Host": "localhost:8090", "Origin": ISSUER, **headers}


@pytest.mark.parametrize(
    ("audience", "host"),
    [
        ("http://localhost:8090/cds-services", "localhost:8090"),
        ("http://127.0.0.1:8090/cds-services", "localhost:8090"),
        ("https://tunnel.example.org/cds-services", "tunnel.example.org"),
    ],
)
def test_the_sandbox_is_known_at_the_address_that_its_page_calls(trust: OpenTrust, audience: str, host: str) -> None:
    token = a_token(audience, iss=ISSUER, headers=HEADER)
    assert trust.identify(sent(token, Host=host), PATH) == Caller(ISSUER, "sandbox")
    with pytest.raises(CallFailed) as again:
        trust.identify(sent(token, Host=host), PATH)
    assert (again.value.status, again.value.check) == (401, "replay")


@pytest.mark.parametrize(
    ("claims", "check"),
    [
        ({"iss": "https://ehr.example.org"}, "issuer"),
        ({"aud": "http://elsewhere.example.org/cds-services"}, "audience"),
        ({"exp": time.time() - 1000, "iat": time.time() - 1300}, "expired"),
        ({"kid": "unknown"}, "unknown-key"),
        ({"headers": {"jku": "https://elsewhere.example.org/jwks.json"}}, "key-set-address"),
    ],
)
def test_any_other_token_is_refused(trust: OpenTrust, claims: dict[str, Any], check: str) -> None:
    made = {"audience": "http://localhost:8090/cds-services", "iss": ISSUER, "headers": HEADER, "kid": EC_KID, **claims}
    made["audience"] = made.pop("aud", made["audience"])
    with pytest.raises(CallFailed) as refused:
        trust.identify(sent(a_token(made.pop("audience"), **made)), PATH)
    assert (refused.value.status, refused.value.check) == (401, check)


def test_without_a_token_everyone_on_this_machine_is_answered(trust: OpenTrust) -> None:
    assert trust.identify({}, PATH) == Caller("open")


def test_the_published_key_is_the_one_that_is_known() -> None:
    assert set(sandbox_keys().known.keys) == {("44823f3d-0b01-4a6c-a80e-b9d3e8a7226f", "ES384")}


def test_open_mode_writes_nothing_before_a_token_is_sent(tmp_path: Path) -> None:
    settings = Settings(state_dir=tmp_path / "state")
    open_trust(settings).identify({}, PATH)
    assert not (tmp_path / "state").exists()
