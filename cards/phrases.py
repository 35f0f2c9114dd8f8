"""Facts in words: studies, ratings, durations, findings and the entries behind them."""

from collections.abc import Callable, Iterable, Sequence
from datetime import date
from operator import attrgetter
from typing import TypeGuard

from cards.escape import date_as_recorded, escaped, quoted
from cards.wording import MODALITIES_ALONE, FindingWords, Wording
from rules.dates import DayRange
from rules.draft_order import DraftOrder, Recognition
from rules.evidence import Evidence
from rules.finding import Answer, Finding, Findings
from rules.procedures import MRI
from rules.recommendation import Rating, Study

ENTRIES_SHOWN = 2  # of one finding; the rest are counted
# Order of evaluation: the first that is answered yes is named as the cause (rules/editions/criteria.toml).
RED_FLAGS = (
    "cauda_equina",
    "aortic",
    "weakness",
    "major_trauma",
    "infection",
    "cancer",
    "immunosuppression",
    "fracture_risk",
    "prior_surgery",
)
red_flags_of: Callable[[Findings], tuple[Finding, ...]] = attrgetter(*RED_FLAGS)
NOT_A_CAUSE_ALONE = frozenset({"weakness:mild"})
_YES = Answer.YES  # a member of an enumeration is slow to reach


def study_short(order: DraftOrder, wording: Wording) -> str:
    """The ordered study in a few words, ours; an unplaced order is never named by its own text here."""
    if order.procedure is not None:
        return wording.study[order.procedure.value].short
    if order.recognition is Recognition.CONTRAST_NOT_STATED and order.candidates:
        mri, ct = MODALITIES_ALONE
        return mri if order.candidates[0] in MRI else ct
    return "this imaging order"


def study_name(order: DraftOrder, wording: Wording) -> str:
    """The ordered study in full, for actions and notes."""
    if order.procedure is not None:
        return wording.study[order.procedure.value].name
    short = study_short(order, wording)
    return f"lumbar spine {short}" if short in MODALITIES_ALONE else short


def category_words(rating: Rating | None, study: Study | None, wording: Wording) -> str:
    """The category of the guideline that rates; the ACR category of the study where nothing is rated."""
    if rating is not None and rating.guideline in ("acp", "nice"):
        return f"{wording.pama[rating.pama.value]} by {wording.guideline[rating.guideline]}"
    if study is not None:
        return wording.category[study.category.value]
    if rating is None:
        return wording.pama["none"]
    if rating.category is not None:
        return wording.category[rating.category.value]
    return wording.pama[rating.pama.value]


def is_category(category: str) -> str:
    """A category as what a study is said to be: "is usually appropriate", but "may be appropriate"."""
    return category if category.startswith("may ") else f"is {category}"


def finding_words(finding: Finding, wording: Wording) -> FindingWords:
    """The words of a finding at its level."""
    return words_of(finding.name, level_of(finding), wording)


def words_of(name: str, level: str, wording: Wording) -> FindingWords:
    """The words of a finding at a level; a finding without words of its own is named as it is called."""
    found = wording.level.get(f"{name}:{level}") if level else None
    found = found or wording.finding.get(name)
    if found is not None:
        return found
    plain = name.replace("_", " ")
    return FindingWords(is_=plain.capitalize(), if_=plain, cause=plain, absent=plain)


def key_of(finding: Finding) -> str:
    """ "weakness:severe": the finding with the level by which it is worded."""
    level = level_of(finding)
    return f"{finding.name}:{level}" if level else finding.name


def red_flags(findings: Findings) -> list[Finding]:
    """Every red flag that is answered yes, in the order of evaluation."""
    yes = _YES
    return [finding for finding in red_flags_of(findings) if finding.answer is yes]


def cause_of(flags: Sequence[Finding], findings: Findings) -> Finding | None:
    """The finding that a summary names as the reason; ``flags``: the red flags that are answered yes."""
    for finding in flags:
        if key_of(finding) not in NOT_A_CAUSE_ALONE:
            return finding
    return findings.candidate if findings.candidate.answer is _YES else None


def level_of(finding: Finding) -> str:
    """The level by which a finding is worded."""
    if finding.name == "weakness" and "multilevel" in finding.marks and finding.level != "worsening":
        return "multilevel"
    return finding.level


def entry(evidence: Evidence, wording: Wording) -> str:
    """One entry of the record: what it says, its date as recorded, and how it is said."""
    says, dated, marks = quoted(evidence.says), evidence.dated, evidence.marks
    known = date_as_recorded(dated) if dated else ""
    if marks:
        notes = [known, *[wording.mark.get(mark) or escaped(mark) for mark in marks]]
        known = ", ".join(filter(None, notes))
    return f"{says} ({known})" if known else says


def entries(evidence: Sequence[Evidence], wording: Wording, shown: int = ENTRIES_SHOWN) -> str:
    """The entries behind a finding, the first few in full and the rest counted."""
    if len(evidence) == 1:
        return entry(evidence[0], wording)
    told = _once(evidence)
    if len(told) == 1:
        return entry(told[0], wording)
    words = [entry(each, wording) for each in told[:shown]]
    if len(told) > shown:
        words.append(wording.detail["more"].format(count=len(told) - shown))
    return "; ".join(words)


def _once(evidence: Sequence[Evidence]) -> Sequence[Evidence]:
    """Without entries that say, undated, what another says: the order's reason is often the problem once more."""
    said = [each.says for each in evidence if each.dated]
    if len(said) == len(evidence):
        return evidence
    told = []
    for each in evidence:
        if each.dated or each.says not in said:
            told.append(each)
            said.append(each.says)
    return told


def is_known(days: DayRange | None) -> TypeGuard[DayRange]:
    """Is anything known of how long? "At least 0 days" says nothing."""
    return days is not None and (days.shortest > 0 or days.longest is not None)


def duration(days: DayRange, wording: Wording) -> str:
    """How long, in the unit that a clinician would use; an interval stays one."""
    low = _length(days.shortest, wording)
    if days.longest == days.shortest:
        return low
    if days.longest is None:
        return wording.duration["at-least"].format(low=low)
    high = _length(days.longest, wording)
    if low == high:
        return low
    if low.split(" ", 1)[-1].rstrip("s") == high.split(" ", 1)[-1].rstrip("s"):
        low = low.split(" ", 1)[0]
    return wording.duration["range"].format(low=low, high=high)


def _length(days: int, wording: Wording) -> str:
    if days < 14:
        return wording.duration["day"] if days == 1 else wording.duration["days"].format(n=days)
    if days < 84:
        weeks = days // 7
        return wording.duration["week"] if weeks == 1 else wording.duration["weeks"].format(n=weeks)
    if days < 730:
        return wording.duration["months"].format(n=round(days / 30.44))
    return wording.duration["years"].format(n=int(days / 365.25))


def listed(words: Iterable[str]) -> str:
    """a, b and c."""
    parts = list(words)
    if len(parts) < 2:
        return "".join(parts)
    return f"{', '.join(parts[:-1])} and {parts[-1]}"


def capitalised(text: str) -> str:
    """With a capital first letter."""
    return text[:1].upper() + text[1:]


def iso(day: date) -> str:
    """A day of ours, written as records write theirs."""
    return day.isoformat()
