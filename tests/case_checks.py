"""What a case may expect, and how each expectation is checked against the service's reply.

Every check reads the answer as sent where it can; what no answer carries word for word (findings, rows, urgency) is
read from the decision, and only in process. A check returns what is wrong, or nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Any

from rules.finding import Finding, Findings
from rules.recommendation import Recommendation, Row
from tests import answer_reading
from tests.answer_reading import Reply

Json = dict[str, Any]


class Asked:
    """One order of a case, with the reply that it got."""

    def __init__(self, reply: Reply, drafts: list[Json], number: int = 0) -> None:
        self.reply = reply
        self.drafts = drafts
        self.order_id: str = drafts[number]["id"] if drafts else ""

    @property
    def decided(self) -> Recommendation | None:
        """The decision on this order; ``None`` over HTTP or when the order was not judged."""
        for each in self.reply.advice or ():
            if each.order.reference.endswith(f"/{self.order_id}"):
                return each
        return None


Check = Callable[[Asked, Any], Iterator[str]]


def problems(reply: Reply, drafts: list[Json], expect: Mapping[str, Any]) -> list[str]:
    """Every way in which the reply is not what the case expects."""
    found = []
    if reply.status != expect.get("status", 200):
        return [f"status: expected {expect.get('status', 200)}, got {reply.status}"]
    for number, each in enumerate(expect.get("orders", [])):
        found += [f"order {number + 1}: {problem}" for problem in _against(Asked(reply, drafts, number), each)]
    found += _against(Asked(reply, drafts), {key: value for key, value in expect.items() if key != "orders"})
    return found


def _against(asked: Asked, expect: Mapping[str, Any]) -> list[str]:
    in_process = asked.reply.advice is not None
    return [
        f"{word}: {problem}"
        for word, expected in expect.items()
        if in_process or word not in DECISION_ONLY
        for problem in EXPECTATIONS[word](asked, expected)
    ]


def _equal(got: object, expected: object) -> Iterator[str]:
    if got != expected:
        yield f"expected {expected!r}, got {got!r}"


# --- what the answer says ---------------------------------------------------------------------------------------------


def _status(asked: Asked, expected: int) -> Iterator[str]:
    yield from _equal(asked.reply.status, expected)


def _silent(asked: Asked, expected: bool) -> Iterator[str]:
    said = bool(asked.reply.cards) or bool(answer_reading.ratings(asked.reply.body))
    yield from _equal(not said, expected)


def _indicator(asked: Asked, expected: str) -> Iterator[str]:
    cards = asked.reply.cards
    yield from _equal(cards[0]["indicator"] if cards else "no card", expected)


def _cards(asked: Asked, expected: int) -> Iterator[str]:
    yield from _equal(len(asked.reply.cards), expected)


def _rating(asked: Asked, expected: str) -> Iterator[str]:
    codes = answer_reading.ratings(asked.reply.body).get(asked.order_id, ["none"])
    yield from _equal(codes[0], expected)


def _category(asked: Asked, expected: str) -> Iterator[str]:
    codes = answer_reading.ratings(asked.reply.body).get(asked.order_id, [])
    yield from _equal(next((code for code in codes[1:] if not code.startswith(_SCORE)), "none"), expected)


_SCORE = "acr-rating-"


def _score(asked: Asked, expected: int) -> Iterator[str]:
    codes = answer_reading.ratings(asked.reply.body).get(asked.order_id, [])
    scores = [int(code.removeprefix(_SCORE)) for code in codes if code.startswith(_SCORE)]
    yield from _equal(scores[0] if scores else None, expected)


def _summary(asked: Asked, expected: str | list[str]) -> Iterator[str]:
    summary = asked.reply.cards[0]["summary"].casefold() if asked.reply.cards else ""
    for part in [expected] if isinstance(expected, str) else expected:
        if part.casefold() not in summary:
            yield f"expected {part!r} in {summary!r}"


def _says(asked: Asked, expected: str | list[str]) -> Iterator[str]:
    said = answer_reading.words(asked.reply.body).casefold()
    for part in [expected] if isinstance(expected, str) else expected:
        if not any(choice.casefold() in said for choice in part.split(" | ")):
            yield f"expected {part!r} on a card; the cards say {said!r}"


def _says_not(asked: Asked, expected: str | list[str]) -> Iterator[str]:
    said = answer_reading.words(asked.reply.body).casefold()
    for part in [expected] if isinstance(expected, str) else expected:
        if part.casefold() in said:
            yield f"{part!r} is on a card, which should not say so: {said!r}"


def _changes(asked: Asked) -> list[answer_reading.Change]:
    return [c for c in answer_reading.changes(asked.reply.body, asked.drafts) if c.order_id == asked.order_id]


def _suggests(asked: Asked, expected: str) -> Iterator[str]:
    """The first change that is suggested: "STUDY PRIORITY", "STUDY", or "nothing"."""
    changes = _changes(asked)
    if expected == "nothing":
        yield from _equal([f"{change.study} {change.priority}" for change in changes], [])
        return
    if not changes:
        yield f"expected {expected!r}, got no suggested change"
        return
    study, _, priority = expected.partition(" ")
    yield from _equal(changes[0].study, study)
    if priority:
        yield from _equal(changes[0].priority, priority)


def _suggests_code(asked: Asked, expected: str) -> Iterator[str]:
    """The first change that is suggested carries this code, "system|code"."""
    changes = _changes(asked)
    codings = changes[0].resource["code"]["coding"] if changes else []
    got = [f"{each.get('system')}|{each.get('code')}" for each in codings]
    if expected not in got:
        yield f"expected {expected!r} among {got}"


def _offers(asked: Asked, expected: list[str]) -> Iterator[str]:
    studies = [change.study for change in _changes(asked)]
    for study in expected:
        if study not in studies:
            yield f"expected {study!r} among the suggested studies {studies}"


def _adds(asked: Asked, expected: str) -> Iterator[str]:
    """A further study that is offered beside the order: "STUDY PRIORITY"."""
    added = answer_reading.added_studies(asked.reply.body)
    if expected not in added:
        yield f"expected {expected!r} among the added studies {added}"


def _never_offers(asked: Asked, expected: list[str]) -> Iterator[str]:
    added = [each.partition(" ")[0] for each in answer_reading.added_studies(asked.reply.body)]
    for study in (*(change.study for change in _changes(asked)), *added):
        if study in expected:
            yield f"{study!r} is offered"


def _defers(asked: Asked, expected: bool) -> Iterator[str]:
    yield from _equal(answer_reading.defers(asked.reply.body), expected)


def _asks(asked: Asked, expected: list[str]) -> Iterator[str]:
    offered = answer_reading.answers_offered(asked.reply.body, asked.drafts)
    missing = [code for code in expected if code not in offered]
    if missing or (not expected and offered):
        yield f"expected the answers {expected}, got {offered}"


def _checked_none(asked: Asked, expected: bool) -> Iterator[str]:
    yield from _equal(answer_reading.offers_checked_none(asked.reply.body), expected)


# --- what was decided -------------------------------------------------------------------------------------------------


def _from_decision(read: Callable[[Recommendation], object]) -> Check:
    def check(asked: Asked, expected: object) -> Iterator[str]:
        if asked.decided is None:
            yield f"expected {expected!r}, but the order was not judged"
        else:
            yield from _equal(read(asked.decided), expected)

    return check


def _variant(decided: Recommendation) -> object:
    if decided.leading is None:
        return "none"
    return _variant_or_topic(decided.leading)


def _variant_or_topic(row: Row) -> object:
    return row.variant if row.variant is not None else row.guideline


def _row_of(guideline: str) -> Check:
    def check(asked: Asked, expected: str) -> Iterator[str]:
        views = [view for view in asked.decided.views if view.guideline == guideline] if asked.decided else []
        if not views:
            yield f"expected {expected!r}, but {guideline} was not worked out"
            return
        known = [row.id for view in views for row in view.rows] + [view.verdict for view in views]
        wanted = expected.split()
        if any(part.lstrip("!") in known if part.startswith("!") else part not in known for part in wanted):
            yield f"expected {expected!r}, got {known}"

    return check


def _findings(asked: Asked, expected: Mapping[str, str]) -> Iterator[str]:
    if asked.decided is None:
        yield "the order was not judged"
        return
    for name, answer in expected.items():
        finding = _finding(asked.decided.findings, name)
        for problem in _finding_problems(finding, answer):
            yield f"{name}: {problem}"


def _finding(findings: Findings, name: str) -> Finding:
    found = getattr(findings, name, None) or getattr(findings.safety, name)
    if not isinstance(found, Finding):
        raise TypeError(f"{name} is not a finding")
    return found


def _finding_problems(finding: Finding, answer: str) -> Iterator[str]:
    """``yes``, ``no``, ``presumed no``, ``unknown``; then a level, ``+mark`` for a mark it has, ``-mark`` for one not.

    ``not-yes`` stands where the record and its silence may both lead to the answer.
    """
    words = answer.removeprefix("presumed ").split()
    got = f"{finding.answer.value} {finding.level} {sorted(finding.marks)}{' presumed' if finding.presumed else ''}"
    if not _answered(finding, answer, words):
        yield f"expected {answer!r}, got {got!r}"
    for word in words[1:]:
        if (word[0] == "+" and word[1:] not in finding.marks) or (word[0] == "-" and word[1:] in finding.marks):
            yield f"expected {answer!r}, got {got!r}"


def _answered(finding: Finding, answer: str, words: list[str]) -> bool:
    if words[0] == "not-yes":
        return not finding.yes
    wanted_levels = [word for word in words[1:] if word[0] not in "+-"]
    return (
        finding.answer.value == words[0]
        and answer.startswith("presumed ") == finding.presumed
        and (not wanted_levels or finding.level == wanted_levels[0])
    )


def _shows(asked: Asked, expected: Mapping[str, str]) -> Iterator[str]:
    """Entries that a finding names, whether they count, contradict or were only considered."""
    if asked.decided is None:
        yield "the order was not judged"
        return
    for name, words in expected.items():
        finding = _finding(asked.decided.findings, name)
        said = [each.says for each in (*finding.because, *finding.against, *finding.considered)]
        if not any(words.casefold() in each.casefold() for each in said):
            yield f"{name}: expected {words!r} among {said}"


def _days(asked: Asked, expected: str) -> Iterator[str]:
    """How long the episode has lasted: "21", "10-40", "14+" (at least), or "unknown"."""
    if asked.decided is None:
        yield "the order was not judged"
        return
    days = asked.decided.findings.episode.days
    if days is None:
        got = "unknown"
    elif days.longest is None:
        got = f"{days.shortest}+"
    else:
        got = f"{days.shortest}" if days.shortest == days.longest else f"{days.shortest}-{days.longest}"
    yield from _equal(got, expected)


def _safety(asked: Asked, expected: Sequence[str]) -> Iterator[str]:
    rows = [note.row for note in asked.decided.safety] if asked.decided else []
    for row in expected:
        if row.startswith("!"):
            if row[1:] in rows:
                yield f"{row[1:]!r} applies, but should not; all: {rows}"
        elif row not in rows:
            yield f"expected {row!r} among {rows}"


def _would_change(asked: Asked, expected: Sequence[str]) -> Iterator[str]:
    named = [" + ".join(change.findings) for change in asked.decided.would_change] if asked.decided else []
    for name in expected:
        if name not in named:
            yield f"expected {name!r} among {named}"


def _matches(asked: Asked, expected: Sequence[object]) -> Iterator[str]:
    rows = asked.decided.matched if asked.decided else ()
    got = [_variant_or_topic(row) for row in rows]
    for variant in expected:
        if variant not in got:
            yield f"expected {variant!r} among the rows that match, {got}"


def _recheck(asked: Asked, expected: int) -> Iterator[str]:
    plan = asked.decided.recheck if asked.decided else None
    yield from _equal(plan.days if plan else None, expected)


EXPECTATIONS: dict[str, Check] = {
    "status": _status,
    "silent": _silent,
    "indicator": _indicator,
    "cards": _cards,
    "rating": _rating,
    "category": _category,
    "score": _score,
    "summary": _summary,
    "says": _says,
    "says_not": _says_not,
    "suggests": _suggests,
    "suggests_code": _suggests_code,
    "offers": _offers,
    "adds": _adds,
    "never_offers": _never_offers,
    "defers": _defers,
    "asks": _asks,
    "checked_none": _checked_none,
    "situation": _from_decision(lambda decided: decided.situation.value),
    "urgency": _from_decision(lambda decided: decided.urgency.value),
    "variant": _from_decision(_variant),
    "robust": _from_decision(lambda decided: decided.robust),
    "duplicates": _from_decision(lambda decided: len(decided.duplicates)),
    "acp": _row_of("acp"),
    "nice": _row_of("nice"),
    "findings": _findings,
    "shows": _shows,
    "days": _days,
    "safety": _safety,
    "would_change": _would_change,
    "matches": _matches,
    "recheck_days": _recheck,
}
DECISION_ONLY = frozenset(
    ("situation", "urgency", "variant", "robust", "duplicates", "acp", "nice", "findings", "shows", "days")
) | {"safety", "would_change", "matches", "recheck_days"}
