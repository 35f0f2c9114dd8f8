"""The addresses of the pretend EHR: pages to read, and forms that change a desk and lead back to its page."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import msgspec
from flask import Blueprint, Response, current_app, g, redirect, render_template, request, url_for
from werkzeug.exceptions import HTTPException, NotFound
from werkzeug.wrappers import Response as AnyResponse

from cards.profiles import DEFAULT_PROFILE, PROFILES
from sandbox.ehr.chart import person_of
from sandbox.ehr.clinic import Clinic, NoSuchPatient
from sandbox.ehr.desk import Desk
from sandbox.ehr.desks import Desks, new_browser
from sandbox.ehr.json_view import as_html
from sandbox.ehr.patient_page import patient_view
from sandbox.ehr.public_sandbox import deep_link
from sandbox.ehr.service_client import ServiceClient, ServiceSilent
from sandbox.ehr.what_if_page import what_if_view
from sandbox.ehr.work import NotPossible, Work
from sandbox.stories import Story

COOKIE = "pretend-ehr"
PROFILE_COOKIE = "pretend-ehr-profile"  # what this browser last chose, for every patient
pages = Blueprint("ehr", __name__)


def _clinic() -> Clinic:
    clinic: Clinic = current_app.config["CLINIC"]
    return clinic


def _client() -> ServiceClient:
    client: ServiceClient = current_app.config["CLIENT"]
    return client


def _desks() -> Desks:
    desks: Desks = current_app.config["DESKS"]
    return desks


@pages.before_app_request
def _who() -> None:
    g.browser = request.cookies.get(COOKIE) or new_browser()


@pages.after_app_request
def _remember(response: Response) -> Response:
    if request.cookies.get(COOKIE) != g.browser:
        response.set_cookie(COOKIE, g.browser, httponly=True, samesite="Strict")
    return response


@pages.app_context_processor
def _everywhere() -> dict[str, Any]:
    return {"service_base": _client().base, "fhir_base": _clinic().fhir_base}


_SAYS = {404: "Nothing is there.", 403: "That form was not made by this page.", 421: "This page has another name."}


@pages.app_errorhandler(HTTPException)
def problem(error: HTTPException) -> tuple[str, int]:
    """A page that says what is wrong, and leads back."""
    code = error.code or 500
    says = _SAYS.get(code, "That did not work.")
    return render_template("error.html", name=error.name, says=says, trouble=""), code


@pages.get("/")
def patients() -> str:
    """Every patient, by chapter."""
    today = _clinic().today()
    asked = request.args.get("q", "")
    words = asked.lower().split()
    chapters: dict[str, list[Story]] = {}
    for story in today.stories:
        if all(word in f"{story.title} {story.text}".lower() for word in words):
            chapters.setdefault(story.chapter, []).append(story)
    people = {story.id: person_of(story.patient, today.day) for story in today.stories}
    return render_template("patients.html", chapters=chapters, people=people, asked=asked, trouble=_trouble())


@pages.get("/patients/<own_id>")
def patient(own_id: str) -> str:
    """One patient: orders, advice, chart, messages."""
    story = _story(own_id)
    desk, lock = _desks().at(g.browser, story.id)
    with lock:
        view = patient_view(_clinic().today(), story, desk, _profile())
        public = deep_link(_clinic().fhir_base, story.patient_id, _client().discovery)
        return render_template("patient.html", story=story, desk=desk, view=view, public=public, trouble=_trouble())


@pages.get("/patients/<own_id>/what-if")
def what_if(own_id: str) -> str:
    """The facts of this patient, changed one by one."""
    story = _story(own_id)
    desk, lock = _desks().at(g.browser, story.id)
    with lock:
        view = what_if_view(_clinic().today(), _clinic().visit(story), story, desk, request.args)
    return render_template("what_if.html", story=story, view=view)


@pages.get("/what-if")
def what_if_anybody() -> str:
    """The same for a patient with nothing but back pain."""
    view = what_if_view(_clinic().today(), None, None, Desk(), request.args)
    return render_template("what_if.html", story=None, view=view)


@pages.get("/patients/<own_id>/messages/<int:number>/<part>")
def message(own_id: str, number: int, part: str) -> Response:
    """One part of a message, as it travelled."""
    story = _story(own_id)
    desk, lock = _desks().at(g.browser, story.id)
    with lock:
        try:
            exchange = desk.message(number)
        except KeyError:
            raise NotFound from None
    whole: Any = {"request": exchange.request, "answer": exchange.answer}.get(part)
    if part == "prefetch":
        whole = exchange.request.get("prefetch")
    if whole is None:
        raise NotFound
    if "text/html" in request.headers.get("X-Wanted", ""):
        return Response(as_html(whole), mimetype="text/html")
    return Response(msgspec.json.format(msgspec.json.encode(whole), indent=2), mimetype="application/json")


@pages.post("/patients/<own_id>/profile")
def profile(own_id: str) -> AnyResponse:
    """The kind of client that answers are written for, from now on and for every patient."""
    story = _story(own_id)
    desk, lock = _desks().at(g.browser, story.id)
    answer = redirect(url_for("ehr.patient", own_id=own_id, _anchor="messages"), 303)
    chosen = request.form.get("profile", "")
    with lock:
        try:
            Work(_clinic(), _client(), story, desk).written_for(chosen)
        except NotPossible as problem:
            desk.said = f"Not possible: {problem}."
        else:
            answer.set_cookie(PROFILE_COOKIE, chosen, httponly=True, samesite="Strict")
    return answer


def _profile() -> str:
    """What was chosen, if that still exists."""
    chosen = request.cookies.get(PROFILE_COOKIE, DEFAULT_PROFILE)
    return chosen if chosen in PROFILES else DEFAULT_PROFILE


def _post(rule: str) -> Callable[[Callable[..., None]], Callable[..., AnyResponse]]:
    """A form's address: does its work on the desk, and leads back to the patient's page."""

    def made(work: Callable[..., None]) -> Callable[..., AnyResponse]:
        @pages.post(f"/patients/<own_id>/{rule}", endpoint=work.__name__)
        def taken(own_id: str, **names: str) -> AnyResponse:
            story = _story(own_id)
            desk, lock = _desks().at(g.browser, story.id)
            with lock:
                try:
                    work(Work(_clinic(), _client(), story, desk, _profile()), **names)
                except NotPossible as problem:
                    desk.said = f"Not possible: {problem}."
            return redirect(url_for("ehr.patient", own_id=own_id, _anchor="advice"), 303)

        return taken

    return made


@_post("place")
def place(work: Work) -> None:
    """The order that the story is about."""
    work.place(request.form.get("order", ""))


@_post("add")
def add(work: Work) -> None:
    """Another order of the menu."""
    work.add(request.form.get("study", ""))


@_post("orders/<order>/change")
def change(work: Work, order: str) -> None:
    """Study, priority, reasons."""
    work.change(order, request.form.to_dict())


@_post("orders/<order>/remove")
def remove(work: Work, order: str) -> None:
    """A draft taken back."""
    work.remove(order)


@_post("orders/<order>/select")
def select(work: Work, order: str) -> None:
    """Advice on this draft."""
    work.select(order)


@_post("sign")
def sign(work: Work) -> None:
    """order-sign, then the signature where nothing speaks against it."""
    work.sign()


@_post("sign-anyway")
def sign_anyway(work: Work) -> None:
    """The signature against advice."""
    work.sign_anyway(request.form.get("reason", ""), request.form.get("comment", ""))


@_post("cards/<card>/accept")
def accept(work: Work, card: str) -> None:
    """A suggestion taken."""
    work.accept(card, request.form.get("suggestion", ""))


@_post("cards/<card>/dismiss")
def dismiss(work: Work, card: str) -> None:
    """A card disagreed with."""
    work.dismiss(card, request.form.get("reason", ""), request.form.get("comment", ""))


@_post("start-over")
def start_over(work: Work) -> None:
    """An empty desk."""
    _desks().cleared(g.browser, work.story.id)


def _story(own_id: str) -> Story:
    try:
        return _clinic().today().story(own_id)
    except NoSuchPatient:
        raise NotFound from None


def _trouble() -> str:
    """Why no advice can be had just now, if that is so."""
    try:
        _client().service_for("order-select")
    except ServiceSilent as problem:
        return str(problem)
    return ""
