"""Puts the pages together: addresses, who gets in, what each page shows, what is said when something goes wrong."""

from __future__ import annotations

import traceback
from collections.abc import Callable
from typing import Any, Final

from flask import Blueprint, Flask, Response, g, render_template, request, url_for
from flask_wtf.csrf import CSRFError, CSRFProtect
from msgspec import Struct
from werkzeug.exceptions import HTTPException, InternalServerError

from audit_pages.clinicians import Clinicians
from audit_pages.decisions import Decisions
from audit_pages.desk import Desk
from audit_pages.dsi import DsiSources
from audit_pages.gate import Gate, NotShown, headers
from audit_pages.numbers import Numbers
from audit_pages.public import PublicPages
from audit_pages.seams import Clock, Entrance, Log, Pseudonym, Records
from audit_pages.sentinels import Sentinels, SentinelsPage
from audit_pages.signing_in import SigningIn
from audit_pages.words import row_labels
from audit_trail.database import StoreBusy
from audit_trail.draining import StoreDown
from audit_trail.per_cent import per_cent
from fhir_mappings.terminology import Terminology

PATH: Final = "/audit"
COOKIE: Final = "__Host-lumbar-cds"  # the prefix binds it to this host, the whole path and https (RFC 6265bis, 4.1.3)


class Record(Struct, frozen=True, kw_only=True):
    """The pages of the record need these; without them only the public pages are served."""

    entrance: Entrance
    records: Records
    sentinels: Sentinels
    pseudonym: Pseudonym
    session_key: bytes


class Site(Struct, frozen=True, kw_only=True):
    """What the shell gives."""

    clock: Clock
    log: Log
    terminology: Terminology
    dsi_sources: Callable[[], DsiSources]
    record: Record | None = None


def register_pages(app: Flask, site: Site) -> None:
    """Adds the pages to the application."""
    pages = Blueprint("audit", __name__, template_folder="templates", static_folder="static", url_prefix=PATH)
    public = Blueprint("open_pages", __name__, template_folder="templates")
    watching = site.record.sentinels if site.record is not None else None
    _public_pages(public, PublicPages(site.dsi_sources))
    if site.record is not None:
        _record_pages(app, pages, site, site.record)
    for each in (pages, public):
        each.after_request(headers)
        _problems(each, site.log)
        each.add_app_template_filter(per_cent, "per_cent")
        each.context_processor(lambda: _on_every_page(site.record is not None, watching))
    app.register_blueprint(pages)
    app.register_blueprint(public)


def _public_pages(blueprint: Blueprint, pages: PublicPages) -> None:
    for path, view in (
        ("/dsi", pages.dsi),
        ("/dsi.json", pages.dsi_json),
        ("/hazards", pages.hazards),
        ("/hazards.json", pages.hazards_json),
    ):
        blueprint.add_url_rule(path, path.strip("/").replace(".", "_"), view)


def _record_pages(app: Flask, blueprint: Blueprint, site: Site, record: Record) -> None:
    app.config.update(
        SECRET_KEY=record.session_key,
        SESSION_COOKIE_NAME=COOKIE,
        SESSION_COOKIE_SECURE=True,  # browsers take such a cookie over http from this very machine, too
        SESSION_COOKIE_HTTPONLY=True,
        SESSION_COOKIE_SAMESITE="Lax",  # the identity provider sends the browser back by a link
        WTF_CSRF_CHECK_DEFAULT=False,  # hook calls carry tokens of their own, and no cookie
        WTF_CSRF_TIME_LIMIT=8 * 3600,
        WTF_CSRF_SSL_STRICT=True,
    )
    forms = CSRFProtect(app)
    gate = Gate(record.entrance, record.records, site.clock)
    blueprint.before_request(gate.admit)

    @blueprint.before_request
    def ours() -> None:
        if request.method == "POST":
            forms.protect()

    labels = row_labels(site.dsi_sources().guidelines)
    desk = Desk(record.records, gate, record.pseudonym, lambda: dict(labels))
    signing_in = SigningIn(record.entrance, gate, site.log)
    numbers, decisions, clinicians = Numbers(desk, site.terminology), Decisions(desk), Clinicians(desk)
    sentinels = SentinelsPage(desk, record.sentinels)
    rules: tuple[tuple[str, str, Any, str], ...] = (
        ("", "numbers", numbers.page, "GET"),
        ("/numbers/<table>.csv", "numbers_file", numbers.file, "GET"),
        ("/decisions", "decisions", decisions.page, "GET"),
        ("/decisions", "of_patient", decisions.of_patient, "POST"),
        ("/decisions.csv", "decisions_file", decisions.file, "GET"),
        ("/decisions/<name>", "decision", decisions.one, "GET"),
        ("/decisions/<name>/request.json", "request_file", decisions.request_file, "GET"),
        ("/clinicians", "clinicians", clinicians.page, "GET"),
        ("/clinicians.csv", "clinicians_file", clinicians.file, "GET"),
        ("/clinicians/<alias>", "clinician", clinicians.one, "GET"),
        ("/sentinels", "sentinels", sentinels.page, "GET"),
        ("/sign-in", "sign_in", signing_in.form, "GET"),
        ("/sign-in", "sign_in_post", signing_in.post, "POST"),
        ("/sign-in/provider", "provider", signing_in.to_provider, "POST"),
        ("/sign-in/callback", "callback", signing_in.back, "GET"),
        ("/sign-out", "sign_out", signing_in.out, "POST"),
    )
    for path, name, view, method in rules:
        blueprint.add_url_rule(path, name, view, methods=[method])


