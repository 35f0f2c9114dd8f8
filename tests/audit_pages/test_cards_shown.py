"""Cards are shown as the clinician saw them, and nothing in them acts."""

from __future__ import annotations

import pytest

from audit_pages.cards_shown import cards_of, markdown


def plain(text: str) -> str:
    return text


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        "a <b onclick=x>b</b>",
        "<!-- x --> <style>*{}</style>",
        "| a |\n| --- |\n| <iframe src=//x> |",
    ],
)
def test_markup_in_a_card_stays_text(text: str):
    html = markdown(text, plain)
    for tag in ("<script", "<img", "<b ", "<style", "<iframe", "<!--"):
        assert tag not in html
    assert "&lt;" in html


@pytest.mark.parametrize("address", ["javascript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/passwd"])
def test_a_link_leads_to_a_web_page_or_nowhere(address: str):
    assert address not in markdown(f"[x]({address})", plain).replace("&#x27;", "") or "href" not in markdown(
        f"[x]({address})", plain
    )


def test_nothing_is_loaded_from_anywhere():
    html = markdown("![x](https://example.org/a.png)", plain)
    assert "<img" not in html


def test_tables_need_no_inline_style():
    html = markdown("| a | b |\n| :-: | --: |\n| 1 | 2 |", plain)
    assert "<table>" in html
    assert "style" not in html


def test_what_is_withheld_is_taken_out_after_escapes_are_read():
    html = markdown(r"seen by O\'Neil\_Ann, **O'Neil_Ann**", lambda text: text.replace("O'Neil_Ann", "[withheld]"))
    assert "Neil" not in html
    assert html.count("[withheld]") == 2


def test_a_card_shows_what_was_taken_and_what_became_of_it():
    wait = {"uuid": "s1", "label": "Wait", "isRecommended": True, "actions": [{"type": "delete", "description": "d"}]}
    keep = {"uuid": "s2", "label": "Keep", "actions": [{"type": "update"}]}
    shown = {
        "uuid": "A",
        "indicator": "warning",
        "summary": "s",
        "source": {"label": "ACR", "url": "https://example.org/"},
        "suggestions": [wait, keep],
        "overrideReasons": [{"code": "x", "system": "y", "display": "Because"}],
    }
    (card,) = cards_of({"cards": [shown]}, {"a": ("accepted", ("S1",))}, plain)
    assert card.outcome == "accepted"
    assert [(each.label, each.recommended, each.taken) for each in card.buttons] == [
        ("Wait", True, True),
        ("Keep", False, False),
    ]
    assert card.reasons == ("Because",)
    assert card.source_url == "https://example.org/"
