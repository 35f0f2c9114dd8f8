"""What a code means to this service, and why: which row, of which file and source, or which word."""

from msgspec import Struct

from fhir_mappings.code_rows import CodeRow
from fhir_mappings.medicines import concepts_of_medicine
from fhir_mappings.order_recognition import recognise
from fhir_mappings.terminology import Meaning, Terminology
from fhir_mappings.text_reading import has_red_flag_stem, read_text

# Code systems in which no code is a medicine.
_NO_MEDICINES = frozenset(
    {
        "http://hl7.org/fhir/sid/icd-10-cm",
        "http://loinc.org",
        "http://www.ama-assn.org/go/cpt",
        "http://nucc.org/provider-taxonomy",
    }
)


class Reason(Struct, frozen=True):
    """Why a code means a concept.

    ``how``: "listed" (its own row), "under" (a category that it falls under), "own code", "site" (a site's file), or
    "ingredient" (a medicine named in the display).
    """

    concept: str
    absent: bool
    how: str
    row: str = ""  # the code and display of the row that matched
    file: str = ""
    line: int = 0
    source: str = ""
    note: str = ""


class Explanation(Struct, frozen=True):
    """One code, explained. No concept: not recognised here, which never means that nothing is there.

    ``unavailable``: the code's table was left out, so nothing can be said. ``study``: what an order with this code is.
    ``display_says``: what the closed vocabulary reads in the display of a code that is not recognised; a display never
    speaks for a code that is. ``red_flag_stem``: it is not understood, and could speak of a red flag.
    """

    system: str
    code: str
    display: str
    concepts: tuple[str, ...]
    reasons: tuple[Reason, ...]
    phase: str = ""
    unavailable: bool = False
    study: str = ""
    display_says: tuple[str, ...] = ()
    red_flag_stem: bool = False


def explain(terminology: Terminology, system: str, code: str, display: str = "") -> Explanation:
    """What this code means here: by its tables, else as a medicine."""
    uri = terminology.system_uri(system)
    meanings = terminology.meanings(system, code)
    reasons = _by_code(terminology, uri, code, meanings)
    if not reasons and display and uri not in _NO_MEDICINES:
        reasons = _by_medicine(terminology, system, code, display)
    read = read_text(display) if display and not reasons else None
    return Explanation(
        system=uri,
        code=code,
        display=display,
        concepts=tuple(dict.fromkeys(reason.concept for reason in reasons)),
        reasons=reasons,
        phase=next((meaning.phase for meaning in meanings if meaning.phase), ""),
        unavailable=not terminology.knows_system(uri) and any(left.system == uri for left in terminology.unavailable),
        study=_study(terminology, system, code, display, reasons),
        display_says=tuple(f"{'' if m.present else 'no '}{m.concept}" for m in read.mentions)
        if read is not None
        else (),
        red_flag_stem=bool(display) and not reasons and read is None and has_red_flag_stem(display),
    )


def _by_code(terminology: Terminology, uri: str, code: str, meanings: tuple[Meaning, ...]) -> tuple[Reason, ...]:
    if uri == terminology.own.url:
        own = terminology.own.codes.get(code)
        definition = own.definition if own is not None else ""
        found = [Reason(m.concept, m.absent, "own code", code, "own_codes.toml", source=definition) for m in meanings]
        observable = terminology.observable(uri, code)
        if not found and observable is not None and observable.concept:
            found = [Reason(observable.concept, False, "own code", code, "own_codes.toml", source=definition)]
        return tuple(found)
    rows = terminology.rows_for(uri, code)
    return tuple(_of_row(meaning, _row_of(terminology, meaning, rows), code) for meaning in meanings)


def _row_of(terminology: Terminology, meaning: Meaning, rows: tuple[CodeRow, ...]) -> CodeRow:
    """The row behind a meaning; in a later phase of an injury, the row whose concept became this one."""
    became = {phase.becomes: phase.concepts for phase in terminology.manifest.phase}
    direct = next((row for row in rows if row.concept == meaning.concept), None)
    return direct or next((row for row in rows if row.concept in became.get(meaning.concept, ())), rows[0])


def _of_row(meaning: Meaning, row: CodeRow, code: str) -> Reason:
    listed = row.code.replace(".", "") == code.strip().upper().replace(".", "")
    how = "site" if row.licence == "site" else "listed" if listed else "under"
    shown = f"{row.code} {row.display}" if row.show_display else row.code
    return Reason(meaning.concept, meaning.absent, how, shown, row.file, row.line, row.source, row.note)


def _by_medicine(terminology: Terminology, system: str, code: str, display: str) -> tuple[Reason, ...]:
    found = concepts_of_medicine([(system, code, display)], "", terminology)
    return tuple(Reason(concept, False, "ingredient", display, "medicines.toml") for concept in found)


def _study(terminology: Terminology, system: str, code: str, display: str, reasons: tuple[Reason, ...]) -> str:
    if reasons and not any(terminology.concepts.get(reason.concept) == "order" for reason in reasons):
        return ""  # a diagnosis or a medicine; what its name could mean as an order is beside the point
    order = recognise([(system, code, display)], "", (), True, terminology)
    if order.recognition.value == "not lumbar imaging":
        return ""
    return f"{order.recognition.value}: {order.name}" if order.name else order.recognition.value
