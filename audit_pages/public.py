"""Pages that hold nothing of a patient and need no sign-in: source attributes of the rules, and the hazard log."""

from __future__ import annotations

from collections.abc import Callable

import msgspec
from flask import Response, render_template, request

from audit_pages import dsi
from audit_pages.hazards import hazards

JSON = "application/json"


class PublicPages:
    """The views; ``sources`` says what is in force now."""

    def __init__(self, sources: Callable[[], dsi.DsiSources]) -> None:
        self._sources = sources

    def dsi(self) -> Response | str:
        """`GET /dsi`: a page, or JSON for whoever asks for it."""
        if _wants_json():
            return self.dsi_json()
        sources = self._sources()
        return render_template(
            "audit_pages/dsi.html",
            text=dsi.text(),
            sources=sources,
            attributes=dsi.attributes(sources),
            editions=dsi.editions(sources),
            parameters=dsi.parameters(sources),
            questions=dsi.questions(),
            limits=dsi.limits(sources),
        )

    def dsi_json(self) -> Response:
        """`GET /dsi.json`"""
        return Response(msgspec.json.encode(dsi.document(self._sources())), content_type=JSON)

    def hazards(self) -> Response | str:
        """`GET /hazards`: a page, or JSON for whoever asks for it."""
        if _wants_json():
            return self.hazards_json()
        return render_template("audit_pages/hazards.html", hazards=hazards())

    def hazards_json(self) -> Response:
        """`GET /hazards.json`"""
        return Response(msgspec.json.encode({"hazards": hazards()}), content_type=JSON)


def _wants_json() -> bool:
    accepted = request.accept_mimetypes
    return accepted[JSON] > accepted["text/html"]
