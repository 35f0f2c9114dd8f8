"""What somebody typed into a record is shown as it was typed: never as markup, never as a link, never run."""

from __future__ import annotations

from playwright.sync_api import expect

from sandbox.stories import load
from tests.browser.screen import Screen

STORY = next(story for story in load() if story.id == "text-in-the-chart-that-looks-like-markup")


def test_markup_in_a_record_stays_text(screen: Screen) -> None:
    screen.open(STORY)
    screen.place(STORY.orders[0])
    page = screen.page
    expect(screen.region("Problems")).to_contain_text("<script>document.title='run'</script>")
    expect(screen.region("Medicines")).to_contain_text("<marquee>one</marquee>")
    expect(screen.region("Orders")).to_contain_text("<img src=x onerror=")
    expect(screen.region("Advice")).to_contain_text("<img src=x onerror=")
    assert page.locator("main script, main img, main marquee, main u, main b, main i").count() == 0
    assert page.locator("a[href*='example.org']").count() == 0
    assert page.title() != "run"
    screen.messages().first.get_by_text("Request", exact=True).click()
    assert page.locator("main script, main img, main marquee, main u, main b, main i").count() == 0


def test_the_page_lets_nothing_of_another_site_in(screen: Screen) -> None:
    answer = screen.page.goto(f"{screen.address}/patients/{STORY.id}")
    assert answer is not None
    policy = answer.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe-inline" not in policy
    hosts: set[str] = set()
    screen.page.on("request", lambda asked: hosts.add(asked.url.split("/")[2]))
    screen.place(STORY.orders[0])
    screen.page.reload()
    assert hosts == {screen.address.split("/")[2]}
