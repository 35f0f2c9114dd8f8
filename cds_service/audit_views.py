"""Records as a person reads them in a terminal: the list, and everything on record of one call."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Any

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
from cds_service.terminal import columns, facts, heading, points, printable, table, title


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
