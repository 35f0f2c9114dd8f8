"""Open mode: no caller is checked, so nobody but this machine may connect."""

from __future__ import annotations

import pytest

from cds_service.errors import OtherHttpFailure
from cds_service.trust import Caller, NotLoopback, OpenTrust, require_loopback

SANDBOX = "https://sandbox.cds-hooks.org"
PATH = "/cds-services"


@pytest.mark.parametrize("host", ["127.0.0.1", "127.8.8.8", "::1", "localhost"])
def test_open_mode_listens_on_loopback_addresses(host: str) -> None:
    require_loopback(host)


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.5", "10.0.0.1", "cds.example", "localhost.example", ""])
def test_open_mode_refuses_addresses_that_others_can_reach(host: str) -> None:
    with pytest.raises(NotLoopback, match="loopback"):
        require_loopback(host)


def test_a_browser_client_is_known_by_its_origin() -> None:
    trust = OpenTrust(frozenset({SANDBOX}))
    assert trust.identify({}, PATH) == Caller("open")
    assert trust.identify({"Origin": SANDBOX}, PATH) == Caller(SANDBOX, "sandbox")
    assert trust.identify({"Origin": "https://ehr.example"}, PATH) == Caller("https://ehr.example")


@pytest.mark.parametrize("origin", [{}, {"Origin": SANDBOX}])
def test_in_open_mode_a_caller_may_try_another_profile(origin: dict[str, str]) -> None:
    trust = OpenTrust(frozenset({SANDBOX}))
    assert trust.identify({**origin, "Lumbar-CDS-Profile": "epic"}, PATH).profile == "epic"
    with pytest.raises(OtherHttpFailure, match="the profiles are"):
        trust.identify({**origin, "Lumbar-CDS-Profile": "epoc"}, PATH)
