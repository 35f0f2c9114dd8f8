"""The questions a card puts as buttons: each answer is a code of our own that the next call reads from the order."""

from rules.decide import Assessment
from rules.finding import Findings
from rules.recommendation import AnswerOption, Question, Situation

# Own codes (CodeSystem lumbar-cds) that record the answers; see fhir_mappings/own_codes.toml.
_OPTIONS: dict[str, tuple[AnswerOption, ...]] = {
    "indication": (
        AnswerOption("low-back-indication-yes", "indication", "yes"),
        AnswerOption("low-back-indication-no", "indication", "no"),
    ),
    "candidate": (
        AnswerOption("intervention-candidate-yes", "candidate", "yes"),
        AnswerOption("intervention-candidate-no", "candidate", "no"),
    ),
    "cauda_equina": (
        AnswerOption("new-or-worse-yes", "cauda_equina", "yes"),
        AnswerOption("new-or-worse-no", "cauda_equina", "no"),
    ),
    "prior_imaging": (AnswerOption("changed-since-imaging-yes", "prior_imaging", "no"),),
    "statement": (AnswerOption("red-flags-checked-none", "statement", "no"),),
}


def questions_for(
    asked: tuple[str, ...], situations: tuple[Situation, ...], findings: Findings, assessment: Assessment
) -> tuple[Question, ...]:
    """The open questions, the one that the situation itself raises first."""
    questions = []
    if Situation.POSSIBLE_CAUDA_EQUINA in situations:
        questions.append(Question("cauda_equina", _OPTIONS["cauda_equina"], findings.cauda_equina.because))
    questions += [Question(name, _OPTIONS[name], getattr(findings, name).because) for name in asked]
    if Situation.PRIOR_IMAGING in situations:
        questions.append(Question("prior_imaging", _OPTIONS["prior_imaging"], findings.prior_imaging.because))
    return tuple(questions)
