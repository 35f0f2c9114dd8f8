"""Cards in a terminal, for people."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

MARKS = {"critical": "!!", "warning": "!", "info": "i"}


def printed_cards(answer: dict[str, Any]) -> Iterator[str]:
    """Lines to read, card by card; an answer without cards says so."""
    cards = answer.get("cards", [])
    if not cards:
        yield "No card: the order is not ours to judge, or nothing needs saying at this hook."
    for card in cards:
        yield f"[{MARKS.get(card['indicator'], '?')}] {card['indicator'].upper()}: {card['summary']}"
        yield f"    {card['source']['label']}"
        if "detail" in card:
            yield ""
            yield from (f"    {line}".rstrip() for line in card["detail"].splitlines())
        yield from _choices(card)
        yield ""
    for rating in _ratings(answer):
        yield f"Rating written on the order: {rating}"


def _choices(card: dict[str, Any]) -> Iterator[str]:
    if "suggestions" in card:
        yield ""
    for suggestion in card.get("suggestions", []):
        yield f"    ({'*' if suggestion.get('isRecommended') else ' '}) {suggestion['label']}"
        for action in suggestion["actions"]:
            yield f"          {action['type']}: {action.get('description', '')}".rstrip()
    for link in card.get("links", []):
        yield f"    -> {link['label']}: {link['url']}"
    reasons = [reason["display"] for reason in card.get("overrideReasons", [])]
    if reasons:
        yield f"    To disagree: {'; '.join(reasons)}"


def _ratings(answer: dict[str, Any]) -> Iterator[str]:
    for action in answer.get("systemActions", []):
        for extension in action.get("resource", {}).get("extension", []):
            if extension.get("url", "").endswith("/pama-rating"):
                codings = extension.get("valueCodeableConcept", {}).get("coding", [])
                yield ", ".join(str(coding.get("display") or coding.get("code")) for coding in codings)
