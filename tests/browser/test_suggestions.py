"""What a click on a card does: the order changes, the service is asked again, and feedback goes out."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import time

from playwright.sync_api import expect

from sandbox.ehr.drafts import PRIORITIES
from sandbox.launcher import Running
from sandbox.stories import Story, load
from tests.browser.screen import Screen

TRIES = 20
BY_ID = {story.id: story for story in load()}


def _placed(screen: Screen, story_id: str) -> Story:
    story = BY_ID[story_id]
    screen.open(story)
    screen.place(story.orders[0])
    return story


def test_an_emergency_is_put_right_with_one_click(screen: Screen) -> None:
    _placed(screen, "three-weeks-and-a-numb-saddle")
    expect(screen.cards.first).to_contain_text("cauda equina")
    screen.press("Change to MRI without contrast, stat")
    draft = screen.region("Orders").get_by_role("group", name=re.compile("MRI without contrast"))
    expect(draft.get_by_role("radio", name=PRIORITIES["stat"])).to_be_checked()
    # The answer to the changed order: still an emergency, but no other study and no other priority is asked for.
    expect(screen.cards.first).to_contain_text("Critical")
    expect(screen.cards.get_by_role("button", name="Change to")).to_have_count(0)
    expect(screen.status).to_contain_text("Suggestion accepted")


def test_a_deferral_takes_the_order_away_and_makes_a_referral(screen: Screen) -> None:
    _placed(screen, "three-weeks-of-low-back-pain")
    screen.press("Defer: red flags and strength checked, none")
    orders = screen.region("Orders")
    expect(orders.get_by_role("group", name=re.compile("MRI"))).to_have_count(0)
    expect(orders.get_by_role("group")).to_have_count(1)


def test_an_answer_given_by_a_button_decides(screen: Screen) -> None:
    _placed(screen, "six-weeks-of-care-and-no-plan")
    expect(screen.cards.first).to_contain_text("Information")
    first = screen.cards.first.get_by_role("button").first
    first.click()
    screen.settled()
    expect(screen.region("Advice")).to_contain_text("usually appropriate")


def test_what_was_dismissed_is_fed_back_and_kept_with_its_decision(screen: Screen, sandbox: Running) -> None:
    story = _placed(screen, "three-weeks-of-low-back-pain")
    card = screen.cards.first
    card.get_by_role("combobox", name="Why not?").select_option(index=1)
    card.get_by_role("button", name="Dismiss").click()
    screen.settled()
    newest = screen.messages().first
    expect(newest).to_contain_text("feedback")
    expect(newest).to_contain_text("200")
    newest.get_by_text("Request", exact=True).click()
    sent = json.loads(newest.get_by_label("Request", exact=False).inner_text())
    (item,) = sent["feedback"]
    assert item["outcome"] == "overridden"
    assert item["overrideReason"]["reason"]["code"]
    assert story.patient_id not in json.dumps(sent)
    kept = _kept(item["card"], sandbox)
    assert (kept["outcome"], kept["reason_code"]) == ("overridden", item["overrideReason"]["reason"]["code"])
    assert (kept["situation"], kept["row"]) == ("not-appropriate", "acute")
    assert kept["decision"]


def _kept(card: str, sandbox: Running) -> dict[str, str]:
    """What the service's records hold of the reply to a card, as its operator reads them; drained within seconds."""
    command = [sys.executable, "-m", "cds_service", "audit", "feedback", "--json"]
    environment = {**os.environ, "LUMBAR_CDS_STATE_DIR": str(sandbox.places.state)}
    for _ in range(TRIES):
        read = subprocess.run(command, env=environment, capture_output=True, text=True, check=True)
        for line in read.stdout.splitlines():
            found: dict[str, str] = json.loads(line)
            if found["card"] == card:
                return found
        time.sleep(0.5)
    raise AssertionError(f"no reply to card {card} is kept")


def test_signing_against_advice_asks_why_first(screen: Screen) -> None:
    _placed(screen, "four-months-untreated")
    screen.page.get_by_role("button", name="Sign orders").click()
    screen.settled()
    expect(screen.region("Advice")).to_contain_text("Not signed yet")
    screen.page.get_by_role("combobox", name="Reason to sign anyway").select_option(index=1)
    screen.page.get_by_role("button", name="Sign anyway").click()
    screen.settled()
    expect(screen.page.get_by_role("list", name="Signed orders")).to_contain_text("MRI lumbar spine without contrast")


def test_an_appropriate_order_is_signed_without_a_word(screen: Screen) -> None:
    _placed(screen, "six-weeks-of-care-and-an-injection")
    screen.page.get_by_role("button", name="Sign orders").click()
    screen.settled()
    expect(screen.page.get_by_role("list", name="Signed orders")).to_contain_text("MRI lumbar spine without contrast")


def test_raising_the_priority_by_hand_asks_again(screen: Screen) -> None:
    _placed(screen, "left-foot-getting-weaker")
    calls = screen.messages().count()
    screen.page.get_by_role("radio", name=PRIORITIES["stat"]).check()
    screen.settled()
    expect(screen.messages()).to_have_count(calls + 1)
    expect(screen.cards.get_by_role("button", name="Make it", exact=False)).to_have_count(0)


def test_without_the_service_the_page_says_so(screen: Screen, sandbox: Running) -> None:
    """A service that cannot be reached is never taken for one that has nothing to say."""
    app = sandbox.ehr.pages
    client = app.config["CLIENT"]  # type: ignore[attr-defined]
    app.config["CLIENT"] = type(client)("http://127.0.0.1:9")  # type: ignore[attr-defined]
    try:
        _placed(screen, "problem-list-read")
        expect(screen.region("Advice")).to_contain_text("not assessed")
        expect(screen.region("Advice")).not_to_contain_text("nothing to say")
    finally:
        app.config["CLIENT"] = client  # type: ignore[attr-defined]
