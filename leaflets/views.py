"""The pages over HTTP: `/p` for the patient and `/c` for the clinician, with or without the handle of a card."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from typing import Any, Final

from flask import Blueprint, Response, render_template, request

from cards.page import PATHS, Audience, ClinicianPage, Page, PatientPage
from leaflets.clinician_page import clinician_view
from leaflets.page_source import PageSource, PagesUnavailable
from leaflets.patient_page import patient_view
from leaflets.texts import LANGUAGES
from rules.guideline_tables import Guidelines

LONGEST_HANDLE: Final = 64
_HEADERS: Final = {
    "Content-Security-Policy": (
        "default-src 'none'; style-src 'self'; script-src 'self'; img-src 'self'; "
        "base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
    ),
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}


def leaflet_pages(
    source: PageSource, guidelines: Callable[[date], Guidelines], clock: Callable[[], datetime]
) -> Blueprint:
    """The routes of both pages."""
    pages = Blueprint(
        "leaflets",
        "leaflets",
        static_folder="static",
        static_url_path="/leaflets/static",
        template_folder="templates",
    )
    views = _Views(source, guidelines, clock)
    shown: dict[Audience, Callable[..., Response]] = {"patient": views.patient, "clinician": views.clinician}
    for audience, view in shown.items():
        pages.add_url_rule(PATHS[audience], f"{audience}_for_everyone", view, methods=["GET"])
        pages.add_url_rule(f"{PATHS[audience]}/<handle>", audience, view, methods=["GET"])
    return pages


class _Views:
    def __init__(
        self, source: PageSource, guidelines: Callable[[date], Guidelines], clock: Callable[[], datetime]
    ) -> None:
        self._source = source
        self._guidelines = guidelines
        self._clock = clock

    def patient(self, handle: str = "") -> Response:
        """`GET /p` and `GET /p/{handle}`"""
        language = _language()
        page, unavailable = self._find("patient", handle, language)
        found = page if isinstance(page, PatientPage) else None
        answer = _answer("patient.html", patient_view(found, language, self._clock().date(), unavailable=unavailable))
        answer.headers["Content-Language"] = language
        answer.headers["Vary"] = "Accept-Language"
        return answer

    def clinician(self, handle: str = "") -> Response:
        """`GET /c` and `GET /c/{handle}`"""
        page, unavailable = self._find("clinician", handle, "en")
        found = page if isinstance(page, ClinicianPage) else None
        day = found.decided_on if found is not None else self._clock().date()
        view = clinician_view(found, self._guidelines(day), asked=bool(handle), unavailable=unavailable)
        return _answer("clinician.html", view)

    def _find(self, audience: Audience, handle: str, language: str) -> tuple[Page | None, bool]:
        """The page of a link, and whether it could not be looked up."""
        if not handle:
            return None, False
        try:
            return self._source.opened(audience, handle[:LONGEST_HANDLE], language, self._clock()), False
        except PagesUnavailable:
            return None, True


def _language() -> str:
    """The language that the link asks for, else the browser's, else English."""
    asked = request.args.get("lang", "")
    if asked in LANGUAGES:
        return asked
    return request.accept_languages.best_match(LANGUAGES) or LANGUAGES[0]


def _answer(template: str, view: dict[str, Any]) -> Response:
    answer = Response(render_template(template, **view), content_type="text/html; charset=utf-8")
    answer.headers.update(_HEADERS)
    return answer
