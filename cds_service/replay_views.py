"""A replay or a comparison as a person reads it in a terminal: the verdict first, then why, then every difference."""

from __future__ import annotations

import re
import textwrap
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from typing import Final

import click

from audit_trail.differences import Difference
from audit_trail.record import DecisionRecord
from cds_service.replay import Compared, Effect, Replayed
from cds_service.terminal import columns, facts, heading, paragraph, points, printable, table, title

_UUID: Final = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_ADDRESS: Final = re.compile(r"\[https?://[^\]]*/([^/\]]+)/?\]")
_LONGEST_VALUE: Final = 400
_AGAIN: Final = "extension.systemActions"  # the ratings stand in the answer twice, for readers of either guide
_CAUSES: Final = {
    "software": "The software itself",
    "rules": "The rules",
    "terminology": "The code lists",
    "wording": "The wording",
    "settings": "The settings",
}
_PARTS: Final = (
    ("cards", "the cards"),
    ("systemActions", "the rating on the order"),
    (_AGAIN, "the rating on the order"),
    ("advice", "the reasoning"),
    ("picture", "what was read"),
    ("status", "the status"),
)


def replay_lines(record: DecisionRecord, replayed: Replayed) -> Iterator[str]:
    """What came of a replay."""
    yield from title(f"Replay of decision {record.decision}")
    yield ""
    another = "" if replayed.same_software else "  (another version)"
    yield from facts((("Recorded", _recorded(record, replayed.wrote)), ("Replayed by", replayed.replayed_by + another)))
    yield ""
    if replayed.problem:
        yield from paragraph(f"It cannot be replayed: {replayed.problem}.")
        yield from heading("What can still be said")
        yield from points(replayed.can_be_said)
        yield from heading("What cannot")
        yield from points(replayed.cannot_be_said)
        if replayed.technical:
            yield ""
            yield from paragraph(f"For whoever maintains the software: {replayed.technical}")
        return
    if replayed.same:
        said = f"The same to the byte: {replayed.answer_bytes:,} bytes, status {replayed.status}."
        yield click.style(said, fg="green")
        return
    said = f"It differs in {_places(replayed.differences)}: {_by_part(replayed.differences)}."
    for line in paragraph(said):
        yield click.style(line, fg="red" if replayed.same_software else "yellow")
    if replayed.same_software:
        yield from paragraph("The same software wrote it, so this is a defect, or the record was changed.")
    yield from heading("Every difference")
    yield from _differences(replayed.differences, "Recorded", "Replayed")


def compare_lines(record: DecisionRecord, compared: Compared) -> Iterator[str]:
    """What would be said today, and why."""
    yield from title(f"Decision {record.decision}: what would be said today")
    yield ""
    yield from facts(
        (
            ("Recorded", _recorded(record, compared.wrote)),
            ("Today", compared.today),
            ("Unchanged", ", ".join(compared.unchanged)),
            ("Changed", ", ".join(effect.cause for effect in compared.effects)),
        )
    )
    yield ""
    if compared.problem:
        yield from paragraph(f"It cannot be compared: {compared.problem}.")
        return
    if compared.differences:
        said = f"Today it would say something else, in {_places(compared.differences)}."
        yield click.style(said, fg="yellow")
        if compared.at_a_glance:
            yield ""
            yield from table(("", "Then", "Today"), compared.at_a_glance)
    else:
        yield click.style("Today it would say the same, to the byte.", fg="green")
    for effect in compared.effects:
        yield from _effect(effect)
    if compared.differences:
        yield from heading("Every difference")
        yield from _differences(compared.differences, "Then", "Today")


def _recorded(record: DecisionRecord, wrote: str) -> str:
    return f"{record.at:%Y-%m-%d %H:%M:%S} UTC by {wrote or 'a version that is not recorded'}"


def _effect(effect: Effect) -> Iterator[str]:
    yield from heading(f"{_CAUSES[effect.cause]}: what changed since, and what that alone does")
    if effect.changed:
        yield from _differences(effect.changed, "Then", "Today")
    else:
        yield from paragraph("Nothing in the files; other values of theirs are in force by today's date.")
    yield ""
    if effect.problem:
        technical = f" (For whoever maintains the software: {effect.technical})" if effect.technical else ""
        yield from paragraph(f"Alone it cannot be tried: {effect.problem}.{technical}")
    elif effect.differences:
        yield from paragraph(f"Alone it changes {_places(effect.differences)}: {_by_part(effect.differences)}.")
    else:
        yield "Alone it changes nothing here."


def _places(found: Sequence[Difference]) -> str:
    return "one place" if len(found) == 1 else f"{len(found):,} places"


def _by_part(found: Iterable[Difference]) -> str:
    """ "the cards (7), the reasoning (12)"."""
    count: Counter[str] = Counter()
    for each in found:
        count[next((words for part, words in _PARTS if each.place.startswith(part)), "the answer")] += 1
    return ", ".join(f"{words} ({places})" for words, places in count.items())


def _differences(found: Iterable[Difference], before: str, after: str) -> Iterator[str]:
    """Each difference under its place, the two versions one above the other."""
    width = max(len(before), len(after))
    seen: set[tuple[str, str, str]] = set()
    again = 0
    for each in found:
        once = (each.place.removeprefix("extension."), each.before, each.after)
        if each.place.startswith(_AGAIN) and once in seen:
            again += 1
            continue
        seen.add(once)
        yield from paragraph(_short(each.place))
        for name, value, colour in ((before, each.before, "red"), (after, each.after, "green")):
            lead = f"  {name.ljust(width)}  "
            for number, line in enumerate(_lines(value, columns() - len(lead))):
                yield f"{click.style(lead if not number else ' ' * len(lead), dim=True)}{click.style(line, fg=colour)}"
    if again:
        yield from paragraph(f"And the same {'once' if again == 1 else f'{again} times'} in {_AGAIN}.")


def _lines(value: str, width: int) -> list[str]:
    left_out = len(value) - _LONGEST_VALUE
    shown = value if left_out <= 0 else f"{value[:_LONGEST_VALUE]} … ({left_out:,} more characters: --json)"
    return [line for part in shown.split("\n") for line in textwrap.wrap(printable(part), width) or [""]]


def _short(place: str) -> str:
    """A place with its uuids and addresses cut to what tells them apart."""
    return _ADDRESS.sub(r"[\1]", _UUID.sub(r"\1…", place))
