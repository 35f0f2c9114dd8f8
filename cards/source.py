"""Whose guidance a card rests on, and the pages it links to."""

from functools import lru_cache
from hashlib import blake2b

import msgspec
from msgspec.structs import replace

from cards.card import TOPIC_CODE_LIMIT, CardError, Coding, Link, Source
from cards.detail import act_key
from cards.kind import Kind, once_for_each_kind
from cards.page import Audience, page_handle, page_url
from cards.phrases import red_flags
from cards.speaking import AT_ONCE, Speaking
from cards.wording import LinkWords
from rules.recommendation import Recommendation, Situation

_encode = msgspec.msgpack.Encoder(order="deterministic").encode

_BY_GUIDELINE = {
    "acr": "acr",
    "acp": "acp",
    "nice": "nice",
    "acr-acute-spinal-trauma": "acr-trauma",
    "acr-pulsatile-abdominal-mass": "nice-ng156",
}
_SAFETY, _DEFERRED = Situation.SAFETY, Situation.DEFERRED  # members of an enumeration are slow to reach
_WAITING = frozenset({Situation.NOT_APPROPRIATE, Situation.PRIOR_IMAGING})
_ARGUED = _WAITING | {Situation.WRONG_TEST, Situation.ANSWER_MISSING, Situation.SAFETY}
_WITHOUT_LINKS = frozenset({Situation.APPROPRIATE, Situation.DEFERRED, Situation.NOT_RATED})


def source_of(speaking: Speaking) -> Source:
    """The primary guidance behind the card, and a topic that stays the same for this kind of advice."""
    advice, kind = speaking.advice, speaking.kind
    source = _source(kind)
    if kind.situation is _SAFETY:
        cited = next((note.cites[0] for note in advice.safety if not note.ask and note.cites), "")
        if cited:
            source = Source(cited, topic=source.topic)
    if kind.profile.topic == "advice":
        return replace(source, topic=topic_of_advice(advice, kind.terminology.own.url))
    return source


@once_for_each_kind
def _source(kind: Kind) -> Source:
    page = kind.wording.link[_guideline(kind)]
    return Source(page.label, page.url, topic_of(kind.situation, kind.terminology.own.url))


@lru_cache(maxsize=64)
def topic_of(situation: Situation, own_system: str) -> Coding:
    """Some clients remember an override under the topic: alphanumeric, short, static per kind of advice."""
    code = "lumbarimaging" + situation.value.replace("-", "")
    if not code.isalnum() or len(code) > TOPIC_CODE_LIMIT:
        raise CardError(f"topic {code}: alphanumeric, at most {TOPIC_CODE_LIMIT} characters")
    display = "Lumbar imaging: " + situation.value.replace("-", " ")
    return Coding(code, own_system, display)


def topic_of_advice(advice: Recommendation, own_system: str) -> Coding:
    """A topic that is the same for the same advice on the same red flags, and another one otherwise.

    Where a "no" silences everything under its topic, a red flag that comes to light later must not be under it.
    """
    kind = topic_of(advice.situation, own_system)
    better = advice.better
    said = (
        advice.leading.id if advice.leading is not None else "",
        advice.order.procedure,
        None if better is None else (better.procedure, better.priority),
        [
            (flag.name, flag.level, [(each.reference, each.says, each.dated) for each in flag.because])
            for flag in red_flags(advice.findings)
        ],
        sorted(note.row for note in advice.safety if not note.ask),
        [question.finding for question in advice.questions],
    )
    code = kind.code + blake2b(_encode(said), digest_size=12).hexdigest()
    if len(code) > TOPIC_CODE_LIMIT:
        raise CardError(f"topic {code}: at most {TOPIC_CODE_LIMIT} characters")
    return Coding(code, f"{own_system}/advice", kind.display)


def links_of(speaking: Speaking) -> tuple[Link, ...]:
    """What to do in an emergency first, then the guideline that rates, then our own pages about this advice."""
    if speaking.settled_by_keeping:
        return ()
    return (*_public_links(speaking.kind), *_page_links(speaking))


@once_for_each_kind
def _public_links(kind: Kind) -> tuple[Link, ...]:
    situation, wording = kind.situation, kind.wording
    if situation in _WITHOUT_LINKS:
        return ()
    keys = [_guideline(kind)]
    if situation in AT_ONCE:
        keys.insert(0, wording.act[act_key(kind)].link)
    if situation is Situation.POSSIBLE_CAUDA_EQUINA:
        keys = [wording.act["cauda_equina"].link]
    return tuple(_link(wording.link[key]) for key in dict.fromkeys(keys))


def _page_links(speaking: Speaking) -> tuple[Link, ...]:
    """Our own pages, by handles that say nothing. The patient's only where waiting is advised."""
    rendering, advice = speaking.call.rendering, speaking.advice
    if not rendering.base_url:
        return ()
    audiences: list[Audience] = []
    if advice.situation is _DEFERRED or (advice.may_defer and advice.situation in _WAITING):
        audiences.append("patient")
    if rendering.own_pages and advice.situation in _ARGUED:
        audiences.append("clinician")
    return tuple([_page_link(audience, speaking) for audience in audiences]) if audiences else ()


def _page_link(audience: Audience, speaking: Speaking) -> Link:
    rendering, order = speaking.call.rendering, speaking.advice.order.reference
    handle = page_handle(speaking.call.ids, audience, order) if rendering.own_pages else ""
    return Link(speaking.wording.page_link[audience], page_url(rendering.base_url, audience, handle), "absolute")


def _guideline(kind: Kind) -> str:
    if kind.leading is not None and kind.leading.guideline != "acr":
        return _BY_GUIDELINE.get(kind.leading.guideline, "acr")
    if kind.situation is Situation.PRIOR_IMAGING:
        return "acp"
    rates = kind.rating.guideline if kind.rating is not None else kind.guidelines.rates
    return _BY_GUIDELINE.get(rates, "acr")


def _link(page: LinkWords) -> Link:
    return Link(page.label, page.url, "absolute")
