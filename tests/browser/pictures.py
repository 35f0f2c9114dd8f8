"""Pictures for the README. They are made anew only when asked for, so that a run of the tests changes no file.

UPDATE_SCREENSHOTS=1 make test
"""

from __future__ import annotations

import os
from pathlib import Path

from playwright.sync_api import Page

UPDATE = "UPDATE_SCREENSHOTS"
FOLDER = Path("docs/screenshots")


def picture(page: Page, name: str, *, height: int = 0) -> None:
    """Keeps the upper part of a page as ``docs/screenshots/<name>.png``, if asked for."""
    if os.environ.get(UPDATE) != "1":
        return
    FOLDER.mkdir(parents=True, exist_ok=True)
    size = page.viewport_size or {"width": 1280, "height": 900}
    clip = {"x": 0, "y": 0, "width": size["width"], "height": height or size["height"]}
    page.screenshot(path=FOLDER / f"{name}.png", clip=clip)  # type: ignore[arg-type]
