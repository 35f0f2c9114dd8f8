"""What the record says about one patient, in clinical concepts, with nothing decided yet."""

from datetime import date

from msgspec import Struct

from rules.closed import Closed
from rules.dates import DateInterval
from rules.evidence import Evidence


class FactKind(Closed):
    """Where in the record a fact comes from; some questions only listen to some places."""

    CONDITION = "condition"
    OBSERVATION = "observation"
    PROCEDURE = "procedure"  # done, in progress, planned or not done: see Fact.state
    MEDICATION = "medication"
    REQUEST = "request"  # ServiceRequest already placed: referral, therapy, planned intervention
    REPORT = "report"  # an imaging study that was done: DiagnosticReport or ImagingStudy
    DEVICE = "device"
    ALLERGY = "allergy"
    REASON = "reason"  # the judged order's own reasonCode
    DRAFT = "draft"  # another unsigned order of the same session


class Fact(Struct, frozen=True, gc=False):
    """One thing the record says. Absence that the record states is a fact too (``present=False``).

    ``concept`` is a concept id of the terminology layer. ``began`` is onset, effective or performed date;
    ``ended`` is abatement, end of performance or end of a prescription. ``value`` carries a number in the unit
    fixed for its concept (Cel, kg, mL/min/1.73m2, mm/h, mg/L, days; scores as given).
    """

    concept: str
    kind: FactKind
    evidence: Evidence
    present: bool = True
    suspected: bool = False  # provisional, differential, unconfirmed
    current: bool = True  # False: inactive, remission, resolved, stopped, removed
    began: DateInterval | None = None
    ended: DateInterval | None = None
    value: float | None = None
    comparator: str = ""  # "<" or ">" before the value ("<15", ">60")
    grade: int | None = None  # MRC 0-5; 4+ and 4- are 4
    side: str = ""  # left, right, bilateral
    site: str = ""  # muscle group ("ankle-dorsiflexion"), dermatome ("l5"), score instrument ("nrs")
    course: str = ""  # worsening, improving, unchanged
    state: str = ""  # procedures and requests: done, ongoing, planned, draft, not-done; reports: final, preliminary
    encounter: str = ""  # "Encounter/7"
    stated_other_indication: bool = False  # a medicine or therapy whose stated reason is not the back
    days_supplied: int | None = None


class SourceGap(Struct, frozen=True, gc=False):
    """A part of the record that could not be read, and what it could hide.

    ``source`` is a FHIR resource type or "Patient". ``why`` is one of: "not provided", "failed", "incomplete",
    "unsupported version", "unreadable". ``hides_red_flags`` is True where a red flag could be in it.
    """

    source: str
    why: str
    hides_red_flags: bool


class AgeRange(Struct, frozen=True, gc=False):
    """Completed years on the day of the call; both ends differ when the birth date is partial."""

    youngest: int
    oldest: int


class ClinicalPicture(Struct, frozen=True):
    """What is known about one patient on one day: facts by concept group, and what could not be read."""

    as_of: date
    facts: tuple[Fact, ...]
    age: AgeRange | None = None
    sex: str = ""  # FHIR administrative gender
    encounter: str = ""  # context.encounterId as "Encounter/7"
    requester_specialties: tuple[str, ...] = ()  # concept ids "specialty-…" of user role or encounter
    encounter_specialist: bool | None = None  # from the encounter's type, service or class where it says so
    gaps: tuple[SourceGap, ...] = ()
    unmapped_codes: frozenset[tuple[str, str]] = frozenset()  # (system, code), for the coverage report
    unread_texts: int = 0  # text entries outside the closed vocabulary
    unread_current_problems: tuple[Evidence, ...] = ()  # current problems of this episode that could not be read
    unread_red_flag_stem: bool = False  # one of those (or the order's reason) holds the stem of a red-flag word
    dropped_entries: int = 0  # malformed entries
    foreign_entries: int = 0  # entries of another patient
