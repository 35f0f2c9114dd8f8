"""From a code in a record to the concepts the rules know: reviewed tables, loaded once, looked up in constant time."""

import hashlib
import re
from collections.abc import Iterable, Mapping, Sequence

from msgspec import Struct

from fhir_mappings.code_rows import (
    CATEGORY_SYSTEM,
    CodeRow,
    Manifest,
    Phase,
    check_together,
    load_manifest,
    read_packaged,
    read_rows,
)
from fhir_mappings.code_systems import SystemNames
from fhir_mappings.order_studies import check_order_studies, order_studies
from fhir_mappings.own_codes import Observable, OwnCodes, load_own_codes
from fhir_mappings.site_codes import OrderCatalogue, read_order_catalogue, read_site_code_map

_ICD10CM = re.compile(r"[A-Z][0-9][0-9A-Z]{1,5}")
_LEARNED_LIMIT = 4096  # codes that stand in no table, per system: bounded, whatever callers send

# ICD-10-CM seventh character of injuries and of M48.5, M80, M84: what stage of care the code speaks of.
_PHASES = {"A": "new", "B": "new", "D": "healing", "G": "healing", "K": "healing", "P": "healing", "S": "sequela"}
_WITH_PHASE = ("S", "T", "V", "W", "X", "Y", "M48.5", "M80", "M84")


class Meaning(Struct, frozen=True, gc=False):
    """One concept that a code stands for, with what else the code itself states.

    ``absent``: the code says that it is not there. ``phase`` is the seventh character of an ICD-10-CM injury code:
    new, healing, or sequela (an old injury's after-effect: no injury today).
    """

    concept: str
    absent: bool = False
    side: str = ""
    site: str = ""
    phase: str = ""


class Coding(Struct, frozen=True, gc=False):
    """A code as FHIR writes it."""

    system: str
    code: str
    display: str = ""


class TerminologyOptions(Struct, frozen=True):
    """What an operator may choose: licensed tables to leave out, own code maps and order catalogues to add.

    Paths name CSV files (their columns: ``fhir_mappings.site_codes``). Our own code system is published under
    ``canonical_base``.
    """

    without_cpt: bool = False
    without_licensed_snomed: bool = False
    site_code_maps: tuple[str, ...] = ()
    order_catalogues: tuple[str, ...] = ()
    canonical_base: str = "https://lumbar-imaging-cds.github.io/fhir"


class Unavailable(Struct, frozen=True):
    """A table that was left out: its codes are not recognised, and whoever shows coverage says so."""

    system: str
    licence: str
    codes: int


class _Codes(dict[str, tuple[Meaning, ...]]):
    """The codes of one system; a code that stands in no row is worked out once and remembered, within bounds."""

    def __init__(self, rows: Iterable[CodeRow], removes: Mapping[str, frozenset[str]], phases: Sequence[Phase]) -> None:
        super().__init__()
        self._removes = removes
        self._phases = phases  # only of the code system whose categories reach their descendants
        self._by_category = bool(phases)
        self._exact: dict[str, list[CodeRow]] = {}
        self._learned: dict[str, tuple[Meaning, ...]] = {}
        for row in rows:
            self._exact.setdefault(row.code, []).append(row)
        for code in self._exact:
            self[code] = self._work_out(code)

    def __missing__(self, code: str) -> tuple[Meaning, ...]:
        found = self._learned.get(code)
        if found is None:
            found = self._work_out(code)
            if len(self._learned) >= _LEARNED_LIMIT:
                self._learned.clear()
            self._learned[code] = found
        return found

    def rows_for(self, code: str) -> list[CodeRow]:
        """Every row that a code falls under, the most specific first; categories reach ICD-10-CM descendants."""
        if not self._by_category:
            return self._exact.get(code) or self._exact.get(code.strip(), [])
        tidy = _dotted(code)
        found = list(self._exact.get(tidy, ()))
        for length in range(len(tidy) - 1, 2, -1):
            above = tidy[:length].rstrip(".")
            if length == len(above):
                found += [row for row in self._exact.get(above, ()) if row.descendants]
        return found

    def _work_out(self, code: str) -> tuple[Meaning, ...]:
        rows = self.rows_for(code)
        if not rows:
            return ()
        removed = frozenset[str]().union(*(self._removes.get(row.concept, frozenset()) for row in rows))
        tidy = _dotted(code) if self._by_category else code
        phase = _phase_of(tidy) if self._by_category else ""
        found: dict[str, Meaning] = {}
        for row in rows:
            concept = self._in_phase(row.concept, phase, tidy) if phase else row.concept
            if concept and concept not in removed and concept not in found:
                found[concept] = Meaning(concept, row.absent, row.side, row.site, phase)
        return tuple(found.values())

    def _in_phase(self, concept: str, phase: str, code: str) -> str:
        for rule in self._phases:
            if rule.reaches(concept, phase, code):
                return rule.becomes
        return concept


def _dotted(code: str) -> str:
    """``m5416`` is M54.16: records write ICD-10-CM with and without its dot."""
    plain = code.strip().upper().replace(".", "")
    if not _ICD10CM.fullmatch(plain):
        return ""
    return plain if len(plain) <= 3 else f"{plain[:3]}.{plain[3:]}"


def _phase_of(code: str) -> str:
    if len(code) != 8 or not code.startswith(_WITH_PHASE):
        return ""
    return _PHASES.get(code[-1], "")


