"""The chart of one call: every record that belongs to the patient, by type, and what could not be had."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.decode import HookCall
from fhir_mappings.errors import PatientMissing, WrongPatient
from fhir_mappings.fhir_records import (
    OLDER_REQUESTS,
    READ,
    AboutPatient,
    Medication,
    OperationOutcome,
    Patient,
    Practitioner,
    PractitionerRole,
    Record,
    type_name,
)
from fhir_mappings.patient import is_older_fhir
from fhir_mappings.prefetch_values import Entry, PrefetchValue, State, is_failure, is_partial, read_value
from fhir_mappings.references import OnePatient, names_nobody_readable
from rules.facts import SourceGap

# Parts of the record that can hold a red flag; the others hold safety facts, plans, imaging or the setting.
RED_FLAG_SOURCES = frozenset({"Condition", "Observation", "Procedure", "MedicationRequest", "MedicationStatement"})
_OLDER = {
    "MedicationOrder": "MedicationRequest",
    "ProcedureRequest": "ServiceRequest",
    "ReferralRequest": "ServiceRequest",
    "DiagnosticOrder": "ServiceRequest",
    "DeviceUseRequest": "ServiceRequest",
    "ProcedureResponse": "Procedure",
}
_OTHERS = (Practitioner, PractitionerRole, Medication)
_READ: frozenset[type[Any]] = frozenset(READ)
_ABOUT_A_PATIENT: frozenset[type[Any]] = frozenset(kind for kind in READ if issubclass(kind, AboutPatient))
_FAILURE_STATUS = ("4", "5")
_READABLE, _EMPTY = State.READ, State.EMPTY


class Chart(Struct):
    """Records of the patient, by type; ``pages`` are all entries of the call, for looking up what they refer to."""

    patient: Patient
    records: dict[type[Record], list[Any]]
    pages: list[list[Entry]]
    user: str = ""
    gaps: tuple[SourceGap, ...] = ()
    dropped: int = 0
    foreign: int = 0
    unread_keys: tuple[str, ...] = ()  # expected prefetch keys of which something is missing


def gap(source: str, why: str) -> SourceGap:
    """A part of the record that could not be read, and whether a red flag could be in it."""
    return SourceGap(source, why, source in RED_FLAG_SOURCES)


def chart_from_prefetch(call: HookCall, expected: Mapping[str, str]) -> Chart:
    """The chart as the call brings it. ``expected`` names the resource type that each prefetch key should hold.

    Records count whichever key they came under; an expected key that is absent is a gap unless its type came otherwise.
    """
    patient, gathered = _gather(call.prefetch, call.context.patient_id)
    chart = Chart(patient, gathered.records, gathered.pages, call.context.user_id, foreign=gathered.foreign)
    if gathered.all_is_well and expected.keys() <= call.prefetch.keys() and not is_older_fhir(patient):
        return chart  # as nearly always: nothing to name as missing
    gaps = dict.fromkeys([*_missing(call.prefetch, expected, gathered), *gathered.gaps(expected)])
    if is_older_fhir(patient):
        gaps[SourceGap("Patient", "unsupported version", True)] = None
    chart.gaps = tuple(sorted(gaps, key=lambda each: (each.source, each.why)))
    chart.dropped = sum(value.dropped for value in call.prefetch.values())
    chart.unread_keys = tuple(_unread_keys(call.prefetch, expected, gathered.failed | gathered.partial))
    return chart


def chart_from_bundle(bundle: bytes | dict[str, Any] | list[Any], patient_id: str) -> Chart:
    """The chart of a whole-patient Bundle or list: what it does not hold is not there."""
    raw = bundle if isinstance(bundle, bytes) else msgspec.json.encode(bundle)
    if raw.lstrip()[:1] == b"[":
        several = msgspec.json.decode(raw, type=list[Raw])
        raw = b'{"resourceType":"Bundle","entry":[%s]}' % b",".join(
            b'{"resource":%s}' % bytes(each) for each in several
        )
    pages = {"record": read_value(Raw(raw))}
    patient, gathered = _gather(pages, patient_id)
    gaps = dict.fromkeys(gathered.gaps({}))
    if is_older_fhir(patient):
        gaps[SourceGap("Patient", "unsupported version", True)] = None
    return Chart(
        patient=patient,
        records=gathered.records,
        pages=gathered.pages,
        gaps=tuple(gaps),
        dropped=pages["record"].dropped,
        foreign=gathered.foreign,
    )


def _patient(values: Iterable[PrefetchValue], patient_id: str) -> tuple[Patient, frozenset[str]]:
    """The Patient of the call, and the addresses it came under. Another one in its place stops everything."""
    found: Patient | None = None
    another = False
    urls: list[str] = []
    for value in values:
        for entry in value.entries:
            patient: Any = entry.resource
            if type(patient) is not Patient:
                continue
            if patient.id == patient_id:
                found = patient
                urls += [entry.full_url] if entry.full_url else []
            elif patient.id:
                another = True
                if value.alone:
                    raise WrongPatient("the Patient in the call is not the patient of its context")
    if found is not None:
        return found, frozenset(urls)
    if another:
        raise WrongPatient("the Patient in the call is not the patient of its context")
    raise PatientMissing("the call brings no Patient resource that can be read")


class _Gathered(Struct):
    values: Mapping[str, PrefetchValue]
    pages: list[list[Entry]] = []  # that hold anything
    records: dict[type[Record], list[Any]] = {}
    foreign: int = 0
    whole: bool = True  # no value failed, stops before its end, or lost an entry
    older: set[str] = set()
    failed: set[str] = set()  # prefetch keys with an error among their entries
    partial: set[str] = set()

    @property
    def all_is_well(self) -> bool:
        """Did everything come, to its end, without an error?"""
        return self.whole and not (self.failed or self.partial or self.older)

    def names(self, key: str) -> set[str]:
        """The resource types that came under a prefetch key, of those that are read."""
        kinds = {type(entry.resource) for entry in self.values[key].entries}
        return {kind.__name__ for kind in kinds if kind in _READ}

    def gaps(self, expected: Mapping[str, str]) -> Iterable[SourceGap]:
        """What came with an error, without its end, or in another version of FHIR."""
        for older in self.older:
            yield gap(older, "unsupported version")
        for key, value in self.values.items():
            why = _trouble(value, key in self.failed, key in self.partial)
            if why:
                for source in [expected[key]] if key in expected else sorted(self.names(key)):
                    yield gap(source, why)


def _trouble(value: PrefetchValue, failed: bool, partial: bool) -> str:
    if value.state is State.FAILED or failed:
        return "failed"
    if value.state in (State.UNREADABLE, State.OLDER):
        return str(value.state.value)
    # A malformed entry is lost, and nobody can say what it held.
    return "incomplete" if value.incomplete or partial or value.dropped else ""


def _unread_keys(values: Mapping[str, PrefetchValue], expected: Mapping[str, str], troubled: set[str]) -> Iterable[str]:
    """Keys that are absent, or came as a failure, as nothing readable, or without their end."""
    for key in expected:
        value = values.get(key)
        if value is None or key in troubled or value.incomplete or value.state not in (State.READ, State.EMPTY):
            yield key


def unread_keys(values: Mapping[str, PrefetchValue], expected: Mapping[str, str]) -> tuple[str, ...]:
    """Expected prefetch keys of which something is missing, before it is known whose chart it is."""
    troubled = {
        key
        for key, value in values.items()
        for entry in value.entries
        if isinstance(entry.resource, OperationOutcome) and (is_failure(entry.resource) or is_partial(entry.resource))
    }
    return tuple(_unread_keys(values, expected, troubled))


def _missing(
    values: Mapping[str, PrefetchValue], expected: Mapping[str, str], gathered: _Gathered
) -> Iterable[SourceGap]:
    elsewhere = {name for key in values if key not in expected for name in gathered.names(key)}
    for key, source in expected.items():
        if key not in values and source not in elsewhere:
            yield gap(source, "not provided")


def _gather(values: Mapping[str, PrefetchValue], patient_id: str) -> tuple[Patient, _Gathered]:
    who, gathered = OnePatient(patient_id), _Gathered(values)
    parts: list[tuple[str, PrefetchValue, list[Any]]] = []
    mixed: list[PrefetchValue] = []
    for key, value in values.items():
        state, entries = value.state, value.entries
        if not (state is _READABLE or state is _EMPTY) or value.incomplete or value.dropped:
            gathered.whole = False
        if entries:
            alike = _all_alike(entries, who)
            parts.append((key, value, alike))
            gathered.pages.append(entries)
            if not alike:
                mixed.append(value)
    patient, urls = _patient(mixed, patient_id)
    who.learn(urls, patient.identifier)
    records = gathered.records
    for key, value, alike in parts:
        if not alike:
            _sort(key, value, who, gathered)
            continue
        kind = type(alike[0])
        if kind in records:
            records[kind] += alike
        else:
            records[kind] = alike
    return patient, gathered


def _all_alike(entries: list[Entry], who: OnePatient) -> list[Any]:
    """The records, where all are of one type and name the patient in the same words, as one server writes; or none."""
    records: list[Any] = [entry.resource for entry in entries]
    kind = type(records[0])
    if kind not in _ABOUT_A_PATIENT:
        return []
    about = records[0].subject or records[0].patient
    if about is None or not who.is_called(about.reference):
        return []
    usual = about.reference
    for record in records:
        if type(record) is not kind:
            return []
        about = record.subject
        if about is None:
            about = record.patient
        if about is None or about.reference != usual:
            return []
    return records


def _sort(key: str, value: PrefetchValue, who: OnePatient, gathered: _Gathered) -> None:
    """Put each record of one prefetch value into the list of its type, unless it is somebody else's."""
    for entry in value.entries:
        record: Any = entry.resource
        kind = type(record)
        if kind not in _ABOUT_A_PATIENT:
            _set_aside(key, entry, gathered, who)
        elif who.is_meant_by(record.subject or record.patient, record.contained):
            gathered.records.setdefault(kind, []).append(record)
        else:
            gathered.foreign += 1
            if names_nobody_readable(record.subject or record.patient):
                gathered.partial.add(key)  # it may be this patient's, and hold anything


def _set_aside(key: str, entry: Entry, gathered: _Gathered, who: OnePatient) -> None:
    """Entries that name no patient as their subject: people, medicines, outcomes, types that no rule reads."""
    record = entry.resource
    if isinstance(record, OperationOutcome):
        if is_failure(record):
            gathered.failed.add(key)
        elif is_partial(record):
            gathered.partial.add(key)
    elif isinstance(record, Patient):
        gathered.foreign += not who.is_this(record)
    elif isinstance(record, _OTHERS):
        gathered.records.setdefault(type(record), []).append(record)
    elif isinstance(record, OLDER_REQUESTS):
        gathered.older.add(_OLDER[type_name(record)])
    elif record is None and _answered_with_failure(entry):
        gathered.failed.add(key)


class _Response(Struct):
    status: str = ""


def _answered_with_failure(entry: Entry) -> bool:
    """An entry of a batch answer that holds an HTTP error in place of a resource."""
    if not len(entry.response):
        return False
    try:
        return msgspec.json.decode(entry.response, type=_Response).status.startswith(_FAILURE_STATUS)
    except msgspec.DecodeError:
        return True
