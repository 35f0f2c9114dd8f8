"""One decision told as a short story: facts, questions and answers, the row that decided, what would have changed it.

Told from the record as plain JSON, so that a decision of any version can be told. Texts of the patient's record are
data: whoever shows a story escapes them.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta, timezone
from typing import Any

import msgspec
from msgspec import Struct

from audit_trail.feedback import outcome_moment
from audit_trail.packing import NotPacked, unpacked
from audit_trail.record import DecisionRecord, FeedbackItem, RememberedOverride
from audit_trail.story_words import (
    VERDICTS,
    after_a_colon,
    answer_in_words,
    category_in_words,
    change_in_words,
    duration_in_words,
    entry_in_words,
    finding_name,
    question_in_words,
    rating_in_words,
    study_in_words,
)
from cards.override_reasons import reason_words

FACTS_TOLD = 12
RED_FLAGS_FIRST = (
    "cauda_equina", "weakness", "aortic", "major_trauma", "infection", "cancer", "immunosuppression", "fracture_risk",
    "prior_surgery", "radiculopathy", "conservative_care", "candidate", "trend", "prior_imaging", "indication", "mimic",
    "axial_spondyloarthritis", "setting",
)  # fmt: skip


class Section(Struct, frozen=True):
    """One part of a story: sentences, then points, then a table."""

    title: str
    text: tuple[str, ...] = ()
    points: tuple[str, ...] = ()
    columns: tuple[str, ...] = ()
    rows: tuple[tuple[str, ...], ...] = ()


class Story(Struct, frozen=True):
    """A decision, told. ``lead`` says in one sentence what was asked and what was answered."""

    title: str
    lead: str
    sections: tuple[Section, ...]


class Happened(Struct, frozen=True):
    """What became of a card of this decision, and when the report of it arrived."""

    item: FeedbackItem
    received: datetime


def story_of(record: DecisionRecord, happened: Iterable[Happened] = ()) -> Story:
    """The story of one call, also of one that failed or was left alone."""
    details, answer = plain_details(record), plain_answer(record)
    advice: list[dict[str, Any]] = details.get("advice") or []
    picture: dict[str, Any] = details.get("picture") or {}
    sections = [_call(record)]
    for at, each in enumerate(advice, start=1):
        named = f" of order {at}, {study_in_words(each['order'])}" if len(advice) > 1 else ""
        sections += [_order(each, named), _facts(each, named), _questions(each, named), _row(each, picture, named)]
        sections += [_guidelines(each, named), _would_change(each, named)]
    sections += [_missing(record, picture, advice), _said(record, answer), _remembered(record), _next(happened)]
    told = tuple(section for section in sections if section.text or section.points or section.rows)
    return Story(f"Decision {record.decision}", _lead(record, advice, answer), (*told, _made_by(record)))


def plain_details(record: DecisionRecord) -> dict[str, Any]:
    """Picture and advice as plain JSON; nothing where they were pruned or never came about."""
    return _plain(record.details)


def plain_answer(record: DecisionRecord) -> dict[str, Any]:
    """The answer as plain JSON."""
    return _plain(record.answer)


def local_time(record: DecisionRecord, moment: datetime) -> str:
    """A moment in the time of the place where the order was written."""
    there = moment.astimezone(timezone(timedelta(minutes=record.offset_minutes)))
    return f"{there:%Y-%m-%d %H:%M}"


def _plain(content: bytes) -> dict[str, Any]:
    try:
        read = msgspec.json.decode(unpacked(content)) if content else {}
    except (NotPacked, msgspec.DecodeError):
        return {}
    return read if isinstance(read, dict) else {}


def _lead(record: DecisionRecord, advice: Sequence[Mapping[str, Any]], answer: Mapping[str, Any]) -> str:
    if record.outcome == "failed":
        return f"The call was not answered: status {record.status}, {record.failure or 'no reason recorded'}."
    if record.outcome == "left alone":
        return "No selected order is lumbar imaging, so nothing was assessed and no chart was opened."
    studies = after_a_colon(study_in_words(each["order"]) for each in advice)
    cards: list[dict[str, Any]] = answer.get("cards") or []
    said = cards[0]["summary"] if cards else "no card was needed"
    return f"Asked about {studies}, it said: {said}."


def _call(record: DecisionRecord) -> Section:
    who = record.user or "a user who is not named"
    through = record.client + (f" (tenant {record.tenant})" if record.tenant else "")
    lines = [f"On {local_time(record, record.at)}, {who} called {record.service} through {through or 'an open call'}."]
    if record.patient:
        about = f"It was about {_reference('Patient', record.patient)}"
        lines.append(f"{about}, {_reference('Encounter', record.encounter)}." if record.encounter else f"{about}.")
    if record.silent:
        lines.append("The client is silent: the decision was recorded and nothing was shown.")
    if record.hook_differs:
        lines.append(f"The call named another hook, {record.hook}; it was answered as the endpoint's own.")
    return Section("The call", tuple(lines))


def _reference(kind: str, name: str) -> str:
    return name if "/" in name else f"{kind}/{name}"


def _order(advice: Mapping[str, Any], named: str) -> Section:
    order = advice["order"]
    recognised = {"coded": "by its code", "read from text": "by reading its text"}.get(
        order["recognition"], order["recognition"]
    )
    lines = [f"Ordered: {study_in_words(order)} ({recognised}), priority {order.get('priority') or 'not stated'}."]
    reasons = [entry_in_words(fact["evidence"]) for fact in order.get("reasons") or ()]
    if reasons:
        lines.append(f"Its reason: {'; '.join(dict.fromkeys(reasons))}.")
    if order.get("unread_reasons"):
        lines.append(f"A reason that could not be read: {'; '.join(order['unread_reasons'])}.")
    return Section(f"The order{named}", tuple(lines))


def _facts(advice: Mapping[str, Any], named: str) -> Section:
    """Every entry that an answer rests on, each once, in the order of the questions."""
    counted: dict[str, None] = {}
    for finding in _findings(advice["findings"]):
        for evidence in (*finding.get("because", ()), *finding.get("against", ())):
            counted[entry_in_words(evidence, with_reference=True)] = None
    told = list(counted)
    more = (f"… and {len(told) - FACTS_TOLD} more.",) if len(told) > FACTS_TOLD else ()
    if not told:
        return Section(f"The facts{named}", ("Nothing on record answered any question.",))
    return Section(f"The facts{named}", points=(*told[:FACTS_TOLD], *more))


def _findings(findings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    named = [findings[name] for name in RED_FLAGS_FIRST if name in findings]
    return [*named, findings.get("episode") or {}, *_safety(findings)]


def _safety(findings: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return [each for each in (findings.get("safety") or {}).values() if isinstance(each, dict) and "answer" in each]


def _questions(advice: Mapping[str, Any], named: str) -> Section:
    """What the record answers; what it does not answer is one sentence."""
    findings = advice["findings"]
    asked = [findings[name] for name in RED_FLAGS_FIRST if name in findings] + _safety(findings)
    rows = []
    for finding in asked:
        if finding["answer"] == "yes" or finding.get("because") or finding.get("level") == "possible":
            because = "; ".join(entry_in_words(each) for each in finding.get("because") or ()) or "no entry"
            rows.append((question_in_words(finding["name"]), answer_in_words(finding), because))
    rows.insert(
        0, ("How long has this episode lasted?", duration_in_words(findings.get("episode") or {}), _since(findings))
    )
    stated = findings.get("checked_none_on")
    text = [f"The clinician stated that red flags and strength were checked, none found ({stated})."] if stated else []
    presumed = [finding_name(name) for name in advice.get("presumed") or ()]
    if presumed:
        text.append(f"Presumed absent, because nothing is on record: {', '.join(presumed)}.")
    questions = [question_in_words(each["finding"]) for each in advice.get("questions") or ()]
    if questions:
        text.append(f"Asked of the clinician: {' '.join(questions)}")
    return Section(f"Questions and answers{named}", tuple(text), (), ("Question", "Answer", "Because"), tuple(rows))


def _since(findings: Mapping[str, Any]) -> str:
    episode = findings.get("episode") or {}
    return "; ".join(entry_in_words(each) for each in episode.get("because") or ()) or "no entry"


def _row(advice: Mapping[str, Any], picture: Mapping[str, Any], named: str) -> Section:
    leading, rating = advice.get("leading"), advice.get("rating")
    text = []
    if leading:
        text.append(f"The first row that fits leads: {leading['label']} [{'; '.join(leading['cites'])}].")
        if leading.get("interpretation"):
            text.append(leading["interpretation"])
    others = [row["label"] for row in advice.get("matched") or () if not leading or row["id"] != leading["id"]]
    if others:
        text.append(f"It would also have been: {after_a_colon(others)}.")
    text.append(rating_in_words(rating, advice.get("not_rated_because", "")))
    text.append(f"Urgency: {advice['urgency'].replace('-', ' ')}.")
    better = advice.get("better")
    if better:
        what = study_in_words({"procedure": better.get("procedure")}) if better.get("procedure") else "the same study"
        how = f", priority {better['priority']}" if better.get("priority") else ""
        text.append(f"Offered instead: {what}{how}.")
    notes = [f"Safety: {note['says']} [{'; '.join(note['cites'])}]" for note in advice.get("safety") or ()]
    text += list(advice.get("interpretations") or ())
    return Section(f"The row that decided{named}", tuple(dict.fromkeys(text)), tuple(notes))


def _guidelines(advice: Mapping[str, Any], named: str) -> Section:
    rows = tuple(
        (
            view["guideline"].upper(),
            VERDICTS.get(view["verdict"], view["verdict"].replace("-", " ")),
            view["says"],
            "differs" if view["differs"] else "",
        )
        for view in advice.get("views") or ()
    )
    ordered = advice.get("ordered")
    text: tuple[str, ...] = ()
    if ordered:
        category = category_in_words(ordered["category"])
        text = (f"ACR rates the ordered study {ordered['score']} of 9 here: {category}.",)
    return Section(f"The guidelines side by side{named}", text, (), ("Guideline", "Verdict", "Says", ""), rows)


def _would_change(advice: Mapping[str, Any], named: str) -> Section:
    title = f"What would have changed it{named}"
    changes = tuple(change_in_words(change) for change in advice.get("would_change") or ())
    if changes:
        return Section(title, points=changes)
    if advice.get("robust"):
        return Section(title, ("No single answer, nor any pair that a row reads together, would have changed it.",))
    if advice["urgency"] in ("emergency", "immediate"):
        return Section(title, ("Nothing: what must be done at once is not weighed against further answers.",))
    return Section(title)


def _missing(record: DecisionRecord, picture: Mapping[str, Any], advice: Sequence[Mapping[str, Any]]) -> Section:
    points = [f"{gap}" for gap in record.gaps]
    unread = dict.fromkeys(text for each in advice for text in each.get("unread") or ())
    points += [f"not read: “{text}”" for text in unread]
    if record.unmapped_codes:
        codes = ", ".join(f"{system}|{code}" for system, code in record.unmapped_codes[:5])
        more = f" and {len(record.unmapped_codes) - 5} more" if len(record.unmapped_codes) > 5 else ""
        points.append(f"codes that no list knows: {codes}{more}")
    counted = {
        "entries that were malformed and dropped": record.dropped_entries,
        "entries of another patient, dropped": record.foreign_entries,
        "texts outside the vocabulary": record.unread_texts,
    }
    points += [f"{count} {what}" for what, count in counted.items() if count]
    return Section("What could not be read", points=tuple(points))


def _said(record: DecisionRecord, answer: Mapping[str, Any]) -> Section:
    rows = []
    for card in answer.get("cards") or ():
        buttons = [f"[{each['label']}]" for each in card.get("suggestions") or ()]
        rows.append((card["indicator"], card["summary"], "\n".join(buttons)))
    actions = answer.get("systemActions") or ()
    orders = "One order was" if len(actions) == 1 else f"{len(actions)} orders were"
    text = (f"{orders} annotated with a rating.",) if actions else ()
    return Section("What it said", text, (), ("Card", "Summary", "Buttons"), tuple(rows))


def _remembered(record: DecisionRecord) -> Section:
    return Section("Earlier overrides that it respected", points=tuple(map(_override, record.overrides)))


def _override(override: RememberedOverride) -> str:
    why = f", reason {override.reason}" if override.reason else ""
    return f"{override.order}: the same advice was overridden at {override.at:%Y-%m-%d %H:%M} UTC{why}"


def _next(happened: Iterable[Happened]) -> Section:
    rows = []
    for each in sorted(happened, key=lambda one: (outcome_moment(one.item, one.received), one.received)):
        item, moment = each.item, outcome_moment(each.item, each.received)
        why = item.reason_display or reason_words(item.reason_code) or item.reason_code
        words = "; ".join(part for part in (why, f"“{item.comment}”" if item.comment else "") if part)
        rows.append((f"{moment:%Y-%m-%d %H:%M} UTC", item.outcome, words or "no reason given"))
    return Section("What happened next", (), (), ("When", "Outcome", "Why"), tuple(rows))


def _made_by(record: DecisionRecord) -> Section:
    made = record.versions
    parts = {"rules": made.rules, "terminology": made.terminology, "wording": made.wording, "settings": made.settings}
    hashes = ", ".join(f"{name} {digest[:12]}" for name, digest in parts.items() if digest)
    whole = f"{record.timings.whole:.1f} ms" if record.timings.whole else "not measured"
    text = f"Software {made.software or 'not recorded'}; {hashes or 'contents not recorded'}. It took {whole}."
    return Section("By what it was made", (text,))
