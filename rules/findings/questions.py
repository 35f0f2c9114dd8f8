"""The questions of the decision, from ``rules/questions.toml``: their words, their silence, their closed lists."""

import tomllib
from collections.abc import Mapping
from importlib.resources import files
from typing import Literal

import msgspec
from msgspec import Struct

from rules.concepts import GROUPS
from rules.parameters import Parameters


class QuestionError(ValueError):
    """A file of questions that cannot be used; the message names the question and what is wrong."""


class Question(Struct, frozen=True, forbid_unknown_fields=True, omit_defaults=True):
    """One clinical question; see the head of ``rules/questions.toml`` for the meaning of each list."""

    asks: str
    silence: Literal["no", "ask", "unknown"]
    why: str
    cites: tuple[str, ...]
    levels: tuple[str, ...] = ()
    marks: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    parameters: tuple[str, ...] = ()
    yes: tuple[str, ...] = ()
    no: tuple[str, ...] = ()
    no_if_absent: tuple[str, ...] = ()
    weighs: tuple[str, ...] = ()
    also: str = ""

    @property
    def groups(self) -> frozenset[str]:
        """Every concept group that the question reads."""
        return frozenset(self.yes + self.no + self.no_if_absent + self.weighs)


class _File(Struct, frozen=True, forbid_unknown_fields=True):
    question: dict[str, Question]


def read_questions(text: str) -> Mapping[str, Question]:
    """Questions from TOML; an unknown key, concept group or parameter stops the start."""
    try:
        questions = msgspec.convert(tomllib.loads(text), _File, strict=True).question
    except (msgspec.ValidationError, tomllib.TOMLDecodeError) as problem:
        raise QuestionError(f"questions.toml: {problem}") from problem
    known_parameters = set(Parameters.__struct_fields__)
    for name, question in questions.items():
        _check(name, "concept group", question.groups - GROUPS.keys())
        _check(name, "parameter", set(question.parameters) - known_parameters)
        if not question.cites or not question.asks.strip() or not question.why.strip():
            raise QuestionError(f"questions.toml: {name}: asks, why and cites must not be empty")
        for words in (question.levels, question.marks, question.notes):
            if len(set(words)) != len(words):
                raise QuestionError(f"questions.toml: {name}: a word stands twice in a closed list")
    _all_groups_read(questions)
    return questions


def _check(name: str, kind: str, unknown: set[str] | frozenset[str]) -> None:
    if unknown:
        raise QuestionError(f"questions.toml: {name}: unknown {kind} {sorted(unknown)[0]!r}")


def _all_groups_read(questions: Mapping[str, Question]) -> None:
    """A group that no question reads is a rule that was forgotten (deferral and keeping are the order's own state)."""
    read = frozenset[str]().union(*(question.groups for question in questions.values()))
    unread = GROUPS.keys() - read - ORDER_STATE_GROUPS
    if unread:
        raise QuestionError(f"questions.toml: no question reads the concept group {sorted(unread)[0]!r}")


ORDER_STATE_GROUPS = frozenset({"deferred", "kept"})
QUESTIONS: Mapping[str, Question] = read_questions(
    files("rules").joinpath("questions.toml").read_text(encoding="utf-8")
)
