"""The three guidelines side by side: short, and readable as text where tables are not drawn."""

from cards.kind import Kind, once_for_each_kind
from cards.phrases import capitalised
from rules.recommendation import GuidelineView, Situation, Study


@once_for_each_kind
def guideline_table(kind: Kind) -> tuple[str, ...]:
    """The table, and the sentence after it that says whether they differ (a table never ends a card)."""
    rows = _rows(kind)
    if not rows:
        return ()
    words = kind.wording.detail
    if kind.profile.tables:
        lines = [f"| {words['table-guideline']} | {words['table-says']} |", "|:--|:--|"]
        lines += [f"| {_cell(name)} | {_cell(says)} |" for name, says in rows]
    else:
        lines = [f"- {name}: {says}" for name, says in rows]
    return "\n".join(lines), " ".join([_difference(kind), *_as_read(kind)])


def _as_read(kind: Kind) -> list[str]:
    """A row that holds for what was read says nothing about what was not: that may hold a red flag."""
    if kind.situation is not Situation.SOURCE_NOT_READ:
        return []
    return [kind.wording.detail["as-read"]]


def rated(study: Study, kind: Kind) -> str:
    """A study's rating, category and radiation in words."""
    wording = kind.wording
    return wording.detail["rated"].format(
        score=study.score,
        category=wording.category[study.category.value],
        dose=wording.radiation[str(study.radiation)],
    )


def _rows(kind: Kind) -> list[tuple[str, str]]:
    rows: list[tuple[str, str]] = []
    for view in kind.views:
        rows += _acr_rows(view, kind) if view.guideline == "acr" else [_row(view, kind)]
    return rows


def _row(view: GuidelineView, kind: Kind) -> tuple[str, str]:
    says = capitalised(view.says)
    if view.guideline == "acp" and view.verdict == "image-now":
        says = f"{says}{_first_study(view, kind)}"
    return kind.wording.guideline[view.guideline], says


def _first_study(view: GuidelineView, kind: Kind) -> str:
    """ACP names a first study; said where it is another one than ACR's."""
    if not view.differs or not view.rows:
        return ""
    names = kind.wording.modality
    for row in kind.guidelines.acp_rows:
        if row.row.id == view.rows[0].id and row.modality:
            studies = " / ".join(names.get(modality, modality) for modality in row.modality)
            return kind.wording.detail["first-study"].format(study=studies)
    return ""


def _acr_rows(view: GuidelineView, kind: Kind) -> list[tuple[str, str]]:
    """What was ordered above what would serve better; ACR's own words where it rates neither."""
    name = kind.wording.guideline["acr"]
    if view.verdict == "image-other-study":
        return [(name, _other_topic(view))]
    if view.verdict == "no-criteria":
        return [_row(view, kind)]
    rows: list[tuple[str, str]] = []
    if kind.ordered is not None and kind.situation is Situation.ANSWER_MISSING:
        rows += _by_answer(kind.ordered, kind)
    elif kind.ordered is not None:
        rows.append((f"{name}: {kind.study}", rated(kind.ordered, kind)))
    better = kind.better.study if kind.better is not None else None
    if better is not None and kind.better_study:
        rows.append((f"{name}: {kind.better_study}", f"**{rated(better, kind)}**"))
    if not rows and kind.rating is not None and kind.rating.category is not None:
        # Contrast not stated, but every choice falls into this category.
        rows.append((f"{name}: {kind.study}", capitalised(kind.category)))
    return rows or [_row(view, kind)]


def _by_answer(ordered: Study, kind: Kind) -> list[tuple[str, str]]:
    """The rating for each answer that is still open, so that neither is taken for the rating."""
    words, name = kind.wording.detail, kind.wording.guideline["acr"]
    if kind.asked == "candidate":
        after_care = kind.guidelines.acr.variants[3].studies[ordered.procedure]
        return [
            (f"{name}: {words['if-planned']}", rated(after_care, kind)),
            (f"{name}: {words['if-not-planned']}", rated(ordered, kind)),
        ]
    return [(f"{name}: {words['if-back-pain']}", rated(ordered, kind))]


def _other_topic(view: GuidelineView) -> str:
    """The ratings of the other ACR topic, as cited."""
    cited = next((cite for cite in view.cites if cite.startswith("ACR ")), "")
    return cited.removeprefix("ACR ") or capitalised(view.says)


def _difference(kind: Kind) -> str:
    views = kind.views
    words = kind.wording
    if not any(view.differs for view in views):
        return words.detail["agree"] if len(views) > 1 and _all_speak(views) else words.detail["no-conflict"]
    by_verdict: dict[str, list[str]] = {}
    for view in views:
        by_verdict.setdefault(_verdict(view, kind), []).append(words.guideline[view.guideline])
    verdicts = "; ".join(f"{', '.join(names)}: {verdict}" for verdict, names in by_verdict.items())
    return words.detail["differ"].format(verdicts=verdicts)


def _verdict(view: GuidelineView, kind: Kind) -> str:
    """What it advises; a guideline that images now and still differs asks for another study first."""
    rates = kind.guidelines.rates
    same = any(other.guideline == rates and other.verdict == view.verdict for other in kind.views)
    if view.differs and same and view.verdict == "image-now":
        return kind.wording.verdict["image-now-otherwise"]
    return kind.wording.verdict.get(view.verdict, view.verdict.replace("-", " "))


def _all_speak(views: tuple[GuidelineView, ...]) -> bool:
    return not any(view.verdict in ("no-criteria", "not-worked-out", "depends-on-setting") for view in views)


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
