"""The public CDS Hooks sandbox against this service and R4 server, as its visitors use it.

Its page is served from a build of its own source, under its own address, so that origin, token and preflights are those
of the public site, and the test needs no network. Where there is no build, it is left out:

    git clone https://github.com/cds-hooks/sandbox && cd sandbox && npm ci && npm run build
    CDS_HOOKS_SANDBOX=$PWD/build make test
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, BrowserContext, Page, Request, Response, Route, expect

from sandbox.ehr.public_sandbox import PUBLIC_SANDBOX, deep_link
from sandbox.launcher import Running
from sandbox.stories import Story, load
from tests.browser.conftest import keep_picture
from tests.browser.pictures import picture

Json = dict[str, Any]
BUILD = "CDS_HOOKS_SANDBOX"
WINDOW = {"width": 1366, "height": 900}
BY_ID = {story.id: story for story in load()}
# As the public page lists them (github.com/cds-hooks/sandbox, src/assets).
MRI, MRI_BOTH, CT_WITH_CONTRAST = "72148", "72158", "72132"
LOW_BACK_PAIN, SCIATICA, RADICULOPATHY, CAUDA_EQUINA = "279039007", "23056005", "128196005", "192970008"
_CALL = re.compile("/cds-services/lumbar-imaging-order-select$")
_KINDS = {".html": "text/html", ".js": "text/javascript", ".png": "image/png", ".css": "text/css"}

pytestmark = pytest.mark.skipif(not os.environ.get(BUILD), reason=f"{BUILD} names no build of the public sandbox")


def _from_build(route: Route) -> None:
    """The file of the build that the public site would serve."""
    name = re.sub(r"[?#].*", "", route.request.url.removeprefix(PUBLIC_SANDBOX)) or "index.html"
    file = Path(os.environ[BUILD]) / name
    if file.is_file():
        route.fulfill(path=file, content_type=_KINDS.get(file.suffix, "application/octet-stream"))
    else:
        route.fulfill(status=404)


@pytest.fixture
def page(browser: Browser, request: pytest.FixtureRequest) -> Iterator[Page]:
    context: BrowserContext = browser.new_context(viewport=WINDOW)  # type: ignore[arg-type]
    context.route(f"{PUBLIC_SANDBOX}**", _from_build)
    context.grant_permissions(["local-network-access"], origin=PUBLIC_SANDBOX.rstrip("/"))
    context.set_default_timeout(20_000)
    tab = context.new_page()
    yield tab
    keep_picture(tab, request.node.name)
    context.close()


def _open(page: Page, sandbox: Running, story: Story) -> None:
    """The deep link that `make run` prints."""
    discovery = f"{sandbox.places.service}/cds-services"
    page.goto(deep_link(sandbox.ehr.base, story.patient_id, discovery))


class Imaging:
    """The imaging screen."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def study(self, code: str) -> Response:
        """Choose a study by its code."""
        return self._choose("Search orders", code)

    def reason(self, code: str) -> Response:
        """Add a reason by its code."""
        return self._choose("Search reasons", code)

    def _choose(self, placeholder: str, code: str) -> Response:
        self.page.get_by_text(placeholder, exact=True).click()
        self.page.keyboard.type(code)
        with self.page.expect_response(_CALL) as answered:
            self.page.locator("[id*='-option-0']").click()
        return answered.value

    def press(self, label: str) -> None:
        """Accept a suggestion."""
        with self.page.expect_response(_CALL):
            self.page.get_by_role("button", name=label, exact=True).click()


@pytest.fixture
def imaging(page: Page) -> Imaging:
    return Imaging(page)


def test_a_deferral_is_advised_and_recorded(imaging: Imaging, sandbox: Running) -> None:
    page = imaging.page
    _open(page, sandbox, BY_ID["three-weeks-of-low-back-pain"])
    expect(page.get_by_text("Juniper Testcase")).to_be_visible()
    imaging.study(MRI)
    imaging.reason(LOW_BACK_PAIN)
    expect(page.get_by_text("PAMA Rating: not-appropriate")).to_be_visible()
    expect(page.get_by_text("defer MRI").first).to_be_visible()
    page.set_viewport_size({"width": 1366, "height": 1500})
    rating = page.get_by_text("PAMA Rating").bounding_box()
    assert rating is not None
    picture(
        page, "public-sandbox", top=round(rating["y"]) - 10, width=680, height=900
    )  # without the page's words for the study
    imaging.press("Defer: red flags and strength checked, none")
    expect(page.get_by_text("do not sign").first).to_be_visible()


