"""A clinical question, answered, with its evidence. Silence is not "no": see ``presumed``."""

from datetime import date

from msgspec import Struct

from rules.closed import Closed
from rules.dates import DateInterval, DayRange
from rules.evidence import Evidence


class Answer(Closed):
    """``NO`` with ``presumed`` set means that the record is silent and silence is read as absent."""

    YES = "yes"
    NO = "no"
    UNKNOWN = "unknown"


class Finding(Struct, frozen=True, gc=False):
    """One question answered. ``level`` and ``marks`` use the closed lists in ``rules/questions.toml``.

    ``because``: the entries that count. ``against``: entries that say the opposite and are shown beside them.
    ``considered``: entries that were named but not counted (an old stable deficit, a fever before the look-back).
    """

    name: str
    answer: Answer
    level: str = ""
    marks: frozenset[str] = frozenset()
    because: tuple[Evidence, ...] = ()
    against: tuple[Evidence, ...] = ()
    considered: tuple[Evidence, ...] = ()
    presumed: bool = False
    since: DateInterval | None = None
    notes: tuple[str, ...] = ()  # keys of interpretation sentences in wording (closed list, see questions.toml)

    @property
    def yes(self) -> bool:
        """Is the answer yes?"""
        return self.answer is Answer.YES


class Episode(Struct, frozen=True, gc=False):
    """The current episode of pain: how many days, and what says so. ``days is None``: not known."""

    days: DayRange | None = None
    began: DateInterval | None = None
    because: tuple[Evidence, ...] = ()
    earlier_episodes: tuple[Evidence, ...] = ()


class EgfrReading(Struct, frozen=True, gc=False):
    """The latest eGFR in mL/min/1.73 m2, and whether it is older than the parameter allows."""

    value: float
    comparator: str
    measured: date | None
    old: bool
    evidence: Evidence


class Safety(Struct, frozen=True, gc=False):
    """What the record says that changes how to image. Never a clearance."""

    pregnancy: Finding  # level: "" or "possible"
    could_be_pregnant: bool  # age and sex alone: a reason to ask only
    mr_device: Finding  # marks: rows of safety.toml, e.g. "mr_cardiac_device_unlabelled"
    passive_metal: Finding  # spinal hardware and other passive metal: artefact, not a hazard
    kidney: Finding  # marks: egfr-below-30, dialysis, acute-kidney-injury, ckd-4-5, egfr-old
    egfr: EgfrReading | None
    contrast_reaction: Finding  # marks: gadolinium, iodinated, unspecified
    claustrophobia: Finding
    metformin: Finding


class Findings(Struct, frozen=True):
    """Every question of the decision, answered for one order."""

    indication: Finding
    episode: Episode
    radiculopathy: Finding
    weakness: Finding  # level: none, mild, severe, worsening; marks: multilevel, recovering, new, foot-drop, bilateral
    cauda_equina: Finding  # level: "", suspected, possible; marks: features
    infection: Finding
    immunosuppression: Finding
    cancer: Finding
    fracture_risk: Finding
    major_trauma: Finding
    prior_surgery: Finding
    conservative_care: Finding  # level: none, possible, adequate
    candidate: Finding  # level: planned, potential, possible, stated
    trend: Finding  # level: improving, unchanged, worse, ""
    prior_imaging: Finding  # YES: done in this episode and nothing new since
    mimic: Finding
    axial_spondyloarthritis: Finding
    aortic: Finding
    setting: Finding  # level: specialist, non-specialist, ""
    safety: Safety
    checked_none_on: date | None = None  # the clinician stated "red flags and strength checked, none" on this day
    deferred: bool = False  # the order carries the clinician's deferral
