"""The reasons of a draft order: its own codes and words, contained resources, and entries of the chart it points to."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import cached_property

import msgspec
from msgspec import Struct
from msgspec.structs import replace

from fhir_mappings.code_words import Statement
from fhir_mappings.codes import CodeReader, CodeReading
from fhir_mappings.decode import HookCall, RawResource
from fhir_mappings.draft_parts import as_part, id_of, listed, reference_of
from fhir_mappings.elements import CodeableConcept, Unreadable
from fhir_mappings.fhir_records import Condition, Observation, Patient, type_name
from fhir_mappings.lookup import Lookup
from fhir_mappings.observation_values import answer_word, result_of, says_nothing
from fhir_mappings.page import stated_onset
from fhir_mappings.partial_dates import read_date
from fhir_mappings.reason_markers import higher_priority, marker_in
from fhir_mappings.reasons import PAIN, is_low_back
from fhir_mappings.record_text import shown
from fhir_mappings.references import OnePatient, local_reference
from fhir_mappings.status_codes import OlderFhir, Verified, is_current, verified
from fhir_mappings.text_reading import has_red_flag_stem
from rules.dates import DateInterval
from rules.evidence import Evidence
from rules.facts import Fact, FactKind

_SAYS_YES = frozenset({"yes", "present", "positive", "abnormal"})
_SAYS_NO = frozenset({"no", "absent", "negative", "normal"})
_REASON = msgspec.json.Decoder(Condition | Observation)
ReasonRecord = Condition | Observation


class Reasons(Struct):
    """The reasons of one order, read."""

    facts: list[Fact]
    statements: list[Statement]  # one for each fact
    references: list[str]
    unread: list[str]
    stem: bool = False
    stated: bool = False
    low_back: bool = False
    priority: str = ""  # named by one of our codes, for clients that keep no priority; it is no reason

    @property
    def low_back_reason(self) -> bool | None:
        """Is the back the reason? ``None``: no reason that could be read."""
        if self.low_back:
            return True
        return False if (self.facts or self.references) and not self.unread else None


class ReasonReader:
    """Reads the drafts of one call: for whom they are, and their reasons."""

    def __init__(self, call: HookCall, codes: CodeReader) -> None:
        self._call = call
        self._codes = codes

    def is_for_the_patient(self, draft: RawResource) -> bool:
        """Does the draft name the patient of the call, or nobody?"""
        subject = draft.get("subject")
        literal = subject.get("reference") if isinstance(subject, dict) else None
        if literal == f"Patient/{self._call.context.patient_id}":
            return True  # as nearly every client writes it
        return self._who.is_meant_by(reference_of(subject))

    @cached_property
    def _who(self) -> OnePatient:
        """The patient; needed only where somebody is named in other words."""
        return OnePatient(self._call.context.patient_id, _patient_urls(self._call))

    @cached_property
    def _lookup(self) -> Lookup:
        """Every entry of the call; opened only where a reason points somewhere."""
        return Lookup([value.entries for value in self._call.prefetch.values()])

    def read(self, draft: RawResource, reference: str, now: datetime | None) -> Reasons:
        """Every reason of this draft; those whose words say since when are dated from the day it was written."""
        reasons = Reasons([], [], [], [])
        for each in listed(draft.get("reasonCode")):
            concept = as_part(each, CodeableConcept)
            if concept is None:
                _unread(reasons, "a reason that is no coded concept")
            elif marker := marker_in(concept, self._codes.terminology.own.url):
                reasons.priority = higher_priority(reasons.priority, marker)
            elif concept.words:
                _add(reasons, self._codes.of(concept), f"{reference}#reasonCode")
        for each in listed(draft.get("reasonReference")):
            self._follow(reasons, each, draft, reference)
        for statement in reasons.statements:
            if statement.says_since_when:
                reasons.facts += _onsets(reasons, _written_on(draft, now))
                break
        return reasons

    def _follow(self, reasons: Reasons, link: object, draft: RawResource, where: str) -> None:
        """A resource inside the order or among the drafts speaks for itself, one of the chart is pointed to."""
        pointer = reference_of(link)
        target = "" if pointer is None or pointer.reference is None else pointer.reference
        own = _contained(draft, target[1:]) if target.startswith("#") else self._among_drafts(target)
        record = own or self._lookup.find(target)
        if not isinstance(record, ReasonRecord) or _said_in_error(record):
            display = link.get("display") if isinstance(link, dict) else None
            _unread(reasons, display if isinstance(display, str) and display.strip() else "a reason by reference")
            return
        if not self._who.is_meant_by(record.subject or record.patient):
            _unread(reasons, "a reason that names another patient")
            return
        reading = self._codes.memo.of(record.code)
        if own is not None:
            _add(reasons, self._as_it_stands(record, reading), f"{where}#reasonReference")
            return
        reasons.stated = True
        reasons.references.append(f"{type_name(record)}/{record.id or ''}")
        reasons.low_back = reasons.low_back or is_low_back(reading)
        if reading.unread or reading.contradicted:
            _unread(reasons, reading.says, reading.red_flag_stem)

    def not_at_hand(self, draft: RawResource) -> list[str]:
        """Reasons that this draft points to and that the call does not hold."""
        pointers = [reference_of(each) for each in listed(draft.get("reasonReference"))]
        targets = [pointer.reference for pointer in pointers if pointer is not None and pointer.reference]
        return [
            target
            for target in targets
            if not target.startswith("#") and self._among_drafts(target) is None and self._lookup.find(target) is None
        ]

    def _as_it_stands(self, record: ReasonRecord, reading: CodeReading) -> CodeReading:
        """The reading of a record that no other reader sees: with its status, or with the answer that it gives."""
        if isinstance(record, Condition):
            past, unsure = is_current(record.clinical_status) is False, verified(record.verification_status)
            suspected = unsure is Verified.SUSPECTED
            return _changed(reading, history=past, suspected=suspected) if past or suspected else reading
        try:
            result = result_of(record, self._codes)
        except Unreadable:
            return replace(reading, unread=True, red_flag_stem=True)
        if not (result.given or result.interpreted or says_nothing(record)):
            return reading
        words = (answer_word(result, self._codes), *result.interpreted)
        if any(word in _SAYS_YES for word in words):
            return reading
        if any(word in _SAYS_NO for word in words):
            return _changed(reading, present=False)
        says = shown(f"{reading.says}: {result.text}" if result.text else reading.says)
        return CodeReading(says=says, unread=True, red_flag_stem=has_red_flag_stem(says))

    def _among_drafts(self, reference: str) -> ReasonRecord | None:
        """A reason that is itself part of the session's draft Bundle."""
        context = self._call.context
        for draft, url in zip(context.draft_orders, context.full_urls, strict=True):
            own = f"{draft.get('resourceType')}/{id_of(draft)}" if id_of(draft) else ""
            if reference and (reference == url or local_reference(reference) == own):
                return _as_record(draft)
        return None


