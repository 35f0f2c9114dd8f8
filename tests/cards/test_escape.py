"""Record text is data: rendered as Markdown with raw HTML on, it becomes nothing but text."""

import html
import re

import pytest
from markdown_it import MarkdownIt
from msgspec.structs import replace

from cards.escape import QUOTE_LIMIT, date_as_recorded, escaped, quoted
from rules.draft_order import Recognition
from rules.evidence import Evidence
from rules.finding import Answer as Reply
from rules.finding import Finding
from rules.procedures import Procedure
from rules.recommendation import SafetyNote
from tests.cards.builders import a_picture, advise, an_order, answers, cards, safety, yes

# Raw HTML on, as the public sandbox renders it.
MARKDOWN = MarkdownIt("commonmark", {"html": True}).enable(["table", "strikethrough"])
OUR_ELEMENTS = {"p", "strong", "ul", "li", "table", "thead", "tbody", "tr", "th", "td"}
# What renderers link without being asked: GitHub's extended autolinks, remark's, and linkify's bare domains.
AUTOLINKS = re.compile(
    r"(?:https?|ftp|mailto|xmpp):\S|www\.\S|\S@\S|//\S|(?<=\S)\.(?:com|org|net|io|co|uk|de)\b", re.IGNORECASE
)
HOSTILE = [
    "<img src=x onerror=alert(1)>",
    "<script>alert(1)</script>",
    "<!-- hidden --><style>*{display:none}</style>",
    "<a href='//evil.com'>x</a>",
    "</td></tr></table><h1>x</h1>",
    "[click](javascript:alert(1))",
    "![x](https://evil.com/x.png)",
    "[x][1]\n\n[1]: https://evil.com",
    "[^1]\n\n[^1]: note",
    "<https://evil.com>",
    "https://evil.com/a?b=c",
    "HTTPS://EVIL.COM",
    "see www.evil.com or evil.com",
    "//evil.com and ftp://evil.com",
    "mail me a@evil.com mailto:a@evil.com xmpp:a@evil.com",
    "a | b |\n|---|---|\n| c | d",
    "# heading\n## heading",
    "heading\n===",
    "- item\n* item\n+ item\n1. item",
    "> quote",
    "    code block",
    "`code` and ```\nfence\n```",
    "**bold** __bold__ *em* _em_ ~~gone~~",
    "---\n***\n___",
    "line\\\nbreak  \nbreak",
    "&lt;b&gt; &#60;b&#62; &colon; &amp;",
    "back\\slash \\* \\",
    "{{7*7}} ${7*7} <%= 7 %> #{7} {% x %}",
    "\u202ereversed\u202c \u2066x\u2069 \u200bzero\u200d width\ufeff",
    "\x00\x07\x1b[31mred\x7f\x9b31m",
    "one\r\ntwo\u2028three\u2029four\x0bfive\x85six",
    "www\u200b.evil.com h\u00adttps://evil.com",
    "” (2026-01-01) **Act now",
]
CLINICAL = [
    "Straight leg raise < 30°, right > left",
    "MRC 4/5 at L4.5, 8/10 pain b.i.d.",
    "Temp. 39.2 °C & rigors",
    "Schwäche im linken Bein",
    "腰痛",
]


def elements(text: str) -> set[str]:
    return set(re.findall(r"<\s*/?\s*([A-Za-z!][\w-]*)", MARKDOWN.render(text)))


def visible(text: str) -> str:
    """What a reader sees of a rendered paragraph."""
    return html.unescape(re.sub(r"<[^>]*>", "", MARKDOWN.render(text))).strip()


