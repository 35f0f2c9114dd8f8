"""A card's text on the page: Markdown is drawn, everything else stays text."""

from __future__ import annotations

import pytest

from sandbox.ehr.json_view import as_html
from sandbox.ehr.markdown import shown


@pytest.mark.parametrize(
    "text",
    [
        "<script>alert(1)</script>",
        "<img src=x onerror=alert(1)>",
        '"<b onmouseover=alert(1)>x</b>"',
        "| a |\n| - |\n| <svg onload=alert(1)> |",
    ],
)
def test_html_in_a_card_is_shown_and_not_obeyed(text: str) -> None:
    html = shown(text)
    assert not any(tag in html for tag in ("<script", "<img", "<b ", "<svg"))
    assert "&lt;" in html


@pytest.mark.parametrize("text", ["[x](javascript:alert(1))", "[x](data:text/html,x)", "[x](vbscript:x)"])
def test_a_link_that_would_run_is_no_link(text: str) -> None:
    assert "<a" not in shown(text)


def test_a_picture_is_not_fetched() -> None:
    assert "<img" not in shown("![x](https://example.org/x.png)")


def test_an_address_in_a_record_stays_text() -> None:
    assert "<a" not in shown("see https://example.org or <https://example.org>")


def test_a_link_opens_a_tab_of_its_own_that_knows_nothing_of_this_one() -> None:
    html = shown("[ACR](https://example.org/acr)")
    assert 'rel="noopener noreferrer"' in html
    assert 'target="_blank"' in html


def test_a_table_has_no_style_of_its_own_and_scrolls_by_itself() -> None:
    html = shown("| a | b |\n| :-- | --: |\n| 1 | 2 |")
    assert "style=" not in html
    assert 'tabindex="0"' in html
    assert html.count("<td>") == 2


def test_what_is_no_text_is_nothing() -> None:
    assert shown({"not": "text"}) == ""


def test_json_is_shown_with_its_parts_told_apart_and_escaped() -> None:
    html = as_html({"name": "<b>", "age": 4, "known": None})
    assert '<span class="j-text">&#34;&lt;b&gt;&#34;</span>' in html
    assert '<span class="j-key">&#34;name&#34;</span>' in html
    assert '<span class="j-other">4</span>' in html
    assert "<b>" not in html
