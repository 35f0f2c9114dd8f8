"""The tests of this folder never pass by not having run."""

from __future__ import annotations

import shutil

import pytest

from tests.browser.conftest import OPT_OUT, browser_path


def test_without_a_browser_the_tests_fail_and_say_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda name: None)
    with pytest.raises(pytest.fail.Exception, match=f"apt-get install chromium.*{OPT_OUT}=1"):
        browser_path()
