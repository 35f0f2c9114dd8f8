"""The words of the pages for the words of the record: studies, ratings, rule rows, people."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from msgspec import Struct

from audit_pages.people import Viewer
from audit_pages.seams import Pseudonym
from audit_trail.selection import client_and_user
from audit_trail.story_words import finding_name, study_in_words
from rules.guideline_tables import Guidelines

RATING: Final[Mapping[str, tuple[str, str]]] = {
    "appropriate": ("appropriate", "good"),
    "not-appropriate": ("not appropriate", "bad"),
    "no-criteria-apply": ("no criteria apply", "none"),
    "": ("not rated", "blank"),
    "none": ("not rated", "blank"),
}
OUTCOME: Final[Mapping[str, str]] = {"answered": "answered", "left alone": "no order of ours", "failed": "failed"}
TOPICS: Final[Mapping[str, str]] = {
    "trust": "who is calling, and the body",
    "reading": "reading the call",
    "fetching": "waiting for the EHR's server",
    "deciding": "deciding",
    "cards": "writing the cards",
    "whole": "the whole call",
}


class Words(Struct, frozen=True):
    """For one viewer: people in clear for whoever may see them, as pseudonyms for everybody else."""

    viewer: Viewer
    pseudonym: Pseudonym
    rows: Mapping[str, str]

    def study(self, procedure: str) -> str:
        """A study by its name."""
        return study_in_words({"procedure": procedure}) if procedure else "not recognised as a rated study"

    def row(self, row: str) -> str:
        """A rule row by its label."""
        return self.rows.get(row, row) if row else "no row led"

    def person(self, name: str) -> str:
        """A clinician, as ``selection.person`` names one."""
        if not name:
            return "not named"
        return client_and_user(name)[1] if self.viewer.sees_people else self.alias(name)

    def alias(self, name: str) -> str:
        """The pseudonym, which also stands in addresses."""
        return f"clinician-{self.pseudonym(*client_and_user(name))[:12]}" if name else "not-named"

    def patient(self, client: str, patient: str) -> str:
        """A patient of a client."""
        if not patient:
            return "not named"
        return patient if self.viewer.sees_people else f"patient-{self.pseudonym(client, patient)[:12]}"

    def reason(self, code: str, text: str) -> str:
        """Why a card was overridden. Words without a code are a clinician's own, and may name anybody."""
        if text and not code and not self.viewer.sees_people:
            return "a reason in words only"
        return text or code or "no reason given"

    def finding(self, name: str) -> str:
        """A finding."""
        return finding_name(name)


def rating_words(rating: str) -> str:
    """A rating in words."""
    return RATING.get(rating, (rating, ""))[0]


def plain(code: str) -> str:
    """A code of ours that reads as words."""
    return code.replace("-", " ").replace("_", " ") if code else "none"


def row_labels(guidelines: Guidelines) -> Mapping[str, str]:
    """The label of each row that can lead."""
    found = {each.row.id: each.row.label for each in guidelines.criteria}
    found |= {each.row.id: each.row.label for each in guidelines.ground.values()}
    found |= {each.row.id: f"ACP: {each.row.label}" for each in guidelines.acp_rows}
    found |= {each.row.id: f"NICE: {each.row.label}" for each in guidelines.nice_rows}
    return found