def test_a_study_is_changed_and_rated_as_promised(imaging: Imaging, sandbox: Running) -> None:
    page = imaging.page
    _open(page, sandbox, BY_ID["six-weeks-of-care-and-an-injection"])
    imaging.study(CT_WITH_CONTRAST)
    imaging.reason(LOW_BACK_PAIN)
    expect(page.get_by_text("PAMA Rating: not-appropriate")).to_be_visible()
    imaging.press("Change to MRI without contrast")
    expect(page.get_by_text("PAMA Rating: appropriate")).to_be_visible()


def test_a_red_flag_as_a_second_reason_is_an_emergency(imaging: Imaging, sandbox: Running) -> None:
    page = imaging.page
    _open(page, sandbox, BY_ID["three-weeks-of-low-back-pain"])
    imaging.study(MRI)
    imaging.reason(LOW_BACK_PAIN)
    imaging.reason(CAUDA_EQUINA)
    expect(page.get_by_text("cauda equina", exact=False).first).to_be_visible()
    expect(page.get_by_text("PAMA Rating: appropriate")).to_be_visible()
    expect(page.get_by_text("defer MRI")).to_have_count(0)


def test_what_was_accepted_reaches_the_service(imaging: Imaging, sandbox: Running) -> None:
    page = imaging.page
    _open(page, sandbox, BY_ID["three-weeks-of-low-back-pain"])
    imaging.study(MRI)
    imaging.reason(LOW_BACK_PAIN)
    with page.expect_response(re.compile("/feedback$")) as sent:
        page.get_by_role("button", name="Defer: red flags and strength checked, none", exact=True).click()
    assert sent.value.status == 200


# A story of each kind of card that has buttons: study, reason.
EVERY_KIND = {
    "three-weeks-of-low-back-pain": (MRI, LOW_BACK_PAIN),
    "new-mild-weakness": (MRI, SCIATICA),
    "left-foot-getting-weaker": (MRI, SCIATICA),
    "three-weeks-and-a-numb-saddle": (MRI, LOW_BACK_PAIN),
    "retention-since-three-weeks": (MRI, LOW_BACK_PAIN),
    "prostate-cancer-and-new-back-pain": (MRI, LOW_BACK_PAIN),
    "breast-cancer-and-a-weak-foot": (MRI_BOTH, LOW_BACK_PAIN),
    "six-weeks-of-care-and-no-plan": (MRI, RADICULOPATHY),
    "mri-six-weeks-ago-nothing-new": (MRI, SCIATICA),
    "pacemaker-and-a-planned-injection": (MRI, RADICULOPATHY),
    "discectomy-and-new-sciatica": (CT_WITH_CONTRAST, SCIATICA),
}


def _sent(call: Request) -> Json:
    sent: Json = json.loads(call.post_data or "")
    return sent


def _placed(imaging: Imaging, sandbox: Running, own: str, study: str, reason: str) -> tuple[Json, Json]:
    """A study and a reason on the screen: the call that was made, and its answer."""
    _open(imaging.page, sandbox, BY_ID[own])
    imaging.study(study)
    answer = imaging.reason(reason)
    return _sent(answer.request), answer.json()


@pytest.mark.parametrize("own", EVERY_KIND)
def test_every_button_of_a_card_does_something(own: str, imaging: Imaging, sandbox: Running) -> None:
    """A button that changes nothing looks broken; one that the page cannot apply breaks it."""
    page = imaging.page
    broken: list[str] = []
    page.on("pageerror", lambda problem: broken.append(str(problem)))
    study, reason = EVERY_KIND[own]
    _, answer = _placed(imaging, sandbox, own, study, reason)
    labels = [each["label"] for card in answer["cards"] for each in card.get("suggestions", ())]
    assert labels
    for label in labels:
        before, _ = _placed(imaging, sandbox, own, study, reason)
        with page.expect_request(_CALL) as asked:
            page.get_by_role("button", name=label, exact=True).click()
        after = _sent(asked.value)
        assert after["context"]["draftOrders"] != before["context"]["draftOrders"], label
        expect(page.get_by_text("PAMA Rating")).to_be_visible()
    assert broken == []