class _Page(Struct, frozen=True):
    name: str
    href: str
    here: bool
    count: int = 0


def _on_every_page(with_record: bool, sentinels: Sentinels | None) -> dict[str, Any]:
    """The head of each page: where else to go, who is looking, how many warnings there are."""
    looking = g.get("viewer")
    pages: list[tuple[str, str, int]] = []
    if with_record and looking is not None:
        watch = sentinels.last() if sentinels is not None else None
        warned = len(watch.warnings) if watch is not None else 0
        pages = [
            ("Numbers", "audit.numbers", 0),
            ("Decisions", "audit.decisions", 0),
            ("Clinicians", "audit.clinicians", 0),
            ("Sentinels", "audit.sentinels", warned),
        ]
    pages += [("Rules", "open_pages.dsi", 0), ("Hazards", "open_pages.hazards", 0)]
    here = request.path
    found = []
    for name, endpoint, counted in pages:
        href = url_for(endpoint)
        within = here == href or (href != PATH and here.startswith(f"{href}/"))
        found.append(_Page(name, href, within, counted))
    return {"navigation": found, "looking": looking}


_SAID: Final = {
    400: ("That was not understood", "Go back and try again."),
    403: ("Not for you", "Your role does not show this."),
    404: ("Nothing here", "There is no such page, decision or clinician in this choice."),
    503: (
        "The record is out of reach",
        "Its store cannot be asked, or this view could not be recorded; the service's log says why.",
    ),
}


_BUSY: Final = (
    "The record is busy",
    "Something else is being written to it at this moment, so that this view could not be recorded.",
)
_AGAIN: Final = 5  # seconds


def _problems(blueprint: Blueprint, log: Log) -> None:
    def page(status: int, said: str = "") -> tuple[str, int]:
        title, more = _SAID.get(status, ("Something went wrong", "The service's log says what. Nothing was changed."))
        return render_template("audit_pages/problem.html", title=title, said=said or more), status

    def not_now(title: str, said: str) -> tuple[str, int, dict[str, str]]:
        """It is worth trying again: a page by its own address, a form by going back."""
        again = request.full_path.rstrip("?") if request.method == "GET" else ""
        if request.endpoint == "audit.callback":
            again = url_for("audit.sign_in")  # what the provider gave is good for one try
        shown = render_template("audit_pages/problem.html", title=title, said=said, try_again=True, again=again)
        return shown, 503, {"Retry-After": str(_AGAIN)}

    @blueprint.errorhandler(CSRFError)
    def forged(_: CSRFError) -> tuple[str, int]:
        return page(400, "The form was too old, or was not ours. Open it again.")

    @blueprint.errorhandler(HTTPException)
    def refused(problem: HTTPException) -> tuple[str, int] | Response:
        status = problem.code or 500
        return page(status, problem.description or "" if isinstance(problem, NotShown) else "")

    @blueprint.errorhandler(StoreDown)
    def out_of_reach(problem: StoreDown) -> tuple[str, int, dict[str, str]]:
        log.write("error", "audit-pages", f"not shown: {problem}")
        return not_now(*(_BUSY if isinstance(problem, StoreBusy) else _SAID[503]))

    @blueprint.errorhandler(Exception)
    def defect(problem: Exception) -> tuple[str, int]:
        frames = traceback.extract_tb(problem.__traceback__)[-4:]
        where = " < ".join(f"{each.filename.rsplit('/', 1)[-1]}:{each.lineno}" for each in reversed(frames))
        log.write("error", "audit-pages", f"{type(problem).__name__} at {where}")
        return page(InternalServerError.code)
