"""Every sentence a clinician reads, loaded strictly from ``wording.toml``; code fills fields, it words nothing.

Values are filled in once and never looked at again for fields, so record text cannot become a template.
"""

import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from functools import cache
from importlib.resources import files
from string import Formatter
from typing import Any

import msgspec
from msgspec import Struct

from cards.card import LABEL_LIMIT, OVERRIDE_DISPLAY_LIMIT, SUMMARY_LIMIT, CardError
from rules.procedures import Procedure

MODALITIES_ALONE = ("MRI", "CT")  # what an order is called that does not state its contrast


def _names(text: str) -> frozenset[str]:
    return frozenset(text.split())


# The fields that the wordings of a section may use. Sections that are not named take none.
_FIELDS: Mapping[str, frozenset[str]] = {
    "summary": _names(
        "cause act study better priority hazard sources date story category is_category count row urgency why time said"
    ),
    "lead": _names("study better at priority sources date category is_category cause row hazard"),
    "detail": _names(
        "do findings changes if effect urgency verdicts score category dose says orders texts sources entries count"
        " is_category duration recheck basis care care_date order name rated study time until reason"
    ),
    "story": _names("duration"),
    "duration": _names("n low high"),
    "label": _names("better priority date study"),
    "action": _names("name priority recheck date answer"),
    "by_hand": _names("name priority recheck"),
    "note": _names(
        "old new at day cause row score category is_category old_rating presumed priority study recheck care"
    ),
}


class WordingError(ValueError):
    """Wording that cannot be used; the message names the section, the key and what is wrong."""


class StudyWords(Struct, frozen=True, forbid_unknown_fields=True):
    """A study's short name for summaries and buttons, and its full one."""

    short: str
    name: str


class FindingWords(Struct, frozen=True, forbid_unknown_fields=True, rename={"if_": "if", "is_": "is"}):
    """How a finding is named: found, presumed absent, as something that would change the advice, as a cause."""

    is_: str
    if_: str
    cause: str
    absent: str = ""


class ActWords(Struct, frozen=True, forbid_unknown_fields=True):
    """What to do at once for one cause."""

    summary: str
    first: str
    do: str
    link: str


class LinkWords(Struct, frozen=True, forbid_unknown_fields=True):
    """A public page: its name and address."""

    label: str
    url: str


class Wording(Struct, frozen=True, forbid_unknown_fields=True):
    """All wordings, by section; see ``wording.toml``."""

    version: str
    study: dict[str, StudyWords]
    category: dict[str, str]
    pama: dict[str, str]
    radiation: dict[str, str]
    priority: dict[str, str]
    urgency: dict[str, str]
    guideline: dict[str, str]
    modality: dict[str, str]
    verdict: dict[str, str]
    mark: dict[str, str]
    source: dict[str, str]
    gap: dict[str, str]
    finding: dict[str, FindingWords]
    level: dict[str, FindingWords]
    finding_note: dict[str, str]
    act: dict[str, ActWords]
    summary: dict[str, tuple[str, ...]]
    why_not_rated: dict[str, str]
    lead: dict[str, str]
    detail: dict[str, str]
    basis: dict[str, str]
    story: dict[str, str]
    duration: dict[str, str]
    hazard: dict[str, str]
    hazard_short: dict[str, str]
    label: dict[str, str]
    answer: dict[str, str]
    action: dict[str, str]
    by_hand: dict[str, str]
    answer_by_hand: dict[str, str]
    note: dict[str, str]
    override: dict[str, str]
    link: dict[str, LinkWords]
    page_link: dict[str, str]

    def summarised(self, key: str, order: str = "", **fields: str) -> str:
        """The longest wording of a summary that fits under the limit, whole; nothing is cut.

        ``order`` names the order first, when several were selected; it gives way before the advice does.
        """
        return longest_that_fits([template.format_map(fields) for template in self.summary[key]], order)


def longest_that_fits(texts: Sequence[str], order: str = "") -> str:
    """The first of these summaries that is short enough, the longest come first; named by its order if that fits."""
    for named in (True, False) if order else (False,):
        for text in texts:
            said = f"{text[0].upper()}{text[1:]}"
            if named:
                said = about_order(said, order)
            if len(said) < SUMMARY_LIMIT:
                return said
    raise CardError(f"no wording of this summary fits: {texts[-1]}")


def about_order(text: str, order: str) -> str:
    """The text with the order's name before it, unless it names that order itself, in whole words.

    A modality alone is part of other studies' names: an order that is called by it is always named first.
    """
    if order not in MODALITIES_ALONE and re.search(rf"(?<![\w/-]){re.escape(order)}(?![\w/-])", text, re.IGNORECASE):
        return text
    return f"{order}: {text}"


@cache
def wording() -> Wording:
    """The wordings of this version of the product."""
    return read_wording(files("cards").joinpath("wording.toml").read_text(encoding="utf-8"))


def read_wording(text: str) -> Wording:
    """Wordings from TOML text; raises :class:`WordingError` for anything that could fail later, before a clinician."""
    try:
        loaded = msgspec.convert(tomllib.loads(text), Wording, strict=True)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as problem:
        raise WordingError(f"wording.toml: {problem}") from problem
    for where, section, template in _templates(loaded):
        _check_template(where, section, template)
    _check_limits(loaded)
    missing = {procedure.value for procedure in Procedure} ^ set(loaded.study)
    if missing:
        raise WordingError(f"wording.toml: study: {sorted(missing)[0]}")
    return loaded


def _templates(loaded: Wording) -> Iterator[tuple[str, str, str]]:
    content: dict[str, Any] = msgspec.to_builtins(loaded)
    for section, entries in content.items():
        if section == "version":
            continue
        for key, value in entries.items():
            for part in _parts(value):
                yield f"wording.toml: {section}.{key}", section, part


def _parts(value: Any) -> list[str]:
    """The texts of one entry; only a level of a finding may have no words for "presumed absent"."""
    if isinstance(value, dict):
        return [part for name, part in value.items() if part or name != "absent"]
    return [value] if isinstance(value, str) else list(value)


def _check_template(where: str, section: str, template: str) -> None:
    if not template or template != template.strip():
        raise WordingError(f"{where}: empty, or blanks at an end")
    try:
        fields = {name for _, name, _, _ in Formatter().parse(template) if name is not None}
    except ValueError as problem:
        raise WordingError(f"{where}: {problem}") from problem
    unknown = fields - _FIELDS.get(section, frozenset())
    if unknown:
        raise WordingError(f"{where}: unknown field {sorted(unknown)[0]!r}")


def _check_limits(loaded: Wording) -> None:
    for key, text in loaded.answer.items():
        if len(text) >= LABEL_LIMIT:
            raise WordingError(f"wording.toml: answer.{key}: a button has fewer than {LABEL_LIMIT} characters")
    for key, text in loaded.override.items():
        if len(text) >= OVERRIDE_DISPLAY_LIMIT:
            raise WordingError(f"wording.toml: override.{key}: fewer than {OVERRIDE_DISPLAY_LIMIT} characters")
    for key, link in loaded.link.items():
        if not link.url.startswith("https://"):
            raise WordingError(f"wording.toml: link.{key}: an https address")
    for key, act in loaded.act.items():
        if act.link not in loaded.link:
            raise WordingError(f"wording.toml: act.{key}: no link {act.link!r}")
