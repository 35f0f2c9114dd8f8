"""Pictures for the README. They are made anew only when asked for, so that a run of the tests changes no file.

UPDATE_SCREENSHOTS=1 make test
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import FloatRect, Page

UPDATE = "UPDATE_SCREENSHOTS"
FOLDER = Path("docs/screenshots")


def pictured() -> bool:
    """Are pictures asked for?"""
    return os.environ.get(UPDATE) == "1"


def picture(page: Page, name: str, *, top: int = 0, width: int = 0, height: int = 0) -> None:
    """Keeps a part of a page as ``docs/screenshots/<name>.png``, if asked for; usually as wide as its window."""
    if not pictured():
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size or {"width": 1280, "height": 900}
    clip = FloatRect(x=0, y=top, width=width or size["width"], height=height or size["height"])
    page.screenshot(path=FOLDER / f"{name}.png", clip=clip)
