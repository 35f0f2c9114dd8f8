"""The patient's page: the same words for everyone, and for a known link the day to come back."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from cards.page import PatientPage
from leaflets.facts import facts
from leaflets.texts import LANGUAGES, Texts, texts

_IMAGED: Final = "prior-imaging"


def patient_view(page: PatientPage | None, language: str, today: date, *, unavailable: bool = False) -> dict[str, Any]:
    """What the template shows. Without a page it says why the day to come back is not there."""
    words = texts(language)
    imaged = page is not None and page.situation == _IMAGED
    return {
        "words": words,
        "other": texts(next(each for each in LANGUAGES if each != language)),
        "day": words.date.written(page.recheck_on) if page is not None and page.recheck_on is not None else "",
        "passed": page is not None and page.recheck_on is not None and page.recheck_on < today,
        "why_no_day": "" if page is not None else words.next.not_now if unavailable else words.next.not_known,
        "imaged": imaged,
        "sources": facts().sources(_facts_of(words, imaged=imaged)),
        "version": words.date.written(date.fromisoformat(facts().version)),
    }


def _facts_of(words: Texts, *, imaged: bool) -> list[str]:
    """The facts of the sentences that are shown, in their order."""
    left_out = set() if imaged else {id(each) for each in words.why.imaged}
    return [name for each in words.sentences() if id(each) not in left_out for name in each.facts]
