"""The cards of an answer as the clinician saw them: their Markdown as HTML, with HTML in it switched off."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final
from urllib.parse import urlsplit

from markdown_it import MarkdownIt
from markdown_it.token import Token
from markupsafe import Markup
from msgspec import Struct

# GFM tables, as cards use them; no HTML, no pictures, nothing that is loaded from anywhere.
_MARKDOWN: Final = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable("table").disable("image")

Scrub = Callable[[str], str]


class Button(Struct, frozen=True):
    """One suggestion: what it is called, what it would do, and whether it was taken."""

    label: str
    recommended: bool
    taken: bool
    does: tuple[str, ...]


class ShownLink(Struct, frozen=True):
    """One link of a card."""

    label: str
    url: str


class ShownCard(Struct, frozen=True):
    """One card."""

    indicator: str
    summary: str
    detail: Markup
    source: str
    source_url: str
    buttons: tuple[Button, ...]
    links: tuple[ShownLink, ...]
    reasons: tuple[str, ...]
    outcome: str


def cards_of(
    answer: Mapping[str, Any], outcomes: Mapping[str, tuple[str, Sequence[str]]], scrub: Scrub
) -> tuple[ShownCard, ...]:
    """The cards of an answer; ``outcomes``: by card, what became of it and which suggestions were taken."""
    return tuple(
        _card(card, outcomes.get(str(card.get("uuid", "")).lower(), ("", ())), scrub)
        for card in answer.get("cards") or ()
    )


def _card(card: Mapping[str, Any], became: tuple[str, Sequence[str]], scrub: Scrub) -> ShownCard:
    outcome, taken = became
    source = card.get("source") or {}
    return ShownCard(
        indicator=str(card.get("indicator", "info")),
        summary=scrub(str(card.get("summary", ""))),
        detail=markdown(str(card.get("detail", "")), scrub),
        source=scrub(str(source.get("label", ""))),
        source_url=web_address(source.get("url")),
        buttons=tuple(_button(each, taken, scrub) for each in card.get("suggestions") or ()),
        links=tuple(
            ShownLink(scrub(str(each.get("label", ""))), web_address(each.get("url")))
            for each in card.get("links") or ()
        ),
        reasons=tuple(str(each.get("display") or each.get("code")) for each in card.get("overrideReasons") or ()),
        outcome=outcome,
    )


def _button(suggestion: Mapping[str, Any], taken: Sequence[str], scrub: Scrub) -> Button:
    return Button(
        label=scrub(str(suggestion.get("label", ""))),
        recommended=bool(suggestion.get("isRecommended")),
        taken=str(suggestion.get("uuid", "")).lower() in {each.lower() for each in taken},
        does=tuple(
            scrub(f"{each.get('type', '')}: {each.get('description') or 'no description'}")
            for each in suggestion.get("actions") or ()
        ),
    )


def markdown(text: str, scrub: Scrub) -> Markup:
    """Markdown as HTML that we made; what the record put into it stays text."""
    tokens = _MARKDOWN.parse(text)
    _scrubbed(tokens, scrub)
    html = _MARKDOWN.renderer.render(tokens, _MARKDOWN.options, {})
    return Markup(html)  # noqa: S704  markdown-it escapes every text, and HTML is off


def _scrubbed(tokens: Sequence[Token], scrub: Scrub) -> None:
    for token in tokens:
        if token.children:
            _scrubbed(token.children, scrub)
        elif token.content:
            token.content = scrub(token.content)
        token.attrs.pop("style", None)  # alignment of a column; the pages allow no inline style
        if token.type == "link_open":
            token.attrs["href"] = web_address(token.attrs.get("href")) or "#"


def web_address(url: object) -> str:
    """A link that leads to a web page; anything else leads nowhere."""
    if isinstance(url, str) and urlsplit(url).scheme in ("http", "https"):
        return url
    return ""
