"""A visitor of the pages, with a browser's cookies."""

from __future__ import annotations

import re
from typing import Any

from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from audit_pages.passwords import hash_of
from cds_service.local_users import FILE, LocalUsers
from tests.audit_pages.history import Past

PASSWORD = "correct horse battery"
HOST = "https://cds.example.org"
PAGES = ("/audit", "/audit/decisions", "/audit/clinicians", "/audit/sentinels", "/audit/numbers/by-study.csv")


def users_of(past: Past) -> LocalUsers:
    return LocalUsers(past.settings.state_folder / FILE)


def add_user(past: Past, name: str, role: str) -> None:
    users_of(past).add(name, role, hash_of(PASSWORD, name))


class Visitor:
    """Looks at pages over https, as a browser behind the site's proxy would."""

    def __init__(self, past: Past, host: str = HOST, address: str = "203.0.113.7") -> None:
        self.client: FlaskClient = past.app.test_client()
        self.name = ""
        self._more: dict[str, Any] = {"base_url": host, "environ_base": {"REMOTE_ADDR": address}}

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.client.get(path, **{**self._more, **more})

    def post(self, path: str, form: dict[str, str], **more: Any) -> TestResponse:
        """Sends a form as the page does: with its token, and from its own address."""
        headers = {"Referer": f"{self._more['base_url']}/audit/sign-in", **more.pop("headers", {})}
        return self.client.post(path, data=form, headers=headers, **{**self._more, **more})

    def token(self, path: str = "/audit/sign-in") -> str:
        found = re.search(r'name="csrf_token"[^>]*value="([^"]+)"', self.get(path).get_data(as_text=True))
        assert found is not None
        return found[1]

    def sign_in(self, name: str, password: str = PASSWORD, **more: str) -> TestResponse:
        return self.post("/audit/sign-in", {"csrf_token": self.token(), "name": name, "password": password, **more})


def signed_in(past: Past, role: str) -> Visitor:
    """A visitor in that role, under a name and from an address of their own: attempts are limited by both."""
    number = len(users_of(past).all())
    visitor = Visitor(past, address=f"192.0.2.{number + 1}")
    visitor.name = f"{role}-{number}"
    add_user(past, visitor.name, role)
    assert visitor.sign_in(visitor.name).status_code == 302
    return visitor
