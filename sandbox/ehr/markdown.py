"""A card's Markdown as HTML: what a record says is shown as text, whatever it holds."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from markdown_it import MarkdownIt
from markdown_it.renderer import RendererHTML
from markdown_it.token import Token
from markdown_it.utils import EnvType, OptionsDict
from markupsafe import Markup


def _open_link(self: RendererHTML, tokens: Sequence[Token], position: int, options: OptionsDict, env: EnvType) -> str:
    tokens[position].attrSet("rel", "noopener noreferrer")
    tokens[position].attrSet("target", "_blank")
    return self.renderToken(tokens, position, options, env)


def _open_table(*_: Any) -> str:
    """A wide table scrolls by itself, also by keyboard; the page never does."""
    return '<div class="scrolls" tabindex="0" role="group" aria-label="Table"><table>\n'


def _open_cell(self: RendererHTML, tokens: Sequence[Token], position: int, options: OptionsDict, env: EnvType) -> str:
    tokens[position].attrs.pop("style", None)  # alignment comes as a style, which the page's policy refuses
    return self.renderToken(tokens, position, options, env)


def _renderer() -> MarkdownIt:
    # No HTML of the text's own, no pictures (nothing is fetched), no autolinks: an address in a record stays text.
    markdown = MarkdownIt("commonmark", {"html": False, "linkify": False}).enable(["table", "strikethrough"])
    markdown.disable(["image", "autolink"])
    markdown.add_render_rule("link_open", _open_link)
    for cell in ("th_open", "td_open"):
        markdown.add_render_rule(cell, _open_cell)
    markdown.add_render_rule("table_open", _open_table)
    markdown.add_render_rule("table_close", lambda *_: "</table></div>\n")
    return markdown


_MARKDOWN = _renderer()


def shown(text: object) -> Markup:
    """Safe HTML."""
    return Markup(_MARKDOWN.render(text)) if isinstance(text, str) else Markup("")  # noqa: S704  HTML is switched off
