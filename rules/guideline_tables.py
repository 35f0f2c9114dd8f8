"""The guideline tables as the decision reads them: one type for each kind of row, and all of them together."""

from collections.abc import Mapping

from msgspec import Struct

from rules.conditions import Condition
from rules.edition import AcrEdition, EditionInfo
from rules.finding import Answer, Finding
from rules.parameters import Parameters
from rules.procedures import Procedure
from rules.recommendation import Row, Urgency


class Criterion(Struct, frozen=True):
    """One row in the order of evaluation: rated by an ACR variant, or outside the low back pain topic."""

    row: Row
    condition: Condition


class GroundRow(Struct, frozen=True):
    """The row that leads when no criterion holds; ``duration`` is acute, longer or unknown."""

    row: Row
    duration: str


class Remark(Struct, frozen=True):
    """A sentence of interpretation that is shown while its condition holds."""

    condition: Condition
    says: str


class UrgencyLevel(Struct, frozen=True):
    """One level of urgency, the FHIR priority it becomes, and the rules that reach it."""

    urgency: Urgency
    priority: str
    conditions: tuple[Condition, ...]


class AcpRow(Struct, frozen=True):
    """One ACP row: immediate, defer or none."""

    row: Row
    action: str
    condition: Condition
    modality: tuple[str, ...]
    needs_candidate: bool
    ground: bool


class NiceRow(Struct, frozen=True):
    """One NICE row and its verdict."""

    row: Row
    verdict: str
    condition: Condition


class Timing(Struct, frozen=True):
    """The time limit that a condition guideline adds to NICE's verdict."""

    condition: Condition
    says: str
    cites: str


class SafetyRow(Struct, frozen=True):
    """One safety row: for which studies, when, and what it says."""

    id: str
    domain: str
    severity: str
    studies: frozenset[Procedure]
    condition: Condition
    says: str
    cites: tuple[str, ...]
    ask: bool
    quiet: bool  # said only beside another row of the same domain


class Preference(Struct, frozen=True):
    """Which study of a variant is offered first, and when."""

    variant: int
    condition: Condition
    procedure: Procedure
    contrast_note: str


class Flip(Struct, frozen=True):
    """One "what if": the finding, and the answer it is set to."""

    finding: str
    to: str
    answer: Answer
    answered: Finding


class Guidelines(Struct, frozen=True, eq=False):
    """All tables in force on one day. Loaded once and compared by identity."""

    acr: AcrEdition
    acp: EditionInfo
    nice: EditionInfo
    criteria: tuple[Criterion, ...]
    ground: Mapping[str, GroundRow]
    remarks: tuple[Remark, ...]
    urgencies: tuple[UrgencyLevel, ...]
    acp_rows: tuple[AcpRow, ...]
    acp_says: Mapping[str, str]
    nice_rows: tuple[NiceRow, ...]
    nice_timings: tuple[Timing, ...]
    safety_rows: tuple[SafetyRow, ...]
    preferences: tuple[Preference, ...]
    other_topics: Mapping[str, Procedure]
    no_mri: Mapping[int, tuple[Procedure, ...]]
    flips: tuple[Flip, ...]
    pairs: tuple[tuple[str, str], ...]
    # Which rows read a finding: "what would change it" re-evaluates only those. Criteria by their place.
    criteria_reading: Mapping[str, tuple[int, ...]]
    urgency_reading: Mapping[str, tuple[tuple[int, Condition], ...]]
    parameters: Parameters
    rates: str = "acr"  # which guideline rates: acr, acp or nice
    version: str = ""  # content hash of the tables
