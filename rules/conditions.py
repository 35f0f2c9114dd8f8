"""The small condition language of the guideline tables, compiled once at load.

``name`` (answered yes), ``name:a|b`` (level is a or b), ``name+mark`` (carries the mark), ``!atom`` (does not hold);
`` & `` joins what must hold together, and a list of such strings is a choice. Names are the fields of
:class:`rules.finding.Findings`; ``safety.x`` reaches into its safety part.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import fields

from rules.finding import Answer, Finding, Findings, Safety

Check = Callable[[Findings], bool]


class TableError(ValueError):
    """A guideline table that cannot be used; the message names the file, the row and what is wrong."""


class Condition(Struct, frozen=True):
    """Holds when every check of any one alternative holds; an empty condition always holds."""

    alternatives: tuple[tuple[Check, ...], ...]
    reads: frozenset[str]  # the findings it reads
    text: tuple[str, ...]

    def holds(self, findings: Findings) -> bool:
        """Do the findings fit?"""
        if not self.alternatives:
            return True
        for checks in self.alternatives:
            for check in checks:
                if not check(findings):
                    break
            else:
                return True
        return False


_FINDINGS = frozenset(field.name for field in fields(Findings) if field.type is Finding)
_SAFETY = frozenset(field.name for field in fields(Safety) if field.type is Finding)


def compile_condition(text: Sequence[str], where: str) -> Condition:
    """Compile the alternatives of one row; raises :class:`TableError` naming ``where``."""
    reads: set[str] = set()
    alternatives = tuple(
        tuple(_check(atom.strip(), where, reads) for atom in alternative.split(" & ")) for alternative in text
    )
    return Condition(alternatives, frozenset(reads), tuple(text))


def _check(atom: str, where: str, reads: set[str]) -> Check:
    if atom.startswith("!"):
        positive = _check(atom[1:], where, reads)
        return lambda findings: not positive(findings)
    if atom == "could_be_pregnant":
        return lambda findings: findings.safety.could_be_pregnant
    if atom == "pregnancy_excluded":
        return _pregnancy_excluded
    name, level, mark = _parts(atom)
    finding_of = _accessor(name, where, atom)
    reads.add(name)
    if mark:
        return lambda findings: mark in finding_of(findings).marks
    if level:
        levels = frozenset(level.split("|"))
        return lambda findings: finding_of(findings).level in levels
    return lambda findings: finding_of(findings).answer is Answer.YES


def _pregnancy_excluded(findings: Findings) -> bool:
    pregnancy = findings.safety.pregnancy
    return pregnancy.answer is Answer.NO and not pregnancy.presumed


def _parts(atom: str) -> tuple[str, str, str]:
    if "+" in atom:
        name, mark = atom.split("+", 1)
        return name, "", mark
    name, _, level = atom.partition(":")
    return name, level, ""


def _accessor(name: str, where: str, atom: str) -> Callable[[Findings], Finding]:
    if name.startswith("safety.") and name[7:] in _SAFETY:
        inner = name[7:]
        return lambda findings: getattr(findings.safety, inner)
    if name in _FINDINGS:
        return lambda findings: getattr(findings, name)
    raise TableError(f"{where}: condition {atom!r} names no finding")
