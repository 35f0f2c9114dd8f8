"""TLS in front, and what the proxy says: believed of named proxies only. SEC-1 all exchange over TLS."""

from __future__ import annotations

import io
import sys
from pathlib import Path
from typing import Any

import pytest
import requests

from cds_service.app import create_app
from cds_service.settings import Settings, SettingsError, settings_from
from tests.cds_service.service_under_test import SELECT, a_call
from tests.clinic import usual_tools
from tests.hostile.registered import PAGE, a_token, clients_toml, free_port, serving
from tests.hostile.tls_proxy import tls_proxy


def test_calls_come_over_tls_through_the_named_proxy_and_no_other_way(tmp_path: Path) -> None:
    port, front = free_port(), free_port()
    path = clients_toml(tmp_path, port)
    text = path.read_text(encoding="utf-8")
    path.write_text(text.replace(f"http://127.0.0.1:{port}", f"https://127.0.0.1:{front}"), encoding="utf-8")
    with (
        serving(tmp_path, port, workers=1, trusted_proxies="127.0.0.1,::1") as service,
        tls_proxy(tmp_path, port, front) as (address, certificate),
    ):
        assert "plain HTTP" not in service.log()

        def over_tls(token: str, **headers: str) -> requests.Response:
            named = {"Authorization": f"Bearer {token}", "Content-Type": "application/json", **headers}
            body: Any = a_call()
            return requests.post(address + SELECT, json=body, headers=named, verify=certificate, timeout=20)

        answer = over_tls(a_token(address + SELECT), Origin=PAGE)
        assert answer.status_code == 200
        assert answer.json()["cards"]
        assert answer.headers["Strict-Transport-Security"].startswith("max-age=31536000")
        assert answer.headers["Access-Control-Allow-Origin"] == PAGE
        discovery = requests.get(
            address + "/cds-services",
            headers={"Authorization": f"Bearer {a_token(address + '/cds-services')}"},
            verify=certificate,
            timeout=20,
        )
        assert discovery.status_code == 200
        # A token for the address behind the proxy is not for the address that the client sees.
        assert over_tls(a_token(service.base + SELECT)).status_code == 401
        for direct in ({}, {"X-Forwarded-Proto": "http"}, {"X-Forwarded-Proto": "https, http"}):
            plain = service.post(SELECT, a_call(), Authorization=f"Bearer {a_token(address + SELECT)}", **direct)
            assert plain.status_code == 403
            assert plain.json()["resourceType"] == "OperationOutcome"
            assert plain.headers["Vary"] == "Origin"
        from_page = service.post(SELECT, a_call(), Authorization="Bearer x", Origin=PAGE)
        assert (from_page.status_code, from_page.headers["Access-Control-Allow-Origin"]) == (403, PAGE)
        from_elsewhere = service.post(
            SELECT, a_call(), Authorization="Bearer x", Origin="https://elsewhere.example.org"
        )
        assert "Access-Control-Allow-Origin" not in from_elsewhere.headers
        for beside in ("/health", "/metrics"):
            assert service.get(beside).status_code == 200


def _scheme_seen(settings: Settings, **headers: str) -> tuple[str, bool]:
    """Status, and whether the answer was given as over https."""
    app = create_app(settings, usual_tools())
    heard: dict[str, Any] = {}
    environ = {
        "REQUEST_METHOD": "GET", "SCRIPT_NAME": "", "PATH_INFO": "/health", "QUERY_STRING": "",
        "SERVER_NAME": "127.0.0.1", "SERVER_PORT": "8090", "SERVER_PROTOCOL": "HTTP/1.1", "HTTP_HOST": "127.0.0.1",
        "REMOTE_ADDR": "10.0.0.7", "wsgi.version": (1, 0), "wsgi.url_scheme": "http", "wsgi.input": io.BytesIO(),
        "wsgi.errors": sys.stderr, "wsgi.multithread": True, "wsgi.multiprocess": False, "wsgi.run_once": False,
        **headers,
    }  # fmt: skip

    def start_response(status: str, headers: list[tuple[str, str]], problem: object = None, /) -> Any:
        heard.update(status=status, headers=dict(headers))

    list(app.wsgi_app(environ, start_response))
    return heard["status"], "Strict-Transport-Security" in heard["headers"]


@pytest.mark.parametrize(
    ("proxies", "headers", "secure"),
    [
        ("", {"HTTP_X_FORWARDED_PROTO": "https"}, False),
        ("10.0.0.8", {"HTTP_X_FORWARDED_PROTO": "https"}, False),
        ("10.0.0.7", {"HTTP_X_FORWARDED_PROTO": "https"}, True),
        ("10.0.0.0/24", {"HTTP_X_FORWARDED_PROTO": "HTTPS"}, True),
        ("10.0.0.0/24", {"HTTP_X_FORWARDED_PROTO": "https, http"}, False),
        ("10.0.0.0/24", {"HTTP_X_FORWARDED_PROTO": "http, https"}, True),
        ("10.0.0.0/24", {}, False),
        ("10.0.0.0/24", {"HTTP_X_FORWARDED_SSL": "on"}, False),
        ("10.0.0.0/24", {"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "10.0.1.7"}, False),
        ("10.0.0.0/24", {"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": ""}, False),
        ("2001:db8::/32", {"HTTP_X_FORWARDED_PROTO": "https", "REMOTE_ADDR": "2001:db8::1"}, True),
    ],
)
def test_the_last_word_of_a_named_proxy_counts(proxies: str, headers: dict[str, str], secure: bool) -> None:
    settings = settings_from({"LUMBAR_CDS_TRUSTED_PROXIES": proxies})
    status, over_https = _scheme_seen(settings, **headers)
    assert status.startswith("200")
    assert over_https is secure


def test_proxies_are_named_by_address() -> None:
    with pytest.raises(SettingsError, match="LUMBAR_CDS_TRUSTED_PROXIES"):
        settings_from({"LUMBAR_CDS_TRUSTED_PROXIES": "proxy.example.org"})
