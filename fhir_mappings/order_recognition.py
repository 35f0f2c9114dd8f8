"""Which lumbar study a draft orders: by any coding, else by its text; never a guess between two procedures."""

from collections.abc import Iterable, Sequence

from msgspec import Struct

from fhir_mappings.order_studies import NOT_OURS, UNCERTAIN, OrderStudies, Study, order_studies, study_of_words
from fhir_mappings.order_text import read_order_words
from fhir_mappings.terminology import Terminology
from rules.draft_order import Recognition
from rules.procedures import MRI, Procedure

_CT = frozenset({Procedure.CT_WITHOUT, Procedure.CT_WITH, Procedure.CT_WITHOUT_AND_WITH})
_LUMBAR_SITES = frozenset({"body-site-lumbar-spine", "body-site-disc-level"})
_OTHER_SITES = frozenset({"body-site-cervical-spine"})


class RecognisedOrder(Struct, frozen=True):
    """What was ordered, as far as it is certain.

    ``procedure`` is set for CODED and READ_FROM_TEXT; ``candidates`` (in the order of ``Procedure``) for
    CONTRAST_NOT_STATED. ``name`` is our own name for a recognised study, else the order's own text (record text).
    ``concept`` is the order concept it amounts to ("mri-lumbar-unspecified-contrast" where contrast is not stated).
    """

    recognition: Recognition
    procedure: Procedure | None = None
    candidates: tuple[Procedure, ...] = ()
    name: str = ""
    level_not_stated: bool = False
    concept: str = ""


def recognise(
    codings: Sequence[tuple[str, str, str]],
    text: str,
    body_site_concepts: Sequence[str],
    low_back_reason: bool | None,
    terminology: Terminology,
) -> RecognisedOrder:
    """What an order with these codings (system, code, display) and this text is.

    ``low_back_reason``: is low back pain or sciatica its reason? ``None``: it states no reason that we can read. Only
    a stated one makes a bone scan, a PET/CT or a spine study without a level ours.
    """
    table = order_studies()
    coded, unread_displays = _coded_study(codings, terminology, table)
    own_text = text or next((display for _, _, display in codings if display), "")
    if coded is None:
        study, from_text = _study_of_texts([text, *unread_displays]), True
        study = NOT_OURS if study is None else study
        study = _with_body_site(study, body_site_concepts)
    else:
        study, from_text = _with_body_site(coded, body_site_concepts), False
        if study.ours and (study.level_not_stated or len(study.candidates) > 1):
            study, from_text = _narrowed(study, _study_of_texts([text, *unread_displays]))
    return _recognised(study, from_text, own_text, low_back_reason, table)


def _coded_study(
    codings: Iterable[tuple[str, str, str]], terminology: Terminology, table: OrderStudies
) -> tuple[Study | None, list[str]]:
    """What the codings say together, and the displays of the codings that we do not know."""
    studies: list[Study] = []
    concepts: set[str] = set()
    unread: list[str] = []
    for system, code, display in codings:
        found = [m.concept for m in terminology.meanings(system, code) if m.concept in table.by_concept]
        if not found:
            unread.append(display)
            continue
        concepts.update(found)
        single = table.by_code.get((terminology.system_uri(system), code.strip()))
        studies += [single] if single is not None else [table.by_concept[concept] for concept in found]
    for first, second, study in table.together:
        if concepts & first and concepts & (second - (concepts & first)):
            return study, unread
    return (_combined(studies) if studies else None), unread


def _combined(studies: Sequence[Study]) -> Study:
    """Codings of one order mean one study: what all of them allow, or nothing certain."""
    ours = [study for study in studies if study.ours]
    if not ours:
        return NOT_OURS
    if len(ours) < len(studies):
        return NOT_OURS if all(study.level_not_stated for study in ours) else UNCERTAIN
    if len({study.not_rated for study in ours}) > 1 or any(study.uncertain for study in ours):
        return UNCERTAIN
    candidates = frozenset.intersection(*(study.candidates for study in ours))
    not_rated = ours[0].not_rated
    if not candidates and not not_rated:
        return UNCERTAIN
    return Study(
        ours=True,
        candidates=candidates,
        level_not_stated=all(study.level_not_stated for study in ours),
        not_rated=not_rated,
        only_for_back_pain=any(study.only_for_back_pain for study in ours),
    )


def _with_body_site(study: Study, sites: Sequence[str]) -> Study:
    if not study.ours or study.only_for_back_pain or not sites:
        return study
    lumbar = not _LUMBAR_SITES.isdisjoint(sites)
    elsewhere = not _OTHER_SITES.isdisjoint(sites)
    if study.level_not_stated:
        if lumbar:
            return Study(True, study.candidates, False, study.not_rated)
        return NOT_OURS if elsewhere else study
    return UNCERTAIN if elsewhere and not lumbar else study


def _study_of_texts(texts: Iterable[str]) -> Study | None:
    read = [study for text in texts if text and (study := study_of_words(read_order_words(text))) is not None]
    certain = [study for study in read if not study.uncertain]
    if certain and any(study.ours for study in certain):
        return _combined(certain)
    if any(study.uncertain for study in read):
        return UNCERTAIN
    return NOT_OURS if read else None


def _narrowed(coded: Study, said: Study | None) -> tuple[Study, bool]:
    """A coding that leaves the level or the contrast open, read together with the order's text."""
    if said is None or said.uncertain:
        return coded, False
    if not said.ours:
        return (NOT_OURS if coded.level_not_stated else UNCERTAIN), True
    both = _combined([coded, said])
    return both, both != coded


def _recognised(
    study: Study, from_text: bool, own_text: str, low_back_reason: bool | None, table: OrderStudies
) -> RecognisedOrder:
    needs_reason = study.only_for_back_pain or study.level_not_stated
    if not study.ours or (needs_reason and low_back_reason is not True):
        return RecognisedOrder(Recognition.NOT_OURS, name=own_text)
    if study.level_not_stated or study.uncertain:
        return RecognisedOrder(Recognition.NOT_RECOGNISED, name=own_text, level_not_stated=study.level_not_stated)
    if study.not_rated:
        return RecognisedOrder(Recognition.NOT_AMONG_ELEVEN, name=own_text)
    if len(study.candidates) == 1:
        (procedure,) = study.candidates
        names = table.procedures[procedure]
        how = Recognition.READ_FROM_TEXT if from_text else Recognition.CODED
        return RecognisedOrder(how, procedure, (), names.name, concept=names.concept)
    candidates = tuple(procedure for procedure in Procedure if procedure in study.candidates)
    return RecognisedOrder(
        Recognition.CONTRAST_NOT_STATED,
        candidates=candidates,
        name="MRI lumbar spine" if study.candidates <= MRI else "CT lumbar spine",
        concept="mri-lumbar-unspecified-contrast" if study.candidates <= MRI else "ct-lumbar-unspecified-contrast",
    )
