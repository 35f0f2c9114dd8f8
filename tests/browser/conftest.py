"""A running sandbox and a browser in front of it, for the tests of this folder; both end with its last test."""

from __future__ import annotations

import os
import re
import shutil
import socket
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, ViewportSize, sync_playwright

from sandbox.launcher import Places, Running, running
from tests.browser.screen import Screen

OPT_OUT = "NO_BROWSER"
KEPT = "BROWSER_SCREENSHOTS"  # a folder in which the run's screenshots are kept; build/screenshots unless it is set
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
QUIET = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
WIDE, NARROW = ViewportSize(width=1280, height=900), ViewportSize(width=360, height=740)


def browser_path() -> str:
    """The browser of this machine; without one the tests fail."""
    found = next((path for name in BROWSERS if (path := shutil.which(name))), "")
    if not found:
        pytest.fail(
            "these tests need Chromium: `make test` installs it on Debian (apt-get install chromium); "
            f"{OPT_OUT}=1 leaves them out",
            pytrace=False,
        )
    return found


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Leaves the tests of this folder out where the person who runs them said so."""
    if os.environ.get(OPT_OUT) != "1":
        return
    here = Path(__file__).parent
    for item in items:
        if here in item.path.parents:
            item.add_marker(pytest.mark.skip(reason=f"{OPT_OUT}=1"))


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


@pytest.fixture(scope="package")
def sandbox(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    """The service and the pretend EHR, as `make run` starts them, on free ports and with a state of their own."""
    places = Places("127.0.0.1", _free_port(), _free_port(), tmp_path_factory.mktemp("state"))
    with running(places) as both:
        yield both


@pytest.fixture(scope="package")
def browser() -> Iterator[Browser]:
    """Chromium, without a window."""
    path = browser_path()
    with sync_playwright() as playwright:
        chromium = playwright.chromium.launch(executable_path=path, args=list(QUIET))
        yield chromium
        chromium.close()


def a_context(browser: Browser, size: ViewportSize) -> BrowserContext:
    """A browser that has not been here before, with a window of this size."""
    fresh = browser.new_context(viewport=size, locale="en-GB", reduced_motion="reduce")
    fresh.set_default_timeout(10_000)
    return fresh


def a_tab(context: BrowserContext) -> Page:
    """An empty tab. A script that fails on it fails the test."""
    tab = context.new_page()
    tab.on("pageerror", lambda problem: pytest.fail(f"a script failed: {problem}"))
    return tab


def keep_picture(page: Page, name: str) -> None:
    """How a test left the page, for whoever looks into it afterwards."""
    folder = Path(os.environ.get(KEPT, "build/screenshots"))
    folder.mkdir(parents=True, exist_ok=True)
    page.screenshot(path=folder / f"{re.sub(r'[^A-Za-z0-9-]+', '-', name).strip('-')}.png")


@pytest.fixture
def screen(browser: Browser, sandbox: Running, request: pytest.FixtureRequest) -> Iterator[Screen]:
    """The pretend EHR as wide as on a laptop."""
    context = a_context(browser, WIDE)
    tab = a_tab(context)
    yield Screen(tab, sandbox.ehr.address)
    keep_picture(tab, request.node.name)
    context.close()


@pytest.fixture
def telephone(browser: Browser, sandbox: Running, request: pytest.FixtureRequest) -> Iterator[Screen]:
    """The pretend EHR as narrow as on a small telephone."""
    context = a_context(browser, NARROW)
    tab = a_tab(context)
    yield Screen(tab, sandbox.ehr.address)
    keep_picture(tab, request.node.name)
    context.close()
