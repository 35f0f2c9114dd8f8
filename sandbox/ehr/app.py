"""The pretend EHR as a Flask application; see README.md for its addresses and the names on its pages."""

from __future__ import annotations

from urllib.parse import urlsplit

from flask import Flask, Response, abort, current_app, request

from sandbox.ehr.clinic import Clinic
from sandbox.ehr.desks import Desks
from sandbox.ehr.json_view import as_html
from sandbox.ehr.markdown import shown
from sandbox.ehr.pages import pages
from sandbox.ehr.service_client import ServiceClient

LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})
MOST_BYTES = 256 * 1024  # of a form
# Nothing from elsewhere, nothing inline: what a record or a card holds can never run or be fetched.
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self'; connect-src 'self'; "
    "form-action 'self'; base-uri 'none'; frame-ancestors 'none'"
)


def create_ehr(clinic: Clinic, client: ServiceClient, hosts: frozenset[str] = LOOPBACK) -> Flask:
    """The application. ``hosts`` are the names under which browsers may reach it: another site's name is refused."""
    app = Flask("sandbox.ehr", static_url_path="/static")
    app.config.update(MAX_CONTENT_LENGTH=MOST_BYTES, CLINIC=clinic, CLIENT=client, DESKS=Desks(), HOSTS=hosts)
    app.jinja_env.trim_blocks = app.jinja_env.lstrip_blocks = True
    app.jinja_env.filters.update(markdown=shown, json=as_html)
    app.register_blueprint(pages)
    app.before_request(_from_here)
    app.after_request(_careful)
    return app


def _from_here() -> None:
    """Only pages of this EHR may send its forms, and only under a name of this machine (DNS rebinding)."""
    if (urlsplit(f"//{request.host}").hostname or "") not in _hosts():
        abort(421)
    origin = request.headers.get("Origin")
    if request.method == "POST" and origin is not None and urlsplit(origin).netloc != request.host:
        abort(403)


def _hosts() -> frozenset[str]:
    hosts: frozenset[str] = current_app.config["HOSTS"]
    return hosts


def _careful(response: Response) -> Response:
    response.headers["Content-Security-Policy"] = _POLICY
    response.headers["X-Content-Type-Options"] = "nosniff"
    # Other sites hear nothing; "no-referrer" would hide the origin of this site's own forms from this site.
    response.headers["Referrer-Policy"] = "same-origin"
    response.headers["Cross-Origin-Opener-Policy"] = "same-origin"
    if request.endpoint != "static":
        response.headers["Cache-Control"] = "no-store"
    return response
