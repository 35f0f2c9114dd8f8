"""What a client of a profile would drop from an answer, and why. Reads any CDS Hooks answer, whoever wrote it."""

import re
from collections.abc import Iterator
from typing import Any, Literal
from urllib.parse import urlsplit

from cards.card import LABEL_LIMIT, OVERRIDE_DISPLAY_LIMIT, SUMMARY_LIMIT
from cards.lint_actions import action_losses, order_losses
from cards.lint_loss import Loss, lost, note, objects, text_of
from cards.profiles import Profile

__all__ = ["Loss", "losses"]

_TABLE = re.compile(r"^\|.*\|\s*$", re.MULTILINE)
_HTML = re.compile(r"<[a-zA-Z/!][^>]*>")
_MARKS = re.compile(r"\*\*|^#+ |^\|", re.MULTILINE)


def losses(answer: dict[str, Any], profile: Profile) -> tuple[Loss, ...]:
    """Everything that such a client would lose, change or show otherwise, in the order of the answer."""
    return tuple(_answer(answer, profile))


def _answer(answer: dict[str, Any], profile: Profile) -> Iterator[Loss]:
    if not isinstance(answer.get("cards"), list):
        yield lost("cards", "is not a list: the whole answer is lost")
        return
    for number, card in enumerate(answer["cards"]):
        place = f"cards[{number}]"
        if not isinstance(card, dict):
            yield lost(place, "is not an object")
            continue
        yield from _card(card, place, profile)
    yield from _ratings(answer, profile)


