"""Records as a person reads them in a terminal: the list, everything on record of one call, replay and comparison."""

from __future__ import annotations

import re
import textwrap
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import click

from audit_trail.differences import Difference
from audit_trail.feedback import outcome_moment
from audit_trail.queries import Stored
from audit_trail.record import DecisionRecord
from audit_trail.story import Happened, local_time, plain_answer, plain_details
from audit_trail.story_words import (
    answer_in_words,
    duration_in_words,
    entry_in_words,
    question_in_words,
    study_in_words,
)
from cards.override_reasons import reason_words
from cards.plain_text import markdown_as_text
from cds_service.listing import ListLine
from cds_service.replay import Compared, Effect, Replayed
from cds_service.terminal import columns, facts, heading, paragraph, points, printable, table, title

_UUID: Final = re.compile(r"\b([0-9a-f]{8})-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_LONGEST_VALUE: Final = 400
_CAUSES: Final = {
    "software": "The software itself",
    "rules": "The rules",
    "terminology": "The code lists",
    "wording": "The wording",
    "settings": "The settings",
}


def list_lines(found: Sequence[ListLine], more: bool) -> Iterator[str]:
    """Calls, the newest first."""
    if not found:
        yield "No call on record fits."
        return
    rows = [
        (f"{each.at:%Y-%m-%d %H:%M}", each.decision[:8], each.client, each.said, each.indicator, each.reply)
        for each in found
    ]
    yield from table(("When (UTC)", "Decision", "Client", "What it said", "Card", "Reply"), rows)
    yield ""
    if more:
        last = found[-1].at.isoformat(timespec="seconds").replace("+00:00", "Z")
        yield f"More before that: --until {last}, or --limit N."
    yield "One of them: lumbar-cds audit explain DECISION (also show, replay, diff)."


def show_lines(call: Stored[DecisionRecord], happened: Sequence[Happened], repeats: int) -> Iterator[str]:
    """Everything on record of one call."""
    record = call.record
    yield from title(f"Decision {record.decision}")
    yield ""
    yield from facts(_about(call, repeats))
    details, answer = plain_details(record), plain_answer(record)
    for at, advice in enumerate(details.get("advice") or (), start=1):
        yield from heading(f"Order {at}: {study_in_words(advice['order'])}")
        yield from facts(_order(advice))
        yield ""
        yield from _findings(advice["findings"])
    yield from _sources(record)
    if record.unmapped_codes:
        yield from heading("Codes that no list knows")
        yield from points(f"{system}|{code}" for system, code in record.unmapped_codes)
    for card in answer.get("cards") or ():
        yield from _card(card)
    yield from _feedback(happened)


def replay_lines(record: DecisionRecord, replayed: Replayed) -> Iterator[str]:
    """What came of a replay."""
    yield from title(f"Replay of decision {record.decision}")
    yield ""
    yield from facts(
        (
            ("Recorded", f"{record.at:%Y-%m-%d %H:%M:%S} UTC by {replayed.wrote or 'a version that is not recorded'}"),
            ("Replayed by", replayed.replayed_by + ("" if replayed.same_software else "  (another version)")),
        )
    )
    yield ""
    if replayed.problem:
        yield from paragraph(f"It cannot be replayed: {replayed.problem}.")
        return
    if replayed.same:
        said = f"The same to the byte: {replayed.answer_bytes:,} bytes, status {replayed.status}."
        yield click.style(said, fg="green")
        return
    count = len(replayed.differences)
    yield click.style(f"It differs in {count} {_places(count)}.", fg="red" if replayed.same_software else "yellow")
    if replayed.same_software:
        yield from paragraph("The same software wrote it, so this is a defect, or the record was changed.")
    yield ""
    yield from _differences(replayed.differences, "Recorded", "Replayed")


def compare_lines(record: DecisionRecord, compared: Compared) -> Iterator[str]:
    """What would be said today, and why."""
    yield from title(f"Decision {record.decision}: what would be said today")
    yield ""
    yield from facts(
        (
            ("Recorded", f"{record.at:%Y-%m-%d %H:%M:%S} UTC by {compared.wrote or 'a version that is not recorded'}"),
            ("Today", compared.today),
            ("Unchanged", ", ".join(compared.unchanged)),
            ("Changed", ", ".join(effect.cause for effect in compared.effects)),
        )
    )
    yield ""
    if compared.problem:
        yield from paragraph(f"It cannot be compared: {compared.problem}.")
        return
    if not compared.differences:
        yield click.style("Today it would say the same, to the byte.", fg="green")
    else:
        count = len(compared.differences)
        yield click.style(f"Today it would say something else, in {count} {_places(count)}.", fg="yellow")
        if compared.at_a_glance:
            yield ""
            yield from table(("", "Then", "Today"), compared.at_a_glance)
        yield from heading("Every difference")
        yield from _differences(compared.differences, "Then", "Today")
    for effect in compared.effects:
        yield from _effect(effect)


def _effect(effect: Effect) -> Iterator[str]:
    yield from heading(f"{_CAUSES[effect.cause]}: what changed since, and what that alone does")
    if effect.changed:
        yield from _differences(effect.changed, "Then", "Today")
        yield ""
    if effect.problem:
        yield from paragraph(f"Alone it cannot be tried: {effect.problem}.")
    elif not effect.differences:
        yield "Alone it changes nothing here."
    else:
        yield from paragraph(f"Alone it changes {', '.join(_grouped(effect.differences))}.")


def _grouped(found: Iterable[Difference]) -> list[str]:
    """The places of differences, the parts of one card or finding together."""
    places = dict.fromkeys(_short(each.place).split(", line ")[0] for each in found)
    shown = list(places)[:8]
    return shown if len(places) <= len(shown) else [*shown, f"and {len(places) - len(shown)} more"]


def _places(count: int) -> str:
    return "place" if count == 1 else "places"


def _differences(found: Iterable[Difference], before: str, after: str) -> Iterator[str]:
    """Each difference under its place, the two versions one above the other."""
    width = max(len(before), len(after))
    for each in found:
        yield from paragraph(_short(each.place))
        for name, value, colour in ((before, each.before, "red"), (after, each.after, "green")):
            lead = f"  {name.ljust(width)}  "
            for number, line in enumerate(_lines(value, columns() - len(lead))):
                yield f"{click.style(lead if not number else ' ' * len(lead), dim=True)}{click.style(line, fg=colour)}"


def _lines(value: str, width: int) -> list[str]:
    left_out = len(value) - _LONGEST_VALUE
    shown = value if left_out <= 0 else f"{value[:_LONGEST_VALUE]} … ({left_out:,} more characters: --json)"
    return [line for part in shown.split("\n") for line in textwrap.wrap(printable(part), width) or [""]]


def _short(place: str) -> str:
    """A place with its uuids cut to what tells them apart."""
    return _UUID.sub(r"\1…", place)


def _about(call: Stored[DecisionRecord], repeats: int) -> list[tuple[str, str]]:
    record = call.record
    versions, timings = record.versions, record.timings
    parts = {"trust": timings.trust, "reading": timings.reading, "fetching": timings.fetching,
             "deciding": timings.deciding, "cards": timings.cards}  # fmt: skip
    spent = ", ".join(f"{name} {value:.1f}" for name, value in parts.items() if value)
    silent = ", shown to nobody (silent client)" if record.silent else ""
    failed = f" ({record.failure}{', check ' + record.check if record.check else ''})" if record.failure else ""
    return [
        ("Record", f"{call.place.id}, called {repeats} times" if repeats > 1 else call.place.id),
        ("At", f"{record.at:%Y-%m-%d %H:%M:%S} UTC, {local_time(record, record.at)} there"),
        ("Outcome", f"{record.outcome}, status {record.status}{failed}{silent}"),
        ("Service", record.service + (f", the call names {record.hook}" if record.hook_differs else "")),
        ("Hook instance", record.hook_instance),
        ("Client", record.client + (", registered" if record.registered else "")),
        ("Tenant", record.tenant),
        ("Rendered as", record.profile),
        ("Token", ", ".join(part for part in (record.issuer, record.token_id) if part)),
        ("User", record.user),
        ("Patient", record.patient),
        ("Encounter", record.encounter),
        ("FHIR server", record.fhir_server),
        ("Request", f"{record.request_bytes:,} bytes, kept {record.request_kept}"),
        ("Gaps", "; ".join(record.gaps)),
        ("Software", versions.software),
        ("Rules", versions.rules),
        ("Terminology", versions.terminology),
        ("Wording", versions.wording),
        ("Settings", versions.settings),
        ("Milliseconds", f"{timings.whole:.1f}" + (f" ({spent})" if spent else "")),
        ("Where", record.where),
    ]


def _order(advice: Mapping[str, Any]) -> list[tuple[str, str]]:
    order, rating, leading, better = (advice.get(name) or {} for name in ("order", "rating", "leading", "better"))
    rated = " ".join(str(rating.get(name) or "") for name in ("pama", "category", "score")).strip()
    offered = " ".join(str(better.get(name) or "") for name in ("procedure", "priority", "why")).strip()
    return [
        ("Reference", order.get("reference", "")),
        ("Recognised", order.get("recognition", "")),
        ("Situation", " + ".join([advice["situation"], *(advice.get("secondary") or ())])),
        ("Urgency", advice["urgency"]),
        ("Rating", rated or f"none: {advice.get('not_rated_because') or ''}"),
        ("Row", f"{leading.get('id', '')}: {leading.get('label', '')}" if leading else ""),
        ("Cites", "; ".join(leading.get("cites") or ())),
        ("Also fits", "; ".join(row["id"] for row in (advice.get("matched") or ())[1:])),
        ("Offered", offered),
        ("Presumed", ", ".join(advice.get("presumed") or ())),
    ]


def _findings(findings: Mapping[str, Any]) -> Iterator[str]:
    """Every question with its answer and all entries behind it."""
    rows = [
        (
            "How long has this episode lasted?",
            duration_in_words(findings.get("episode") or {}),
            _evidence(findings.get("episode") or {}),
        )
    ]
    asked = [each for each in findings.values() if isinstance(each, dict) and "answer" in each]
    asked += [each for each in (findings.get("safety") or {}).values() if isinstance(each, dict) and "answer" in each]
    rows += [(question_in_words(each["name"]), answer_in_words(each), _evidence(each)) for each in asked]
    yield from table(("Question", "Answer", "Entries"), rows)


def _evidence(finding: Mapping[str, Any]) -> str:
    lines = [entry_in_words(each, with_reference=True) for each in finding.get("because") or ()]
    lines += [f"against: {entry_in_words(each, with_reference=True)}" for each in finding.get("against") or ()]
    lines += [f"considered: {entry_in_words(each, with_reference=True)}" for each in finding.get("considered") or ()]
    return "\n".join(lines)


def _sources(record: DecisionRecord) -> Iterator[str]:
    if not record.sources:
        return
    yield from heading("What was searched")
    rows = [
        (
            source.key,
            source.state,
            str(source.entries),
            "from the EHR's server" if source.fetched else "prefetched",
            "; ".join(
                part
                for part in (
                    "incomplete" if source.incomplete else "",
                    f"{source.dropped} dropped" if source.dropped else "",
                )
                if part
            ),
        )
        for source in record.sources
    ]
    yield from table(("Prefetch key", "State", "Entries", "Came", "Note"), rows)
    for trouble in record.fetch_troubles:
        yield f"  - {printable(trouble)}"


def _card(card: Mapping[str, Any]) -> Iterator[str]:
    """The card as the clinician saw it."""
    yield from heading(f"Card {card.get('uuid', '')}")
    yield from facts((("Indicator", card["indicator"]), ("Summary", card["summary"])))
    yield ""
    for line in markdown_as_text(card.get("detail", ""), columns()):
        yield printable(line)
    yield ""
    for suggestion in card.get("suggestions") or ():
        mark = "*" if suggestion.get("isRecommended") else " "
        yield f"[{mark}] {printable(suggestion['label'])}"
    for link in card.get("links") or ():
        yield printable(f" -> {link['label']}: {link['url']}")


def _feedback(happened: Sequence[Happened]) -> Iterator[str]:
    if not happened:
        return
    yield from heading("Feedback")
    rows = []
    for each in happened:
        item = each.item
        code = f"({item.reason_code})" if item.reason_code else ""
        words = item.reason_display or reason_words(item.reason_code)
        reason = " ".join(part for part in (words, code) if part)
        rows.append(
            (f"{outcome_moment(item, each.received):%Y-%m-%d %H:%M}", item.card[:8], item.outcome, reason, item.comment)
        )
    yield from table(("When (UTC)", "Card", "Outcome", "Reason", "Comment"), rows)
