"""The C library's search finds what Python's own finds, wherever it stands."""

from __future__ import annotations

import ctypes

import pytest
from hypothesis import given
from hypothesis import strategies as st

from cds_service import byte_search
from cds_service.byte_search import find, holds

FEW = st.lists(st.sampled_from([b"a", b"b", b"\x00", b"\xff", b'"']), max_size=40).map(b"".join)


@given(body=FEW, text=FEW.filter(bool), start=st.integers(0, 45))
def test_it_finds_what_python_finds(body: bytes, text: bytes, start: int) -> None:
    assert find(body, text, start) == body.find(text, start)
    assert holds(body, text) == (text in body)


@pytest.mark.parametrize("place", [0, 1, 4095, 4096, 3_000_000 - 12])
def test_a_text_is_found_in_megabytes(place: int) -> None:
    text = b"access_token"
    body = b"\x00" * place + text + b"{" * (3_000_000 - place - len(text))
    assert (find(body, text), find(body, text, place + 1), holds(body, text)) == (place, -1, True)


def test_a_system_without_it_has_pythons_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(ctypes, "PyDLL", lambda _: object())
    python = byte_search._of_the_system()
    assert python(b"abcabc", b"c", 3) == 5
    assert python(b"abc", b"x", 0) == -1