def _card(card: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    yield from _head(card, place, profile)
    yield from _detail(card, place, profile)
    yield from _topic(card, place, profile)
    yield from _suggestions(card, place, profile)
    yield from _links(card, place, profile)
    yield from _overrides(card, place, profile)


def _head(card: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    summary = text_of(card, "summary")
    if not summary:
        yield lost(f"{place}.summary", "is missing: the card has no first line")
    elif len(summary) >= SUMMARY_LIMIT:
        yield lost(f"{place}.summary", f"has {len(summary)} characters; what is past {SUMMARY_LIMIT - 1} may be cut")
    if card.get("indicator") not in ("info", "warning", "critical"):
        yield lost(f"{place}.indicator", "is none of info, warning and critical")
    if not text_of(card, "uuid"):
        yield lost(f"{place}.uuid", "is missing: no feedback on this card can be sent")
    extension = card.get("extension")
    for name in extension if isinstance(extension, dict) else ():
        if name != profile.content_type_in:
            yield note(f"{place}.extension", f"`{name}` means nothing to this client")


def _detail(card: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    detail = text_of(card, "detail")
    extension = card.get("extension")
    stated = extension.get(profile.content_type_in, "") if isinstance(extension, dict) else ""
    if profile.content_type_in and stated == "text/plain" and _MARKS.search(detail):
        yield Loss(f"{place}.detail", "changed", "is Markdown, but its content type says plain text")
    if not profile.markdown and _MARKS.search(detail):
        yield Loss(f"{place}.detail", "changed", "Markdown is not drawn: its marks are shown as they are")
    elif not profile.tables and _TABLE.search(detail):
        yield Loss(f"{place}.detail", "changed", "a table is not drawn")
    if _HTML.search(detail) and stated != "text/html":
        yield Loss(f"{place}.detail", "changed", "holds HTML: shown as text, or taken out")


def _topic(card: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    source = card.get("source")
    if not isinstance(source, dict) or not text_of(source, "label"):
        yield lost(f"{place}.source.label", "is missing")
        return
    topic = source.get("topic")
    code = text_of(topic, "code") if isinstance(topic, dict) else ""
    if profile.needs_topic and not re.fullmatch(profile.needs_topic, code):
        why = "is missing" if not code else f"`{code}` is not {profile.needs_topic}"
        yield lost(f"{place}.source.topic.code", f"{why}: an override of this card is not remembered")
    if topic is not None and "topic" in profile.shown:
        yield note(f"{place}.source.topic", profile.shown["topic"])


def _suggestions(card: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    suggestions = objects(card.get("suggestions"))
    if not suggestions:
        return
    if not profile.suggestions:
        for number, each in enumerate(suggestions):
            yield lost(f"{place}.suggestions[{number}]", f"“{text_of(each, 'label')}”: this client shows no buttons")
        return
    behavior = card.get("selectionBehavior")
    if behavior not in ("any", "at-most-one"):
        yield lost(f"{place}.selectionBehavior", "is missing or unknown: the card counts as an error")
    elif profile.selection == "any" and behavior != "any":
        yield lost(f"{place}.selectionBehavior", f"`{behavior}` is not known here, only `any`")
    elif "selectionBehavior" in profile.shown:
        yield note(f"{place}.selectionBehavior", profile.shown["selectionBehavior"])
    for number, each in enumerate(suggestions):
        yield from _suggestion(each, f"{place}.suggestions[{number}]", profile)


def _suggestion(suggestion: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    label = text_of(suggestion, "label")
    if not label:
        yield lost(f"{place}.label", "is missing")
    elif len(label) >= LABEL_LIMIT and "label" not in profile.shown:
        yield note(f"{place}.label", f"has {len(label)} characters and may wrap")
    for member in ("label", "isRecommended", "actionSelectionBehavior"):
        if suggestion.get(member) and member in profile.shown:
            yield note(f"{place}.{member}", profile.shown[member])
    if not text_of(suggestion, "uuid"):
        yield lost(f"{place}.uuid", "is missing: that it was accepted cannot be reported")
    actions = objects(suggestion.get("actions"))
    if not actions:
        yield lost(place, f"“{label}” does nothing: it has no action")
    if profile.one_action and len(actions) > 1:
        yield lost(f"{place}.actions", f"only one of the {len(actions)} actions is applied; one suggestion for each")
    for number, action in enumerate(actions):
        yield from action_losses(action, f"{place}.actions[{number}]", profile)


def _links(card: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    links = objects(card.get("links"))
    if links and "links" in profile.shown:
        yield note(f"{place}.links", profile.shown["links"])
    for number, link in enumerate(links):
        at = f"{place}.links[{number}]"
        if urlsplit(text_of(link, "url")).scheme not in ("http", "https"):
            yield lost(f"{at}.url", "is not an absolute web address")
        if link.get("type") not in ("absolute", "smart"):
            yield lost(f"{at}.type", "is neither absolute nor smart")
        if link.get("type") == "smart" and "smart" in profile.shown:
            yield Loss(at, "changed", f"a SMART link {profile.shown['smart']}")


def _overrides(card: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    reasons = card.get("overrideReasons")
    if reasons is None:
        return
    if not objects(reasons):
        yield lost(f"{place}.overrideReasons", "is empty: an empty menu; leave it out instead")
        return
    if "overrideReasons" in profile.shown:
        yield note(f"{place}.overrideReasons", profile.shown["overrideReasons"])
    for number, reason in enumerate(objects(reasons)):
        at = f"{place}.overrideReasons[{number}]"
        if not text_of(reason, "code") or not text_of(reason, "system"):
            yield lost(at, "has no code or no system")
        if len(text_of(reason, "display")) >= OVERRIDE_DISPLAY_LIMIT:
            yield note(at, f"is longer than {OVERRIDE_DISPLAY_LIMIT - 1} characters: it may not fit on a line")


def _ratings(answer: dict[str, Any], profile: Profile) -> Iterator[Loss]:
    extension = answer.get("extension")
    inside = extension.get("systemActions") if isinstance(extension, dict) else None
    places: dict[Literal["systemActions", "extension.systemActions"], Any] = {
        "systemActions": answer.get("systemActions"),
        "extension.systemActions": inside,
    }
    read = [place for place in profile.ratings_in if objects(places[place])]
    for place, actions in places.items():
        if actions is None:
            continue
        if not isinstance(actions, list):
            yield lost(place, "is not a list")
        elif place not in profile.ratings_in:
            said = profile.shown.get(place, "is not read")
            yield note(place, said) if read else lost(place, said)
        elif profile.first_coding_only and place == "systemActions" and not inside:
            yield lost(place, profile.shown.get(place, "is not read"))
        else:
            for number, action in enumerate(objects(actions)):
                yield from _system_action(action, f"{place}[{number}]", profile)


def _system_action(action: dict[str, Any], place: str, profile: Profile) -> Iterator[Loss]:
    resource = action.get("resource")
    if not isinstance(resource, dict):
        whole = ": the whole answer is thrown away, cards included" if profile.first_coding_only else ""
        yield lost(f"{place}.resource", f"is missing{whole}")
        return
    kind = f"{action.get('type')} {resource.get('resourceType')}"
    if profile.system_actions and kind not in profile.system_actions:
        yield lost(place, f"`{kind}` is not applied, only {' or '.join(sorted(profile.system_actions))}")
    if profile.first_coding_only:
        yield from order_losses(resource, place, needs_order=False)