class Terminology:
    """Everything we know of codes, in both directions."""

    def __init__(
        self,
        manifest: Manifest,
        rows: tuple[CodeRow, ...],
        own: OwnCodes,
        catalogue: OrderCatalogue,
        unavailable: tuple[Unavailable, ...],
        version: str,
        site_files: tuple[tuple[str, str], ...] = (),
    ) -> None:
        self.manifest = manifest
        self.rows = rows
        self.own = own
        self.catalogue = catalogue
        self.unavailable = unavailable
        self.version = version
        self.site_files = site_files  # a site's own maps and catalogues as they were read: (name, text)
        self.concepts: Mapping[str, str] = {**manifest.group_of()}
        self._names = SystemNames(manifest.system)
        self._codes = _tables(manifest, rows)
        self._codes_by_name: dict[str, _Codes] = dict(self._codes)
        for system in manifest.system:
            for name in system.variants:
                if system.uri in self._codes:
                    self._codes_by_name[name] = self._codes[system.uri]
        self._own_meanings = {
            code: tuple(Meaning(said.concept, not said.present, "", said.site) for said in own.says(code))
            for code in own.codes
        }
        self._by_concept: dict[str, list[CodeRow]] = {}
        for row in rows:
            self._by_concept.setdefault(row.concept, []).append(row)

    def meanings(self, system: str | None, code: str | None) -> tuple[Meaning, ...]:
        """What a code stands for; empty when it stands in no table (which never means that nothing is there)."""
        if not system or not code:
            return ()
        table = self._codes_by_name.get(system)
        if table is None:
            return self._meanings_elsewhere(system, code)
        return table[code]

    def _meanings_elsewhere(self, system: str, code: str) -> tuple[Meaning, ...]:
        uri = self._names.uri_of(system)
        if uri == self.own.url:
            return self._own_meanings.get(code, ())
        table = self._codes.get(uri)
        return () if table is None else table[code]

    def observable(self, system: str | None, code: str | None) -> Observable | None:
        """The bedside examination or answer that one of our own codes asks for; its value says what was found."""
        if not system or not code or self.system_uri(system) != self.own.url:
            return None
        return self.own.observable(code)

    def system_uri(self, name: str) -> str:
        """The one URI for a code system, whatever a record calls it; an unknown name comes back as it is."""
        return self._names.uri_of(name)

    def knows_system(self, name: str) -> bool:
        """Do we hold any codes of this system?"""
        uri = self.system_uri(name)
        return uri in self._codes or uri == self.own.url

    def rows_for(self, system: str, code: str) -> tuple[CodeRow, ...]:
        """Every row that a code falls under, the most specific first: the reason for what it is taken to mean."""
        table = self._codes.get(self.system_uri(system))
        return () if table is None else tuple(table.rows_for(code))

    def codes_for(self, concept: str, system: str | None = None) -> tuple[Coding, ...]:
        """The codes whose own row says that this concept is present, of one system or of all."""
        return tuple(
            Coding(row.system, row.code, row.display)
            for row in self._by_concept.get(concept, ())
            if not row.absent and (system is None or row.system == system)
        )


def _tables(manifest: Manifest, rows: tuple[CodeRow, ...]) -> dict[str, _Codes]:
    removes: dict[str, frozenset[str]] = {}
    for exclusion in manifest.excludes:
        removes[exclusion.concept] = removes.get(exclusion.concept, frozenset()) | frozenset(exclusion.others)
    by_system: dict[str, list[CodeRow]] = {}
    for row in rows:
        by_system.setdefault(row.system, []).append(row)
    return {
        uri: _Codes(own, removes, manifest.phase if uri == CATEGORY_SYSTEM else ()) for uri, own in by_system.items()
    }


def load_terminology(options: TerminologyOptions | None = None) -> Terminology:
    """Read every table once, strictly; raises ``TerminologyError`` naming the file and line that cannot be used."""
    options = options or TerminologyOptions()
    digest = hashlib.sha256(repr(options.canonical_base).encode())
    manifest_text = read_packaged("manifest.toml")
    digest.update(manifest_text.encode())
    manifest = load_manifest(manifest_text)
    left_out = {"cpt": options.without_cpt, "licensed_snomed": options.without_licensed_snomed}
    rows: list[CodeRow] = []
    unavailable: list[Unavailable] = []
    codes: set[tuple[str, str]] = set()
    for file in manifest.file:
        text = read_packaged(file.name)
        own = read_rows(file, text, manifest)
        codes |= {(row.system, row.code) for row in own}
        if left_out.get(file.option, False):
            unavailable.append(Unavailable(file.system, file.licence, len(own)))
            continue
        digest.update(text.encode())
        rows += own
    check_order_studies(order_studies(), manifest, codes)
    names = SystemNames(manifest.system)
    site_files: list[tuple[str, str]] = []
    for path in options.site_code_maps:
        site_rows, text = read_site_code_map(path, manifest, names)
        rows += site_rows
        site_files.append((f"codes-{len(site_files)}.csv", text))
        digest.update(text.encode())
    catalogue = OrderCatalogue(())
    for path in options.order_catalogues:
        more, site_rows, text = read_order_catalogue(path, manifest, names)
        catalogue = catalogue.with_more(more)
        rows += site_rows
        site_files.append((f"orders-{len(site_files)}.csv", text))
        digest.update(text.encode())
    check_together(rows, manifest.excludes)
    own_codes = load_own_codes(options.canonical_base, frozenset(manifest.group_of()))
    digest.update(own_codes.text.encode())
    version = digest.hexdigest()[:16]
    return Terminology(manifest, tuple(rows), own_codes, catalogue, tuple(unavailable), version, tuple(site_files))
