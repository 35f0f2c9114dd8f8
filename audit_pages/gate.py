"""The way in: every page but the sign-in itself asks who is looking, and every view is recorded before it is shown."""

from __future__ import annotations

import secrets
from datetime import datetime, timedelta
from typing import Any, Final
from urllib.parse import urlsplit

from flask import Response, g, redirect, request, session, url_for
from werkzeug.exceptions import Forbidden
from werkzeug.wrappers import Response as AnyResponse

from audit_pages.people import ROLES, Viewer
from audit_pages.seams import DEMO, Clock, Entrance, Records, View
from audit_pages.this_machine import is_loopback, name_in

_KEY: Final = "viewer"
_SEEN_EVERY: Final = 60  # seconds between two notes in the cookie that somebody is still there
_OPEN: Final = frozenset({"audit.sign_in", "audit.sign_in_post", "audit.provider", "audit.callback", "audit.static"})


class NotShown(Forbidden):
    """To nobody, as things are; the description says why."""


class Gate:
    """Sessions, roles and the record of views."""

    def __init__(self, entrance: Entrance, records: Records, clock: Clock) -> None:
        self._entrance = entrance
        self._records = records
        self._clock = clock

    def admit(self) -> AnyResponse | None:
        """Before each request: nothing, or the way to the sign-in."""
        if self._entrance.demo:
            self._require_this_machine()
            self._require_made_up_patients()
            g.viewer = DEMO
            return None
        self._require_no_eavesdropper()
        if request.endpoint in _OPEN:
            return None
        viewer = self._viewer()
        if viewer is None:
            session.pop(_KEY, None)
            wanted = request.full_path.rstrip("?") if request.method == "GET" else None
            return redirect(url_for("audit.sign_in", next=wanted))
        g.viewer = viewer
        return None

    def enter(self, viewer: Viewer, stamp: str = "") -> None:
        """A session of its own for somebody who has just signed in; none where that cannot be recorded."""
        self.record(viewer, "sign-in")
        now = self._clock().timestamp()
        session.clear()
        session[_KEY] = {
            "id": secrets.token_urlsafe(18),
            "who": viewer.who,
            "name": viewer.name,
            "role": viewer.role,
            "through": viewer.through,
            "stamp": stamp,
            "began": now,
            "seen": now,
        }

    def leave(self) -> None:
        """Ends the session, for copies of its cookie too."""
        held = session.get(_KEY)
        if held:
            until = self._clock() + timedelta(hours=self._entrance.longest_hours)
            self._entrance.ended.end(held["id"], until)
        session.clear()

    def record(self, viewer: Viewer, action: str, *, decision: str = "", filtered: str = "", records: int = 0) -> None:
        """Keeps the record of a view, or stops it (``StoreDown``)."""
        view = View(
            who=viewer.who, role=viewer.role, action=action, decision=decision, filter=filtered, records=records
        )
        self._records.record(view, self._clock())

    def record_refused(self, name: str, why: str) -> None:
        """Keeps the record of an attempt to sign in that failed."""
        self._records.record(View(who=name[:120], action=f"sign-in refused: {why}"), self._clock())

    def now(self) -> datetime:
        """The moment of this request."""
        return self._clock()

    def _viewer(self) -> Viewer | None:
        held: dict[str, Any] | None = session.get(_KEY)
        if not held or held.get("role") not in ROLES:
            return None
        now = self._clock().timestamp()
        entrance = self._entrance
        if now - held["began"] > entrance.longest_hours * 3600 or now - held["seen"] > entrance.idle_minutes * 60:
            return None
        if entrance.ended.has_ended(held["id"]) or not self._is_still_known(held):
            return None
        if now - held["seen"] > _SEEN_EVERY:
            session[_KEY] = {**held, "seen": now}
        return Viewer(who=held["who"], name=held["name"], role=held["role"], through=held["through"])

    def _is_still_known(self, held: dict[str, Any]) -> bool:
        """A local user who was removed, or has another role or password since, signs in again."""
        entrance = self._entrance
        if held["through"] == "oidc":
            return entrance.provider is not None
        account = None if entrance.accounts is None else entrance.accounts.find(held["who"])
        return account is not None and account.stamp == held["stamp"] and account.role == held["role"]

    def _require_this_machine(self) -> None:
        """A page elsewhere whose name is made to point to this machine must not read the demo's records."""
        host = name_in(request.host)
        if not (is_loopback(host) or host in self._entrance.demo_hosts):
            raise NotShown("The demo's pages are shown under the address of this machine only.")

    def _require_made_up_patients(self) -> None:
        """Whoever tries the service out beside a real one must not open that one's record to the whole machine."""
        if self._records.hold_calls_of_clients():
            raise NotShown(
                "This record holds calls of registered clients. Its pages need a sign-in: lumbar-cds serve --clients "
                "FILE. A demo has a state folder of its own."
            )

    def _require_no_eavesdropper(self) -> None:
        if request.scheme != "https" and not is_loopback(name_in(request.host)):
            raise NotShown("These pages are shown over https only.")


def viewer() -> Viewer:
    """Whoever looks at this page."""
    found: Viewer = g.viewer
    return found


def wanted_page(start: str) -> str:
    """Where to go after the sign-in: an address of these pages and no other."""
    wanted = request.values.get("next", "")
    parts = urlsplit(wanted)
    if (
        parts.scheme
        or parts.netloc
        or "\\" in wanted
        or not (wanted == start or wanted.startswith((f"{start}/", f"{start}?")))
    ):
        return start
    return wanted


def headers(answer: Response) -> Response:
    """What a page may load: our own style sheet and pictures, no script at all, and nothing from elsewhere."""
    answer.headers["Content-Security-Policy"] = (
        "default-src 'none'; style-src 'self'; img-src 'self'; form-action 'self'; base-uri 'none'; "
        "frame-ancestors 'none'"
    )
    # To ourselves only: a form over https is known to be ours by where it comes from, too.
    answer.headers["Referrer-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    answer.headers["Cross-Origin-Resource-Policy"] = "same-origin"
    answer.headers["Permissions-Policy"] = "camera=(), geolocation=(), microphone=()"
    return answer
