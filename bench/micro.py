"""One consultation step by step, in process: microseconds of decoding, picture, findings, advice, cards, encoding."""

import gc
import time
from collections.abc import Callable, Iterator
from datetime import UTC, date, datetime
from datetime import time as time_of_day
from statistics import median

import msgspec
import orjson

from bench.generate import SERVICE
from bench.report import Stage
from cards import Advised, CallIds, Rendering, cards_for
from cards.answer_json import answer_as_json
from cds_service.collaborators import Collaborators, build_collaborators
from cds_service.consultation import Consultation, consult
from cds_service.deadline import Deadline
from cds_service.service_catalogue import SERVICE_BY_ID
from cds_service.settings import Settings
from cds_service.trust import Caller
from fhir_mappings.decode import decode_call
from fhir_mappings.draft_orders import context_facts, read_drafts
from fhir_mappings.picture import PatientContext, draw_picture
from rules.advice import _advice_on
from rules.case import judged_procedure
from rules.decide import assess, patient_on
from rules.findings import answer_questions
from rules.recommend import recommend
from rules.sensitivity import what_would_change

Step = tuple[str, Callable[[], object]]
CALLER = Caller("bench")
FEWEST = 5


def measure_stages(bodies: dict[str, bytes], day: date, seconds: float) -> list[Stage]:
    """Median microseconds of each step for each size, garbage collection as in the service's workers."""
    tools = build_collaborators(Settings(), day)
    medians: dict[str, dict[str, float]] = {}
    thresholds = gc.get_threshold()
    gc.collect()
    gc.freeze()
    gc.set_threshold(50_000, 20, 100)
    try:
        for size, body in bodies.items():
            for name, step in _steps(body, day, tools):
                medians.setdefault(name, {})[size] = _median_microseconds(step, seconds)
    finally:
        gc.set_threshold(*thresholds)
        gc.unfreeze()
    return [Stage(name, of_sizes) for name, of_sizes in medians.items()]


def what_is_said(body: bytes, day: date) -> str:
    """The headline of the first card that this body gets."""
    answer = _consult(body, day, build_collaborators(Settings(), day)).answer
    cards = msgspec.json.decode(answer)["cards"]
    return f"{cards[0]['indicator']}: {cards[0]['summary']}" if cards else "no card"


def _consult(body: bytes, day: date, tools: Collaborators) -> Consultation:
    return consult(body, SERVICE_BY_ID[SERVICE], CALLER, _noon(day), tools)


def _noon(day: date) -> datetime:
    return datetime.combine(day, time_of_day(12), tzinfo=UTC)


def _steps(body: bytes, day: date, tools: Collaborators) -> Iterator[Step]:
    codes = tools.terminology
    guidelines = tools.guidelines.on(day)
    call = decode_call(body)
    (draft, *_) = read_drafts(call, codes)
    order = draft.order
    chart = tools.chart_source.gather(call, CALLER, Deadline(60)).chart
    context = PatientContext(call.context.patient_id, call.context.encounter_id)
    picture = draw_picture(chart, context, day, codes, context_facts(call, codes))
    findings = answer_questions(picture, order, guidelines.parameters)
    patient = patient_on(day, picture.age, guidelines)
    judged = judged_procedure(order)
    base = assess(judged, findings, patient, guidelines)
    advised = (Advised(recommend(order, picture, guidelines), draft.raw),)
    ids = CallIds("bench", SERVICE, "order-select", "instance", "digest", call.context.patient_id, day)
    rendering = Rendering(show_appropriate=True, base_url=tools.settings.base_url)
    answer = cards_for(advised, ids, rendering, codes, guidelines)

    yield "orjson.loads, as the floor does", lambda: orjson.loads(body)
    yield "decode the call", lambda: decode_call(body)
    yield "read the draft orders", lambda: read_drafts(call, codes)
    yield "gather the chart", lambda: tools.chart_source.gather(call, CALLER, Deadline(60))
    yield "draw the picture", lambda: draw_picture(chart, context, day, codes, ())
    yield "answer the questions", lambda: answer_questions(picture, order, guidelines.parameters)
    yield "findings and advice", lambda: recommend(order, picture, guidelines)
    yield "the same, a kind of case not met before", lambda: _afresh(lambda: recommend(order, picture, guidelines))
    yield "of that: what would change it", lambda: what_would_change(base, judged, findings, patient, guidelines)
    yield "write the cards", lambda: cards_for(advised, ids, rendering, codes, guidelines)
    yield "encode the answer", lambda: answer_as_json(answer)
    yield "the whole consultation", lambda: _consult(body, day, tools)


def _afresh(step: Callable[[], object]) -> object:
    _advice_on.cache_clear()
    return step()


def _median_microseconds(step: Callable[[], object], seconds: float) -> float:
    clock = time.perf_counter
    took: list[float] = []
    end = clock() + seconds
    while len(took) < FEWEST or clock() < end:
        began = clock()
        step()
        took.append(clock() - began)
    return median(took) * 1e6
