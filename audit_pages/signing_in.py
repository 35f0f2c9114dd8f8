"""The sign-in pages: local users by password, everybody else by the site's identity provider."""

from __future__ import annotations

import math

from flask import flash, redirect, render_template, request, url_for
from flask_wtf import FlaskForm
from werkzeug.wrappers import Response as AnyResponse
from wtforms import HiddenField, PasswordField, StringField
from wtforms.validators import InputRequired, Length

from audit_pages.gate import Gate, wanted_page
from audit_pages.passwords import LONGEST_PASSWORD, is_right, normal
from audit_pages.people import ROLES, Viewer
from audit_pages.seams import Entrance, Log, ProviderTrouble


class SignInForm(FlaskForm):  # type: ignore[misc]  # Flask-WTF ships no types
    """Name and password of a local user; carries the token that shows it is our own form."""

    name = StringField("Name", [InputRequired(), Length(max=120)])
    password = PasswordField("Password", [InputRequired(), Length(max=LONGEST_PASSWORD)])
    next = HiddenField()


class SigningIn:
    """The views of the sign-in."""

    def __init__(self, entrance: Entrance, gate: Gate, log: Log) -> None:
        self._entrance = entrance
        self._gate = gate
        self._log = log

    def form(self) -> AnyResponse | str:
        """`GET /audit/sign-in`"""
        if self._entrance.demo:
            return redirect(url_for("audit.numbers"))
        return self._page(SignInForm(formdata=None, next=wanted_page(url_for("audit.numbers"))))

    def post(self) -> AnyResponse | tuple[str, int] | tuple[str, int, dict[str, str]]:
        """`POST /audit/sign-in`"""
        form = SignInForm()
        accounts = self._entrance.accounts
        if accounts is None or self._entrance.demo:
            return redirect(url_for("audit.sign_in"))
        if not form.validate_on_submit():
            return self._page(form), 400
        name = normal(form.name.data or "").strip()
        waiting = self._entrance.attempts.wait(name.lower(), request.remote_addr or "")
        if waiting:
            seconds = math.ceil(waiting)
            self._gate.record_refused(name, "too many attempts")
            flash(f"Too many attempts. Try again in {seconds} s.")
            return self._page(form), 429, {"Retry-After": str(seconds)}
        account = accounts.find(name)
        if not is_right(account, form.password.data or "") or account is None or account.role not in ROLES:
            self._gate.record_refused(name, "wrong name or password")
            flash("Name and password do not fit together.")
            return self._page(form), 401
        viewer = Viewer(who=account.name, name=account.name, role=account.role, through="password")
        self._gate.enter(viewer, account.stamp)
        return redirect(wanted_page(url_for("audit.numbers")))

    def to_provider(self) -> AnyResponse:
        """`POST /audit/sign-in/provider`: off to the identity provider."""
        provider = self._entrance.provider
        if provider is None or self._entrance.demo:
            return redirect(url_for("audit.sign_in"))
        if self._entrance.attempts.wait("", request.remote_addr or ""):
            flash("Too many attempts. Try again in a minute.")
            return redirect(url_for("audit.sign_in"))
        try:
            answer = provider.begin(url_for("audit.callback", _external=True))
        except ProviderTrouble as problem:
            return self._trouble(problem)
        assert isinstance(answer, AnyResponse)  # noqa: S101  what the protocol means by "answer"
        return answer

    def back(self) -> AnyResponse | tuple[str, int]:
        """`GET /audit/sign-in/callback`: back from the identity provider."""
        provider = self._entrance.provider
        if provider is None or self._entrance.demo:
            return redirect(url_for("audit.sign_in"))
        try:
            somebody = provider.finish()
        except ProviderTrouble as problem:
            return self._trouble(problem)
        role = next((role for role in ROLES if role in somebody.roles), "")
        if not role:
            self._gate.record_refused(f"{somebody.name} ({somebody.subject})", "no role")
            flash("You are signed in there, but have no role here. Ask whoever runs this service for one.")
            return self._page(SignInForm(formdata=None)), 403
        who = f"{somebody.name} ({somebody.subject})" if somebody.name != somebody.subject else somebody.subject
        self._gate.enter(Viewer(who=who, name=somebody.name, role=role, through="oidc"))
        return redirect(url_for("audit.numbers"))

    def out(self) -> AnyResponse:
        """`POST /audit/sign-out`"""
        self._gate.leave()
        return redirect(url_for("audit.sign_in"))

    def _trouble(self, problem: ProviderTrouble) -> AnyResponse:
        self._log.write("warning", "sign-in", f"by the identity provider did not come about: {problem}")
        flash("The sign-in did not come about. Try again; if it stays so, the service's log says why.")
        return redirect(url_for("audit.sign_in"))

    def _page(self, form: SignInForm) -> str:
        accounts, provider = self._entrance.accounts, self._entrance.provider
        return render_template(
            "audit_pages/sign_in.html",
            form=form,
            local=accounts is not None,
            nobody=accounts is not None and provider is None and accounts.is_empty(),
            provider=None if provider is None else provider.name,
        )
