"""Reads record text through a closed vocabulary: every word is understood, or the text is unread, never guessed at."""

import re
from functools import lru_cache

from msgspec import Struct
from msgspec.structs import replace

from fhir_mappings.answers import read_answer, read_grade
from fhir_mappings.mention_reading import Doubt, Draft, read_clauses
from fhir_mappings.plain_text import LONGEST, simplified
from fhir_mappings.text_items import items_of
from fhir_mappings.text_vocabulary import Term, vocabulary
from fhir_mappings.text_words import words_of
from rules.dates import DayRange

__all__ = ["Mention", "TextReading", "has_red_flag_stem", "read_answer", "read_grade", "read_text"]

_ROOT_SITES = frozenset({"l4", "l5", "s1"})
_SITED_BY_ROOT = frozenset({"lumbar-radiculopathy", "lumbar-nerve-root-disorder", "dermatomal-sensory-loss"})
_SENSORY = frozenset({"sensory-disturbance", "lower-limb-sensory-loss"})
_WEAKNESS = frozenset({"weakness-unspecified", "lower-limb-weakness", "foot-drop", "paraparesis", "muscle-strength"})
# What a person who never had it before does not have today.
_LASTING = frozenset(
    {
        "lumbar-decompression", "lumbar-fusion", "malignant-neoplasm", "osteoporosis", "low-velocity-trauma",
        "major-trauma", "low-back-pain", "back-pain-unspecified", "sciatica",
    }
)  # fmt: skip
_LEG_DEFICITS = frozenset(
    {"lower-limb-weakness", "lower-limb-paralysis", "lower-limb-sensory-loss", "progressive-weakness"}
)
_BOTH_LEGS = re.compile(r"\b(?:legs|feet|lower limbs|lower extremities)\b")
_IN_THE_LEG = {"weakness-unspecified": "lower-limb-weakness", "sensory-disturbance": "lower-limb-sensory-loss"}
_STEM_SCAN = 20_000  # characters; what lies behind cannot be ruled out

# Beginnings of words that can hide a red flag. A text that holds one and cannot be read blocks a deferral.
_RED_FLAG_STEMS = re.compile(
    r"caud|\bces\b|saddle|perine|perian|incont|retent|bladder|bowel|urin|void|micturi|\bpee|\bwee\b|toilet|catheter|"
    r"sphincter|\banal|\banus|rectal|rectum|genital|crotch|\bbum\b|bottom|buttock|wip(?:e|ing)|sexual|erect|impot|"
    r"numb|an(?:a)?esth|sensat|sensory|tingl|weak|paraly|paresi|paresis|plegi|drop|dragg?ing|myelop|cord|conus|"
    r"unable to walk|can'?t walk|can'?t move|giving way|collaps|deficit|"
    r"cancer|\bca\b|carcin|malig|metas|\bmets?\b|tumou?r|neoplas|lymphom|myelom|leuk|sarcom|melanom|chemo|oncolog|"
    r"weight loss|los(?:ing|t|s of) weight|cachex|"
    r"fever|febril|pyrex|rigor|sweat|infect|sepsis|septic|absces|disc?k?itis|osteomy|bacter|endocard|"
    r"ivdu|iv drug|intravenous|inject|heroin|tubercul|\btb\b|\bcrp\b|\besr\b|inflammatory marker|"
    r"\bhiv|transplant|immun|steroid|predniso|neutrop|"
    r"fract|\bfx\b|#|trauma|injur|\bfall|\bfell|crash|accident|\brta\b|\brtc\b|\bmv[ac]\b|collision|osteopor|"
    r"aneur|dissect|\baaa\b|pulsatile|tearing|ripping|red[- ]?flag|progress|worsen|deteriorat|emergency|"
    # as patients and busy colleagues write; nothing that stands in every other problem list
    r"\bb/b\b|\bwet(?:s|ting)\b|soil(?:ed|ing)|dribbl|loss of control|lost control|no control|priapism|"
    r"\bslap|tripp|\btrips|stumbl|buckl|gives? way|gave way|off (?:his|her|their |the |my )?\s?(?:legs|feet)|jelly|"
    r"(?:dead|heavy|clumsy) (?:legs?|foot|feet)|legs? (?:dead|heavy)|wheel ?chair|not walking|gait|ataxi|unstead|"
    r"(?:poor|off|loss of) balance|balance (?:off|poor|problem)|spastic|clonus|reflexi|babinski|upgoing|"
    r"plantars|\bumn\b|upper motor|\bstrength\b|\bpower\b|\bmotor\b|[0-4]\s?[+-]?\s?/\s?5\b|paret|"
    r"\bchill|shiver|\b(?:temp|t)(?:erature)?\s?(?:of\s)?(?:3[89]|4[01]|10[0-5])\b|drug (?:use|addict|abus)|"
    r"\bpred\b|\bpost[- ]?op\b|\bop last|\blami\b|\bstabb|assault|kicked|knocked|thrown|\bhit by|jumped|parachut|"
    r"\bpsa\b|\blump|hypercalc|high calcium|paraprotein|blood culture"
)


