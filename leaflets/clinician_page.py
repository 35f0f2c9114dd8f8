"""The clinician's page: what each guideline says of this order, what would change it, and where all of it stands."""

from __future__ import annotations

from typing import Any, Final

from msgspec import Struct

from cards.page import ClinicianPage, PagedAdvice, PagedChange, PagedView
from cards.phrases import is_category, listed, words_of
from cards.wording import Wording, wording
from leaflets.facts import facts
from rules.edition import Variant
from rules.guideline_tables import Guidelines
from rules.procedures import Procedure

# For the talk with the patient, in the order of the patient's page.
_TO_TELL: Final = (
    "koes-2007",
    "peul-2007",
    "atlas-2018",
    "aafp",
    "brinjikji-2015",
    "brinjikji-2015-pain",
    "jarvik-2015",
    "acp-repeat",
)


class StudyLine(Struct, frozen=True):
    """One study in the table of ratings. ``mark``: the one that was ordered, or the better one."""

    name: str
    score: int
    category: str
    radiation: str
    mark: str = ""


class ViewLine(Struct, frozen=True):
    """What one guideline says."""

    guideline: str
    says: str
    verdict: str
    differs: bool
    cites: tuple[str, ...]


class GuidelineLine(Struct, frozen=True):
    """One row of ACP's or NICE's table."""

    says: str
    verdict: str
    cites: tuple[str, ...]


def clinician_view(
    page: ClinicianPage | None, guidelines: Guidelines, *, asked: bool = False, unavailable: bool = False
) -> dict[str, Any]:
    """What the template shows. Without a page: the tables as they are in force, and why nothing is said of an order."""
    words = wording()
    view: dict[str, Any] = {
        "page": page,
        "why_none": "" if page is not None or not asked else "not now" if unavailable else "unknown",
        "editions": (guidelines.acr.info, guidelines.acp, guidelines.nice),
        "variants": tuple(guidelines.acr.variants.values()),
        "matrix": _matrix(guidelines, words),
        "acp_rows": _acp_rows(guidelines, words),
        "nice_rows": _nice_rows(guidelines, words),
        "to_tell": tuple(facts().fact[name] for name in _TO_TELL),
    }
    return view | (_about_order(page.advice, guidelines, words) if page is not None else {})


def _about_order(advice: PagedAdvice, guidelines: Guidelines, words: Wording) -> dict[str, Any]:
    variant = _variant(advice, guidelines)
    return {
        "title": _title(advice, words),
        "urgency": words.urgency.get(advice.urgency, advice.urgency),
        "better": _better(advice, words),
        "views": tuple(_view(each, words) for each in advice.views),
        "variant": variant,
        "studies": _studies(variant, advice, words) if variant is not None else (),
        "would_change": tuple(_change(each, advice, words) for each in advice.would_change),
        "presumed": listed(words_of(name, "", words).absent or name.replace("_", " ") for name in advice.presumed),
        "safety": tuple((_study(note.applies_to, words), note) for note in advice.safety),
        "basis": words.basis.get(advice.recheck.basis, "") if advice.recheck is not None else "",
        "sources": _cited(advice),
    }


def _title(advice: PagedAdvice, words: Wording) -> str:
    """The order and its rating in a line; where it is not rated, that."""
    rating = advice.rating
    study = _study(advice.order.procedure or "", words)
    if rating is None:
        return f"{study}: {words.pama['none']}"
    if rating.guideline == "acr" and rating.category:
        return f"{study} {is_category(words.category.get(rating.category, rating.category))}"
    said = words.pama.get(rating.pama, rating.pama)
    return f"{study}: {said} by {words.guideline.get(rating.guideline, rating.guideline)}"


def _better(advice: PagedAdvice, words: Wording) -> str:
    """The change that was advised, or nothing."""
    better = advice.better
    if better is None:
        return ""
    priority = words.priority.get(better.priority, better.priority)
    if not better.procedure:
        return f"priority {priority}" if priority else ""
    study = _study(better.procedure, words)
    return f"{study}, priority {priority}" if priority else study


def _study(procedure: str, words: Wording) -> str:
    found = words.study.get(procedure)
    return found.name[0].upper() + found.name[1:] if found is not None else "This order"


def _variant(advice: PagedAdvice, guidelines: Guidelines) -> Variant | None:
    leading = advice.leading
    if leading is None or leading.variant is None:
        return None
    return guidelines.acr.variants.get(leading.variant)


def _studies(variant: Variant, advice: PagedAdvice, words: Wording) -> tuple[StudyLine, ...]:
    """All studies of the row that leads, the best first."""
    better = advice.better.procedure if advice.better is not None else None
    marks = {better or "": "better", advice.order.procedure or "": "ordered"}
    lines = (
        StudyLine(
            _study(study.procedure.value, words),
            study.score,
            words.category[study.category.value],
            words.radiation[str(study.radiation)],
            marks.get(study.procedure.value, ""),
        )
        for study in variant.studies.values()
    )
    return tuple(sorted(lines, key=lambda line: -line.score))


def _view(view: PagedView, words: Wording) -> ViewLine:
    return ViewLine(
        words.guideline.get(view.guideline, view.guideline),
        view.says[:1].upper() + view.says[1:],
        words.verdict.get(view.verdict, view.verdict.replace("-", " ")),
        view.differs,
        tuple(dict.fromkeys(cite for row in view.rows for cite in row.cites)) or view.cites,
    )


def _change(change: PagedChange, advice: PagedAdvice, words: Wording) -> tuple[str, str]:
    """The answer, and what it would lead to."""
    answer = listed(words_of(name, to, words).if_ for name, to in zip(change.findings, change.to, strict=False))
    if change.urgency != advice.urgency:
        return answer, words.urgency.get(change.urgency, change.urgency)
    if change.category is not None:
        study = _study(advice.order.procedure or "", words)
        return answer, f"{study} {is_category(words.category.get(change.category, change.category))}"
    return answer, words.detail["then-other"]


def _cited(advice: PagedAdvice) -> tuple[str, ...]:
    """Every citation behind this page once."""
    cites = [cite for view in advice.views for row in view.rows for cite in row.cites]
    cites += [cite for note in advice.safety for cite in note.cites]
    cites += advice.ordered.cites if advice.ordered is not None else ()
    return tuple(dict.fromkeys(cites))


def _matrix(guidelines: Guidelines, words: Wording) -> tuple[tuple[str, str, tuple[tuple[int, str], ...]], ...]:
    """ACR's whole table: study, radiation, and rating and category in each variant."""
    variants = guidelines.acr.variants.values()
    lines = []
    for procedure in Procedure:
        studies = [variant.studies[procedure] for variant in variants]
        cells = tuple((study.score, words.category[study.category.value]) for study in studies)
        lines.append((_study(procedure.value, words), words.radiation[str(studies[0].radiation)], cells))
    return tuple(lines)


def _acp_rows(guidelines: Guidelines, words: Wording) -> tuple[GuidelineLine, ...]:
    verdicts = {"immediate": "image-now", "defer": "defer", "none": "no-imaging"}
    return tuple(
        GuidelineLine(each.row.label, words.verdict[verdicts[each.action]], each.row.cites)
        for each in guidelines.acp_rows
    )


def _nice_rows(guidelines: Guidelines, words: Wording) -> tuple[GuidelineLine, ...]:
    return tuple(
        GuidelineLine(each.row.label, words.verdict[each.verdict], each.row.cites) for each in guidelines.nice_rows
    )
