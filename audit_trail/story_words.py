"""The words of a story: names from the questions and the wording in force; what these do not know is told as it is."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

from cards.wording import wording
from rules.findings.questions import QUESTIONS

VERDICTS: Final[Mapping[str, str]] = wording().verdict
_SAFETY: Final = {
    "pregnancy": "pregnancy",
    "mr_device": "a device or metal that matters in an MR scanner",
    "passive_metal": "passive metal",
    "kidney": "kidney disease",
    "contrast_reaction": "an earlier reaction to contrast",
    "claustrophobia": "claustrophobia",
    "metformin": "metformin",
}


def study_in_words(order: Mapping[str, Any]) -> str:
    """The study's full name; an order that was not recognised by its own text."""
    procedure = order.get("procedure")
    if procedure:
        found = wording().study.get(procedure)
        return found.name if found is not None else str(procedure).replace("_", " ")
    return str(order.get("name") or "an order that was not recognised")


def entry_in_words(evidence: Mapping[str, Any], with_reference: bool = False) -> str:
    """What an entry says, when, and where it stands."""
    parts = [evidence.get("dated") or "undated", *(evidence.get("marks") or ())]
    where = f" [{evidence['reference']}]" if with_reference and evidence.get("reference") else ""
    return f"{evidence['says']} ({', '.join(parts)}){where}"


def finding_name(name: str) -> str:
    """A finding as one that may be absent: "leg weakness"."""
    found = wording().finding.get(name)
    return (found.absent or found.cause) if found is not None else _SAFETY.get(name, name.replace("_", " "))


def finding_in_words(name: str, level: str = "") -> str:
    """A finding at a level, as something that would change the advice: "six weeks of treatment completed"."""
    found = (wording().level.get(f"{name}:{level}") if level else None) or wording().finding.get(name)
    plain = f"{name.replace('_', ' ')} {level}".strip()
    return found.if_ if found is not None else plain


def question_in_words(name: str) -> str:
    """The question as it is put to the record."""
    found = QUESTIONS.get(name)
    return found.asks if found is not None else f"{name.replace('_', ' ').capitalize()}?"


def answer_in_words(finding: Mapping[str, Any]) -> str:
    """yes, no or unknown; with the level, and whether it was presumed."""
    said = str(finding["answer"])
    if finding.get("presumed"):
        said = "no (presumed)"
    level = finding.get("level") or ""
    marks = sorted(finding.get("marks") or ())
    more = [part for part in (level, *marks) if part and part != said]
    return f"{said}: {', '.join(more)}" if more else said


def duration_in_words(episode: Mapping[str, Any]) -> str:
    """How many days the episode has lasted, as far as it is known."""
    days = episode.get("days")
    if not days:
        return "unknown"
    shortest, longest = days["shortest"], days.get("longest")
    if longest is None:
        return f"at least {shortest} days"
    return f"{shortest} days" if shortest == longest else f"{shortest} to {longest} days"


def category_in_words(category: str) -> str:
    """ACR's category."""
    return wording().category.get(category, category.replace("-", " "))


def rating_in_words(rating: Mapping[str, Any] | None, not_rated_because: str) -> str:
    """How the order was rated, and by whom."""
    if rating is None:
        why = wording().why_not_rated.get(not_rated_because, not_rated_because.replace("-", " "))
        return f"The order was not rated: {why or 'no reason recorded'}."
    said, guideline = f"The order was rated {rating['pama']}", str(rating.get("guideline") or "acr").upper()
    if not (rating.get("score") and rating.get("category")):
        return f"{said} by {guideline}."
    scored = f"{rating['score']} of 9, {category_in_words(rating['category'])}"
    if guideline == "ACR":
        return f"{said} ({scored}) by ACR."
    return f"{said} by {guideline} (ACR: {scored})."  # the nine steps are ACR's, whoever decided


def change_in_words(change: Mapping[str, Any]) -> str:
    """One answer, or two together, and what the advice would then have been."""
    answers = " together with ".join(
        finding_in_words(name, to) for name, to in zip(change["findings"], change["to"], strict=True)
    )
    category = change.get("category")
    then = [category_in_words(category)] if category else [str(change.get("pama") or "not rated").replace("-", " ")]
    if change["urgency"] != "routine":
        then.append(wording().urgency.get(change["urgency"], change["urgency"]))
    return f"{answers}: then {', '.join(then)}"


def after_a_colon(words: Iterable[str]) -> str:
    """Several things in one sentence, each once."""
    return "; ".join(dict.fromkeys(words)) or "no order"