def _patient_urls(call: HookCall) -> frozenset[str]:
    """The urn under which the patient of the call stands in a Bundle; needed only where a draft uses one."""
    for draft in call.context.draft_orders:
        subject = draft.get("subject")
        if isinstance(subject, dict) and str(subject.get("reference")).startswith("urn:"):
            break
    else:
        return frozenset()
    return frozenset(
        entry.full_url
        for value in call.prefetch.values()
        for entry in value.entries
        if entry.full_url and isinstance(entry.resource, Patient) and entry.resource.id == call.context.patient_id
    )


def _changed(reading: CodeReading, **how: bool) -> CodeReading:
    """The same statements, as what stands beside them makes them; one that is absent already stays so."""
    return replace(reading, statements=tuple(replace(each, **how) for each in reading.statements if each.present))


def _unread(reasons: Reasons, text: str, stem: bool = False) -> None:
    reasons.stated = True
    reasons.unread.append(shown(text))
    reasons.stem = reasons.stem or stem


def _add(reasons: Reasons, reading: CodeReading, where: str) -> None:
    reasons.stated = True
    if reading.unread or reading.contradicted:
        _unread(reasons, reading.says, reading.red_flag_stem)
        return
    reasons.low_back = reasons.low_back or is_low_back(reading)
    for statement in reading.statements:
        if reasons.statements and _is_said(statement, reasons.statements):
            continue
        reasons.statements.append(statement)
        reasons.facts.append(
            Fact(
                concept=statement.concept,
                kind=FactKind.REASON,
                evidence=Evidence(where, reading.says, "", statement.marks),
                present=statement.present,
                suspected=statement.suspected,
                current=not statement.history,
                side=statement.side,
                site=statement.site,
                course=statement.course,
                grade=statement.grade,
            )
        )


def _is_said(statement: Statement, before: list[Statement]) -> bool:
    """Was the same said before, if in other words?"""
    return any(each.concept == statement.concept and replace(statement, marks=each.marks) == each for each in before)


def _written_on(draft: RawResource, now: datetime | None) -> DateInterval | None:
    """The day on which the order was written, else the day of the call."""
    stamp = draft.get("authoredOn")
    written = read_date(stamp) if isinstance(stamp, str) else None
    if written is not None or now is None:
        return written
    return DateInterval(now.astimezone(UTC).date(), now.astimezone(UTC).date())


def _onsets(reasons: Reasons, written: DateInterval | None) -> list[Fact]:
    """Date the reasons whose words say since when; for pain that is the onset which the clinician states."""
    stated: list[Fact] = []
    for place, (fact, statement) in enumerate(zip(reasons.facts, reasons.statements, strict=True)):
        began = stated_onset(statement, written)
        if began is None:
            continue
        reasons.facts[place] = replace(fact, began=began)
        if statement.concept in PAIN and statement.present and not statement.history:
            onset = Fact("symptom-onset", FactKind.REASON, fact.evidence, began=began)
            stated.append(onset)
    return stated


def _said_in_error(record: ReasonRecord) -> bool:
    """Is it taken back, or in a form that does not say whether it is?"""
    if isinstance(record, Observation):
        return record.status == "entered-in-error"
    try:
        return verified(record.verification_status) in (Verified.ERROR, Verified.REFUTED)
    except (OlderFhir, Unreadable):
        return True


def _contained(draft: RawResource, local_id: str) -> ReasonRecord | None:
    for each in listed(draft.get("contained")):
        if isinstance(each, dict) and each.get("id") == local_id:
            return _as_record(each)
    return None


def _as_record(resource: RawResource) -> ReasonRecord | None:
    if resource.get("resourceType") not in ("Condition", "Observation"):
        return None
    try:
        found: ReasonRecord = _REASON.decode(msgspec.json.encode(resource))
    except msgspec.DecodeError:
        return None
    return found
