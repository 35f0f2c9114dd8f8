"""Replay and comparison of recorded decisions: the same to the byte, or every difference and what it comes from."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import date
from typing import Any, Final, Literal, get_args

import msgspec
from msgspec import Struct

from audit_trail.differences import Difference, answers_differ, differences, file_differences
from audit_trail.packing import NotPacked, unpacked
from audit_trail.record import ContentRecord, DecisionRecord, Versions
from audit_trail.story import plain_details
from cds_service.contents_in_use import Texts, decide_by
from cds_service.deciding_again import CannotDecideAgain, Decided, require_enough
from cds_service.versions import SITE, InForce, Name, content_of, software_version, texts_of
from cds_service.without_replay import can_be_said, cannot_be_said

NAMES: Final[tuple[Name, ...]] = get_args(Name)
ContentOf = Callable[[str], ContentRecord | None]  # by content hash
Cause = Literal["software", "rules", "terminology", "wording", "settings"]


class Replayed(Struct, frozen=True):
    """A decision made again from its own record. ``same``: to the byte."""

    same: bool
    wrote: str  # the software that wrote the record, and that which replayed it
    replayed_by: str
    status: int
    answer_bytes: int
    differences: tuple[Difference, ...] = ()  # of the answer, then of what was understood and decided
    problem: str = ""  # it could not be replayed, and why
    technical: str = ""  # the same for whoever maintains the software
    can_be_said: tuple[str, ...] = ()  # all the same
    cannot_be_said: tuple[str, ...] = ()

    @property
    def same_software(self) -> bool:
        """Then nothing may differ."""
        return self.wrote == self.replayed_by


class Effect(Struct, frozen=True):
    """What one cause alone would change: what changed in it, and what that does to this decision."""

    cause: Cause
    changed: tuple[Difference, ...]
    differences: tuple[Difference, ...]
    problem: str = ""
    technical: str = ""


class Compared(Struct, frozen=True):
    """What would be said today, and why. ``differences``: of all causes together."""

    differences: tuple[Difference, ...]
    effects: tuple[Effect, ...]  # of what has changed since, each taken alone
    unchanged: tuple[Name, ...]
    wrote: str
    today: str
    problem: str = ""
    at_a_glance: tuple[tuple[str, str, str], ...] = ()  # what, then, today: of what differs


def replay(record: DecisionRecord, content_of_digest: ContentOf) -> Replayed:
    """The decision, made again by what it was made by."""
    wrote, now = record.versions.software, software_version()
    recorded = recorded_answer(record)
    nothing = Replayed(False, wrote, now, record.status, len(recorded))
    try:
        require_enough(record)
        if not recorded:
            raise CannotDecideAgain("the answer was deleted when its time had come")
        decided = decide_by(record, contents_of(record.versions, content_of_digest))
    except CannotDecideAgain as problem:
        return msgspec.structs.replace(
            nothing,
            problem=str(problem),
            technical=problem.technical,
            can_be_said=tuple(can_be_said(record, problem, now)),
            cannot_be_said=tuple(cannot_be_said(record, problem)),
        )
    found = _against_record(record, decided)
    return msgspec.structs.replace(nothing, same=not found, differences=found)


def compare(
    record: DecisionRecord, content_of_digest: ContentOf, today: InForce, rules_of: date, keep_site: bool = False
) -> Compared:
    """What today's rules, code lists, wording and settings would have said to the recorded call.

    ``keep_site``: the site's own code lists are taken to be those of the record.
    """
    wrote, now = record.versions.software, software_version()
    try:
        require_enough(record)
        before = contents_of(record.versions, content_of_digest)
        after = {content.name: texts_of(content.json) for content in today.contents}
        after["settings"] = _at_the_address_of(before["settings"], after["settings"])
        if keep_site:
            after["terminology"] = _with_site_of(before["terminology"], after["terminology"])
        baseline = _tried(record, before, None)
        both = decide_by(record, after, rules_of)
    except CannotDecideAgain as problem:
        return Compared((), (), (), wrote, now, str(problem))
    changed = {name: tuple(file_differences(before[name], after[name])) for name in NAMES}
    # Rules change with the calendar too: values that are dated come into force.
    tried = [name for name in NAMES if changed[name] or (name == "rules" and rules_of.isoformat() != record.decided_on)]
    version = Difference("version", wrote or "not recorded", now)
    if isinstance(baseline, CannotDecideAgain):  # what is asked for today may not have been there
        why, technical = str(baseline), baseline.technical
        effects = [Effect("software", (version,), (), why, technical)]
        effects += [Effect(name, changed[name], (), why, technical) for name in tried if changed[name]]
    else:
        effects = []
        for name in tried:
            swapped = {**before, name: after[name]}
            alone = both if len(tried) == 1 else _tried(record, swapped, rules_of if name == "rules" else None)
            effect = _effect(name, changed[name], baseline, alone)
            if effect.changed or effect.differences or effect.problem:
                effects.append(effect)
        by_software = _against_record(record, baseline)
        if wrote != now or by_software:
            effects.insert(0, Effect("software", (version,), by_software))
    found = _against_record(record, both)
    return Compared(
        differences=found,
        effects=tuple(effects),
        unchanged=tuple(name for name in NAMES if name not in {effect.cause for effect in effects}),
        wrote=wrote,
        today=now,
        at_a_glance=at_a_glance(recorded_answer(record), plain_details(record), both) if found else (),
    )


def at_a_glance(answer: bytes, details: Mapping[str, Any], today: Decided) -> tuple[tuple[str, str, str], ...]:
    """What a clinician would notice first: the card, the rating, the row."""
    then = _glance(answer, details)
    now = _glance(today.answer, msgspec.json.decode(today.details) if today.details else {})
    rows = ((what, then.get(what, "nothing"), now.get(what, "nothing")) for what in dict.fromkeys((*then, *now)))
    return tuple(row for row in rows if row[1] != row[2])


def _glance(answer: bytes, details: Mapping[str, Any]) -> dict[str, str]:
    found: dict[str, str] = {}
    body = msgspec.json.decode(answer) if answer else {}
    for at, card in enumerate(body.get("cards") or (), start=1):
        found[f"Card {at}"] = f"{card['indicator']}: {card['summary']}"
    for at, advice in enumerate(details.get("advice") or (), start=1):
        rating, leading, better = (advice.get(name) or {} for name in ("rating", "leading", "better"))
        found[f"Order {at}: rating"] = str(rating.get("pama") or "none")
        found[f"Order {at}: row"] = str(leading.get("label") or "none")
        found[f"Order {at}: urgency"] = advice["urgency"]
        found[f"Order {at}: offered"] = " ".join(str(better.get(part) or "") for part in ("procedure", "priority"))
    return found


def contents_of(versions: Versions, content_of_digest: ContentOf) -> Texts:
    """The files that an answer was made by; each is checked against its hash."""
    found: dict[Name, Mapping[str, str]] = {}
    for name in NAMES:
        digest: str = getattr(versions, name)
        kept = content_of_digest(digest) if digest else None
        if kept is None:
            raise CannotDecideAgain(f"the {name} that it was made by are not kept (hash {digest or 'not recorded'})")
        try:
            texts = texts_of(unpacked(kept.content))
        except (NotPacked, msgspec.DecodeError) as problem:
            raise CannotDecideAgain(f"the {name} that it was made by are damaged: {problem}") from None
        if content_of(name, texts).digest != digest:
            raise CannotDecideAgain(f"the {name} that are kept under the hash {digest} are others: they were changed")
        found[name] = texts
    return found


def recorded_answer(record: DecisionRecord) -> bytes:
    """The body as it was decided; nothing where it was deleted or is damaged."""
    try:
        return unpacked(record.answer)
    except NotPacked:
        return b""


def _against_record(record: DecisionRecord, decided: Decided) -> tuple[Difference, ...]:
    """Every difference from what is on record: of the answer, and of what lay behind it."""
    found: list[Difference] = []
    if decided.status != record.status:
        found.append(Difference("status", str(record.status), str(decided.status)))
    found += answers_differ(recorded_answer(record), decided.answer)
    return (*found, *_behind(plain_details(record), decided.details))


def _behind(before: object, details: bytes) -> tuple[Difference, ...]:
    return tuple(differences(before, msgspec.json.decode(details) if details else {}))


def _tried(record: DecisionRecord, contents: Texts, rules_of: date | None) -> Decided | CannotDecideAgain:
    """One content swapped for today's; or why that cannot be tried."""
    try:
        return decide_by(record, contents, rules_of)
    except CannotDecideAgain as problem:
        return problem


def _effect(
    name: Name, changed: tuple[Difference, ...], baseline: Decided, alone: Decided | CannotDecideAgain
) -> Effect:
    """What it alone does."""
    if isinstance(alone, CannotDecideAgain):
        return Effect(name, changed, (), str(alone), alone.technical)
    details = msgspec.json.decode(baseline.details) if baseline.details else {}
    found = (*answers_differ(baseline.answer, alone.answer), *_behind(details, alone.details))
    return Effect(name, changed, found)


def _at_the_address_of(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Today's settings under the address of then: where a service listens is no reason for a difference."""
    then, now = (msgspec.json.decode(texts["settings.json"]) for texts in (before, after))
    now["base_url"] = then.get("base_url", now.get("base_url"))
    return {"settings.json": msgspec.json.format(msgspec.json.encode(now), indent=2).decode()}


def _with_site_of(before: Mapping[str, str], after: Mapping[str, str]) -> dict[str, str]:
    """Today's code lists with the site's own of then."""
    ours = {name: text for name, text in after.items() if not name.startswith(f"{SITE}/")}
    return ours | {name: text for name, text in before.items() if name.startswith(f"{SITE}/")}
