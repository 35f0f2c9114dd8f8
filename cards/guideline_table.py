"""The three guidelines side by side: short, and readable as text where tables are not drawn."""

from cards.phrases import capitalised
from cards.speaking import Speaking
from rules.recommendation import GuidelineView, Situation, Study


def guideline_table(speaking: Speaking) -> list[str]:
    """The table, and the sentence after it that says whether they differ (a table never ends a card)."""
    rows = _rows(speaking)
    if not rows:
        return []
    words = speaking.wording.detail
    if speaking.call.rendering.profile.tables:
        lines = [f"| {words['table-guideline']} | {words['table-says']} |", "|:--|:--|"]
        lines += [f"| {_cell(name)} | {_cell(says)} |" for name, says in rows]
    else:
        lines = [f"- {name}: {says}" for name, says in rows]
    return ["\n".join(lines), " ".join([_difference(speaking), *_as_read(speaking)])]


def _as_read(speaking: Speaking) -> list[str]:
    """A row that holds for what was read says nothing about what was not: that may hold a red flag."""
    if speaking.advice.situation is not Situation.SOURCE_NOT_READ:
        return []
    return [speaking.wording.detail["as-read"]]


def rated(study: Study, speaking: Speaking) -> str:
    """A study's rating, category and radiation in words."""
    wording = speaking.wording
    return wording.detail["rated"].format(
        score=study.score,
        category=wording.category[study.category.value],
        dose=wording.radiation[str(study.radiation)],
    )


def _rows(speaking: Speaking) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for view in speaking.advice.views:
        rows += _acr_rows(view, speaking) if view.guideline == "acr" else [_row(view, speaking)]
    return rows


def _row(view: GuidelineView, speaking: Speaking) -> tuple[str, str]:
    says = capitalised(view.says)
    if view.guideline == "acp" and view.verdict == "image-now":
        says = f"{says}{_first_study(view, speaking)}"
    return speaking.wording.guideline[view.guideline], says


def _first_study(view: GuidelineView, speaking: Speaking) -> str:
    """ACP names a first study; said where it is another one than ACR's."""
    if not view.differs or not view.rows:
        return ""
    names = speaking.wording.modality
    for row in speaking.call.guidelines.acp_rows:
        if row.row.id == view.rows[0].id and row.modality:
            studies = " / ".join(names.get(modality, modality) for modality in row.modality)
            return speaking.wording.detail["first-study"].format(study=studies)
    return ""


def _acr_rows(view: GuidelineView, speaking: Speaking) -> list[tuple[str, str]]:
    """What was ordered above what would serve better; ACR's own words where it rates neither."""
    advice = speaking.advice
    name = speaking.wording.guideline["acr"]
    if view.verdict == "image-other-study":
        return [(name, _other_topic(view))]
    if view.verdict == "no-criteria":
        return [_row(view, speaking)]
    rows: list[tuple[str, str]] = []
    if advice.ordered is not None and advice.situation is Situation.ANSWER_MISSING:
        rows += _by_answer(advice.ordered, speaking)
    elif advice.ordered is not None:
        rows.append((f"{name}: {speaking.study}", rated(advice.ordered, speaking)))
    better = advice.better.study if advice.better is not None else None
    if better is not None and speaking.better:
        rows.append((f"{name}: {speaking.better}", f"**{rated(better, speaking)}**"))
    if not rows and advice.rating is not None and advice.rating.category is not None:
        # Contrast not stated, but every choice falls into this category.
        rows.append((f"{name}: {speaking.study}", capitalised(speaking.category)))
    return rows or [_row(view, speaking)]


def _by_answer(ordered: Study, speaking: Speaking) -> list[tuple[str, str]]:
    """The rating for each answer that is still open, so that neither is taken for the rating."""
    words, name = speaking.wording.detail, speaking.wording.guideline["acr"]
    asked = speaking.advice.questions[0].finding if speaking.advice.questions else ""
    if asked == "candidate":
        after_care = speaking.call.guidelines.acr.variants[3].studies[ordered.procedure]
        return [
            (f"{name}: {words['if-planned']}", rated(after_care, speaking)),
            (f"{name}: {words['if-not-planned']}", rated(ordered, speaking)),
        ]
    return [(f"{name}: {words['if-back-pain']}", rated(ordered, speaking))]


def _other_topic(view: GuidelineView) -> str:
    """The ratings of the other ACR topic, as cited."""
    cited = next((cite for cite in view.cites if cite.startswith("ACR ")), "")
    return cited.removeprefix("ACR ") or capitalised(view.says)


def _difference(speaking: Speaking) -> str:
    views = speaking.advice.views
    words = speaking.wording
    if not any(view.differs for view in views):
        return words.detail["agree"] if len(views) > 1 and _all_speak(views) else words.detail["no-conflict"]
    by_verdict: dict[str, list[str]] = {}
    for view in views:
        by_verdict.setdefault(_verdict(view, speaking), []).append(words.guideline[view.guideline])
    verdicts = "; ".join(f"{', '.join(names)}: {verdict}" for verdict, names in by_verdict.items())
    return words.detail["differ"].format(verdicts=verdicts)


def _verdict(view: GuidelineView, speaking: Speaking) -> str:
    """What it advises; a guideline that images now and still differs asks for another study first."""
    rates = speaking.call.guidelines.rates
    same = any(other.guideline == rates and other.verdict == view.verdict for other in speaking.advice.views)
    if view.differs and same and view.verdict == "image-now":
        return speaking.wording.verdict["image-now-otherwise"]
    return speaking.wording.verdict.get(view.verdict, view.verdict.replace("-", " "))


def _all_speak(views: tuple[GuidelineView, ...]) -> bool:
    return not any(view.verdict in ("no-criteria", "not-worked-out", "depends-on-setting") for view in views)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
