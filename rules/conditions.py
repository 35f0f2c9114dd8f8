"""The small condition language of the guideline tables, compiled once at load.

``name`` (answered yes), ``name:a|b`` (level is a or b), ``name+mark`` (carries the mark), ``!atom`` (does not hold);
`` & `` joins what must hold together, and a list of such strings is a choice. Names are the fields of
:class:`rules.finding.Findings`; ``safety.x`` reaches into its safety part.
"""

from collections.abc import Callable, Sequence

from msgspec import Struct
from msgspec.structs import fields

from rules.finding import Answer, Finding, Findings, Safety


class TableError(ValueError):
    """A guideline table that cannot be used; the message names the file, the row and what is wrong."""


class Condition(Struct, frozen=True):
    """Holds when every atom of any one alternative holds; an empty condition always holds."""

    holds: Callable[[Findings], bool]
    alternatives: tuple[tuple[str, ...], ...]
    reads: frozenset[str]  # the findings it reads
    text: tuple[str, ...]


_FINDINGS = frozenset(field.name for field in fields(Findings) if field.type is Finding)
_SAFETY = frozenset(field.name for field in fields(Safety) if field.type is Finding)
_PREGNANCY = "findings.safety.pregnancy"
# Atoms about the patient rather than one finding, as Python.
_SPECIAL = {
    "could_be_pregnant": "findings.safety.could_be_pregnant",
    "pregnancy_excluded": f"({_PREGNANCY}.answer is NO and not {_PREGNANCY}.presumed)",
}


def compile_condition(text: Sequence[str], where: str) -> Condition:
    """Compile the alternatives of one row; raises :class:`TableError` naming ``where``.

    A decision asks some 150 conditions and a sensitivity analysis asks them again, so each becomes one Python
    expression. It is put together from names of findings and quoted texts only, never from text of the table as it is.
    """
    reads: set[str] = set()
    alternatives = tuple(tuple(atom.strip() for atom in alternative.split(" & ")) for alternative in text)
    choices = [" and ".join(_python(atom, where, reads) for atom in atoms) for atoms in alternatives]
    source = " or ".join(f"({choice})" for choice in choices) or "True"
    names = {"YES": Answer.YES, "NO": Answer.NO}
    holds: Callable[[Findings], bool] = eval(f"lambda findings: {source}", names)  # noqa: S307  see above
    return Condition(holds, alternatives, frozenset(reads), tuple(text))


def _python(atom: str, where: str, reads: set[str]) -> str:
    if atom.startswith("!"):
        return f"not {_python(atom[1:], where, reads)}"
    if atom in _SPECIAL:
        return _SPECIAL[atom]
    name, level, mark = _parts(atom)
    finding = _finding(name, where, atom)
    reads.add(name)
    if mark:
        return f"{mark!r} in {finding}.marks"
    if level:
        return f"{finding}.level in {tuple(level.split('|'))!r}"
    return f"{finding}.answer is YES"


def _parts(atom: str) -> tuple[str, str, str]:
    if "+" in atom:
        name, mark = atom.split("+", 1)
        return name, "", mark
    name, _, level = atom.partition(":")
    return name, level, ""


def _finding(name: str, where: str, atom: str) -> str:
    """The finding of this name, as Python."""
    if (name.startswith("safety.") and name[7:] in _SAFETY) or name in _FINDINGS:
        return f"findings.{name}"
    raise TableError(f"{where}: condition {atom!r} names no finding")
