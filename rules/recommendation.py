"""What we advise on one draft order, and why. Free of vendors, of FHIR and of wording."""

from datetime import date

from msgspec import Struct

from rules.closed import Closed
from rules.draft_order import DraftOrder
from rules.evidence import Evidence
from rules.facts import SourceGap
from rules.finding import Findings
from rules.procedures import Procedure


class Category(Closed):
    """ACR appropriateness categories."""

    USUALLY = "usually-appropriate"
    MAY_BE = "may-be-appropriate"
    MAY_BE_DISAGREEMENT = "may-be-appropriate-disagreement"
    USUALLY_NOT = "usually-not-appropriate"


class PamaRating(Closed):
    """The three Argonaut PAMA codes."""

    APPROPRIATE = "appropriate"
    NOT_APPROPRIATE = "not-appropriate"
    NO_CRITERIA_APPLY = "no-criteria-apply"


class Urgency(Closed):
    """How soon, in falling order; ``priority`` of the FHIR order follows from ``editions/urgency.toml``."""

    EMERGENCY = "emergency"
    IMMEDIATE = "immediate"
    WITHIN_24_HOURS = "within-24-hours"
    DAYS = "days"
    URGENT_REVIEW = "urgent-review"
    ROUTINE = "routine"


class Situation(Closed):
    """The kind of card, in the order in which cards are shown (first shown first)."""

    EMERGENCY = "emergency"
    IMMEDIATE = "immediate"
    POSSIBLE_CAUDA_EQUINA = "possible-cauda-equina"  # a warning that blocks deferral and asks "new or worse?"
    SAFETY = "safety"
    SOURCE_NOT_READ = "source-not-read"
    WRONG_TEST = "wrong-test"  # another study, or a higher priority, for a right reason
    ANSWER_MISSING = "answer-missing"
    PRIOR_IMAGING = "prior-imaging"
    NOT_APPROPRIATE = "not-appropriate"
    DEFERRED = "deferred"  # the order carries the clinician's deferral: do not sign
    NOT_RATED = "not-rated"  # not recognised, outside the eleven procedures, outside every criterion
    APPROPRIATE = "appropriate"
    NOT_OURS = "not-ours"  # silence: a bone scan or PET for another reason than back pain


class Rating(Struct, frozen=True):
    """The appropriateness of one study in the leading row. ``category`` etc. are None under no-criteria-apply."""

    pama: PamaRating
    procedure: Procedure | None
    category: Category | None = None
    score: int | None = None  # ACR 1-9
    row: str = ""  # row id in the guideline data, e.g. "acr-lbp-2021-v4"
    guideline: str = "acr"


class Study(Struct, frozen=True):
    """One study as the leading row rates it."""

    procedure: Procedure
    category: Category
    score: int
    radiation: int  # ACR relative radiation level, adult, 0-5
    cites: tuple[str, ...] = ()


class Row(Struct, frozen=True):
    """A row of a guideline that the findings fit. ``label`` is in our own words, from the data.

    ``interpretation`` is a whole sentence (ours), empty when the row fits as printed.
    """

    id: str
    guideline: str  # acr, acp, nice, acr-acute-spinal-trauma, acr-pulsatile-abdominal-mass, acr-spine-infection, ...
    label: str
    cites: tuple[str, ...]
    variant: int | None = None
    interpretation: str = ""


class GuidelineView(Struct, frozen=True):
    """What one guideline says of this patient. ``verdict`` is a closed list (editions/*.toml): image-now,
    image-other-study, defer, no-imaging, image-if-changes-management, not-in-this-setting, depends-on-setting,
    serious-pathology, no-criteria, not-worked-out."""

    guideline: str  # acr, acp, nice
    verdict: str
    rows: tuple[Row, ...]
    says: str  # one short sentence in our own words, from the data
    differs: bool  # from the guideline that rates
    cites: tuple[str, ...] = ()


class Change(Struct, frozen=True):
    """One answer that would change the advice."""

    findings: tuple[str, ...]  # one, or two read together by a row
    to: tuple[str, ...]  # the level or answer each is flipped to
    urgency: Urgency
    pama: PamaRating | None
    category: Category | None
    raises: bool  # makes it more urgent or more appropriate


class AnswerOption(Struct, frozen=True):
    """A button: the own code that records this answer on the order."""

    code: str
    finding: str
    answer: str  # yes / no


class Question(Struct, frozen=True):
    """Asked when, and only when, the answer would change the advice."""

    finding: str
    options: tuple[AnswerOption, ...]
    evidence: tuple[Evidence, ...] = ()


class BetterTest(Struct, frozen=True):
    """The change that is offered. ``procedure is None``: keep the study, raise the priority."""

    procedure: Procedure | None
    priority: str  # "" = leave as it is
    study: Study | None
    why: str  # key: rated-low, raise-priority, safety, other-topic, contrast-not-stated
    contrast_note: str = ""  # key of wording about contrast, e.g. "infection-prefers-contrast"


class SafetyNote(Struct, frozen=True):
    """A row of safety.toml that applies to the ordered or the suggested study."""

    row: str
    domain: str
    severity: str  # info, warning, high, contraindicated
    applies_to: Procedure
    says: str  # our own words, from the data
    evidence: tuple[Evidence, ...]
    cites: tuple[str, ...]
    ask: bool = False  # nothing on record: ask only


class RecheckPlan(Struct, frozen=True):
    """Deferral is a plan: when to look again, and from when the six-weeks-of-care part could be met."""

    on: date
    days: int
    basis: str  # improving, unchanged, unknown, worse, mild-weakness
    care_complete_on: date | None
    care_started: bool


class Recommendation(Struct, frozen=True):
    """The advice on one order. Everything a card, an annotation and an audit record need, and nothing worded."""

    order: DraftOrder
    situation: Situation
    urgency: Urgency
    urgency_priority: str  # FHIR request priority for this urgency
    rating: Rating | None  # None: no rating can be given
    leading: Row | None
    matched: tuple[Row, ...]  # every row that matches, the leading one first
    findings: Findings
    views: tuple[GuidelineView, ...] = ()
    ordered: Study | None = None
    better: BetterTest | None = None
    alternatives: tuple[Study, ...] = ()  # best first; contrast choices when contrast is not stated
    safety: tuple[SafetyNote, ...] = ()
    questions: tuple[Question, ...] = ()
    would_change: tuple[Change, ...] = ()
    robust: bool = False
    presumed: tuple[str, ...] = ()  # names of findings answered by silence
    may_defer: bool = False  # a defer or cancel may be suggested
    recheck: RecheckPlan | None = None
    gaps: tuple[SourceGap, ...] = ()
    interpretations: tuple[str, ...] = ()  # whole sentences, from the guideline data
    not_rated_because: str = ""  # key: not-recognised, not-among-eleven, child, other-indication, contrast-matters,
    # other-topic, answer-missing, source-not-read, setting-not-known
    age_not_known: bool = False  # treated as an adult
    parallel: Study | None = None  # to order beside an MRI that a device may hold up (variant 4)
    unread: tuple[str, ...] = ()  # record text to be quoted as not read
    duplicates: tuple[str, ...] = ()  # other lumbar studies drafted in this session (order names)
    secondary: tuple[Situation, ...] = ()  # further situations folded into the same card, in order