class Mention(Struct, frozen=True, gc=False):
    """One thing that a text says.

    ``present`` False: denied, or stated as normal. ``history``: past or resolved, not current. ``family``: of a
    relative, so not of this patient. ``days_ago``: when it began, before the entry's own date. ``since``: a partial
    date ("2015", "2015-03"). ``grade``: MRC. ``course``: worsening, improving, unchanged. ``levels``: roots or discs.
    """

    concept: str
    present: bool = True
    suspected: bool = False
    history: bool = False
    family: bool = False
    side: str = ""
    site: str = ""
    course: str = ""
    acuity: str = ""
    severity: str = ""
    days_ago: DayRange | None = None
    since: str = ""
    grade: int | None = None
    levels: tuple[str, ...] = ()


class TextReading(Struct, frozen=True):
    """A text of which every word was understood. No mention: it says nothing that a rule reads."""

    mentions: tuple[Mention, ...]


def read_text(text: str) -> TextReading | None:
    """What a problem entry, a reason or a finding's name says; ``None``: not understood for certain, so unread."""
    return None if len(text) > LONGEST else _read(text)


def has_red_flag_stem(text: str) -> bool:
    """Could this text, which was not read, speak of a red flag?"""
    return len(text) > _STEM_SCAN or _RED_FLAG_STEMS.search(simplified(text)) is not None


@lru_cache(maxsize=4096)
def _read(text: str) -> TextReading | None:
    words = words_of(text)
    if not words:
        return None
    items = items_of(words, vocabulary())
    if items is None or all(item.kind in ("stop", "join") for item in items):
        return None
    try:
        drafts = read_clauses(items)
        mentions = [mention for draft in drafts for mention in _mentions(draft)]
    except Doubt:
        return None
    if _BOTH_LEGS.search(text.casefold()):
        mentions = [_of_both_legs(mention) for mention in mentions]
    return TextReading(tuple(mentions))


def _of_both_legs(mention: Mention) -> Mention:
    """ "Weakness of the legs", with no side said, is of both."""
    if mention.side or not mention.present or mention.concept not in _LEG_DEFICITS:
        return mention
    return replace(mention, side="bilateral")


def _mentions(draft: Draft) -> list[Mention]:
    if draft.item.kind == "muscle":
        return _finished(draft, "muscle-strength", draft.item.name, True)
    term = draft.item.term
    if term is None:
        raise Doubt
    if draft.negated:
        _check_denial(draft, term)
        return [mention for concept in term.denies for mention in _finished(draft, concept, term.site, False)]
    if term.says_absent:
        if draft.suspected or draft.course:
            raise Doubt
        return [mention for concept in term.denies for mention in _finished(draft, concept, term.site, False)]
    if not term.concepts or (term.vague and not (draft.suspected or draft.levels or draft.limb)):
        raise Doubt  # "trauma", "bowel problem": too vague to be present
    if term.vague and draft.limb and "spinal-infection" in term.concepts:
        raise Doubt  # "suspected infection, left foot"
    return [mention for concept in term.concepts for mention in _finished(draft, concept, term.site, True)]


def _check_denial(draft: Draft, term: Term) -> None:
    """ "No new weakness" does not deny weakness, nor does "no severe pain": only a plain denial is one."""
    if draft.history and not set(term.denies) <= _LASTING:
        raise Doubt  # "no previous weakness" says nothing of today
    qualified = draft.acuity not in ("", "recent") or draft.course or draft.severity or draft.grade is not None
    if qualified or draft.suspected or draft.when is not None or term.says_absent:
        raise Doubt


def _finished(draft: Draft, concept: str, site: str, present: bool) -> list[Mention]:
    side = _side_of(draft.sides)
    concept = _IN_THE_LEG.get(concept, concept) if draft.limb else concept
    levels = tuple(dict.fromkeys(draft.levels))
    if concept in _SENSORY and levels:
        if set(levels) <= {"s2", "s3", "s4", "s5"}:
            concept, site = "saddle-anaesthesia", ""
        elif len(levels) == 1 and levels[0] in _ROOT_SITES:
            concept = "dermatomal-sensory-loss"
    if concept in _SITED_BY_ROOT and len(levels) == 1 and levels[0] in _ROOT_SITES:
        site = levels[0]
    if concept in ("sciatica", "lumbar-radiculopathy") and side == "bilateral":
        concept = "bilateral-sciatica"
    course, resolved = ("", True) if draft.course == "resolved" else (draft.course, False)
    when = draft.when
    dated_lately = when is not None and when.days_ago is not None
    mention = Mention(
        concept=concept,
        present=present,
        suspected=draft.suspected,
        history=resolved or (draft.history and not dated_lately),
        family=draft.family,
        side=side,
        site=site,
        course=course,
        acuity=draft.acuity,
        severity=draft.severity,
        days_ago=when.days_ago if when is not None else None,
        since=when.since if when is not None else "",
        grade=draft.grade,
        levels=levels,
    )
    if present and course == "worsening" and concept in _WEAKNESS and not mention.family:
        return [mention, _progression(mention)]
    return [mention]


def _progression(mention: Mention) -> Mention:
    return Mention(
        "progressive-weakness", suspected=mention.suspected, side=mention.side, site=mention.site,
        days_ago=mention.days_ago, since=mention.since,
    )  # fmt: skip


def _side_of(sides: list[str]) -> str:
    named = set(sides)
    if "bilateral" in named:
        return "bilateral"
    if len(named) > 1:
        raise Doubt  # "left weakness right"
    return next(iter(named), "")