def poisoned(text: str):
    """An answer in which every text of the record says this."""
    evidence = Evidence("Condition/x", text, text, ("suspected", text))
    found = yes("infection", evidence, marks=("fever",))
    found = replace(found, against=(evidence,), considered=(evidence, evidence))
    mimic = yes("mimic", evidence)
    metal = yes("mr_device", evidence, marks=("mr_neurostimulator",))
    picture = a_picture(unread_current_problems=(evidence,))
    order = an_order(Procedure.RADIOGRAPHY, unread_reasons=(text,), name=text)
    other = an_order(reference="ServiceRequest/2", name=text)
    findings = answers(infection=found, mimic=mimic, safety=safety(mr_device=metal))
    prior = answers(
        prior_imaging=Finding("prior_imaging", Reply.YES, because=(evidence,)),
        trend=yes("trend", evidence, level="worse"),
    )
    unplaced = an_order(None, recognition=Recognition.NOT_RECOGNISED, name=text, unread_reasons=(text,))
    return [
        cards(advise(findings, order, picture, others=(other,))),
        cards(advise(prior)),
        cards(advise(order=unplaced, picture=picture)),
        cards(advise(order=an_order(unread_reasons=(text,), unread_reason_has_red_flag_stem=True))),
    ]


@pytest.mark.parametrize("text", HOSTILE + CLINICAL)
def test_hostile_text_becomes_no_element_and_no_link(text):
    safe = quoted(text, 1000)
    assert elements(f"before {safe} after") == {"p"}
    assert elements(f"| a | b |\n|--|--|\n| x | {safe} |") <= OUR_ELEMENTS
    assert MARKDOWN.render(f"| a | b |\n|--|--|\n| x | {safe} |").count("<td>") == 2
    assert not AUTOLINKS.search(visible(safe).strip("“”")), visible(safe)
    assert "\n" not in safe


@pytest.mark.parametrize("text", HOSTILE)
def test_a_card_holds_no_element_or_link_that_we_did_not_write(text):  # CARD-3, CARD-4
    for answer in poisoned(text):
        for card in answer.cards:
            assert elements(card.detail) <= OUR_ELEMENTS, card.detail
            plain = re.sub(r"\*\*", "", card.detail)
            assert not AUTOLINKS.search(plain), AUTOLINKS.search(plain)
            assert not re.search(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2066-\u2069]", card.detail)
            for said in (card.summary, *(suggestion.label for suggestion in card.suggestions)):
                assert text not in said
            for suggestion in card.suggestions:
                assert all(text not in action.description for action in suggestion.actions)


@pytest.mark.parametrize("text", CLINICAL)
def test_clinical_text_reads_as_it_was_written(text):
    assert visible(quoted(text)) == f"“{text}”"


@pytest.mark.parametrize(
    "text", [*HOSTILE, *CLINICAL, " blank ", "two  blanks", "L4.5", "a.b.c.de", "4/5 //x", "x:y", "8:30"]
)
def test_the_short_way_through_escaping_says_the_same(text, monkeypatch):
    quick = escaped(text)
    monkeypatch.setattr("cards.escape._HARMLESS", re.compile(r"(?!)"))
    assert escaped(text) == quick


def test_a_cut_is_seen():
    assert quoted("a" * (QUOTE_LIMIT + 10)) == "“" + "a" * (QUOTE_LIMIT - 1) + "…”"
    assert quoted("a" * QUOTE_LIMIT) == "“" + "a" * QUOTE_LIMIT + "”"


def test_text_of_only_control_characters_becomes_nothing():
    assert escaped("\x00\u200b\r\n\t ") == ""


@pytest.mark.parametrize(
    ("recorded", "shown"),
    [
        ("2026", "2026"),
        ("2026-09", "2026-09"),
        ("2026-09-14", "2026-09-14"),
        ("2026-09-14T08:30:00+02:00", "2026-09-14"),
        ("14 September", ""),
        ("2026-09-14<b>", ""),
        ("", ""),
    ],
)
def test_dates_are_shown_as_recorded_without_their_time(recorded, shown):
    assert date_as_recorded(recorded) == shown


def test_a_safety_note_quotes_its_entry():
    device = yes("mr_device", Evidence("Device/1", "Pacemaker | <b>", "2018"), marks=("mr_cardiac_device_unlabelled",))
    advice = advise(answers(infection=yes("infection", marks=("fever",)), safety=safety(mr_device=device)))
    assert any(isinstance(note, SafetyNote) for note in advice.safety)
    assert "“Pacemaker \\| &lt;b&gt;” (2018)" in cards(advice).cards[0].detail
