"""The pictures of the README show the pages as they are; UPDATE_SCREENSHOTS=1 makes them anew."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from sandbox.stories import load
from tests.browser.pictures import FOLDER, picture, pictured
from tests.browser.screen import Screen

BY_ID = {story.id: story for story in load()}
MADE_HERE = {"emergency", "patients", "public-sandbox", "telephone", "what-if"}
MOST_BYTES = 300_000


@pytest.mark.skipif(not pictured(), reason="the pictures are kept as they are")
class TestPictures:
    def test_the_list_of_patients(self, screen: Screen) -> None:
        screen.page.set_viewport_size({"width": 1180, "height": 900})
        screen.list()
        picture(screen.page, "patients", height=560)

    def test_an_emergency(self, screen: Screen) -> None:
        story = BY_ID["three-weeks-and-a-numb-saddle"]
        screen.page.set_viewport_size({"width": 1280, "height": 1900})
        screen.open(story)
        screen.place(story.orders[0])
        picture(screen.page, "emergency", height=1180)

    def test_a_deferral_on_a_telephone(self, telephone: Screen) -> None:
        story = BY_ID["three-weeks-of-low-back-pain"]
        telephone.page.set_viewport_size({"width": 390, "height": 844})
        telephone.open(story)
        telephone.place(story.orders[0])
        picture(telephone.page, "telephone", height=844)

    def test_what_if(self, screen: Screen) -> None:
        screen.page.set_viewport_size({"width": 1180, "height": 900})
        screen.page.goto(f"{screen.address}/patients/three-weeks-of-low-back-pain/what-if")
        group = screen.page.get_by_role("group", name="Strength of the legs")
        group.get_by_role("radio", name=re.compile("^Left ankle 5, now 4")).check(force=True)
        screen.settled()
        picture(screen.page, "what-if", height=820)


def test_every_picture_is_shown_in_the_readme_and_small_enough() -> None:
    shown = set(re.findall(r"docs/screenshots/([a-z-]+)\.png", Path("README.md").read_text(encoding="utf-8")))
    there = {file.stem: file.stat().st_size for file in FOLDER.glob("*.png")}
    assert shown <= set(there)
    assert shown >= MADE_HERE
    assert {name: size for name, size in there.items() if size > MOST_BYTES} == {}
