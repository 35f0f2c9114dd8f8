"""An issuer's keys: a key fits its own algorithms only; fetched ones are cached, renewed, and outlive an outage.

SEC-3 nothing is fetched but the registered address · SEC-7 keys agreed beforehand
"""

from __future__ import annotations

import base64
import json

import pytest

from cds_service.key_sets import KeySetError, RemoteKeys, read_key_set
from tests.hostile.registered import key_set, keys, public_jwk


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Publisher:
    """The issuer's address: what it answers, and how often it was asked."""

    def __init__(self, *kids: str) -> None:
        self.kids = kids
        self.down = False
        self.asked = 0

    def __call__(self) -> bytes:
        self.asked += 1
        if self.down:
            raise KeySetError("not to be had")
        return json.dumps({"keys": [public_jwk(keys()["ES384"], kid=kid) for kid in self.kids]}).encode()


def test_each_key_fits_the_algorithms_of_its_type_and_curve() -> None:
    found = read_key_set(json.dumps(key_set()).encode())
    assert set(found.keys) == {
        ("ab+c/d==", "ES384"), ("rsa-1", "RS256"), ("rsa-1", "RS384"), ("ed-1", "EdDSA"), ("p256", "ES256"),
    }  # fmt: skip


def test_one_key_that_cannot_be_used_does_not_spoil_the_others() -> None:
    found = read_key_set(json.dumps({"keys": [{"kty": "oct", "kid": "x", "k": "AA"}, 7, *key_set()["keys"]]}).encode())
    assert found.knows("rsa-1")
    assert len(found.skipped) == 2


def test_keys_are_fetched_once_and_again_when_they_are_old() -> None:
    publisher, clock = Publisher("a"), Clock()
    remote = RemoteKeys(publisher, clock=clock)
    assert publisher.asked == 0  # not before a call needs them
    for _ in range(5):
        assert remote.key_set("a") is not None
    assert publisher.asked == 1
    clock.now += RemoteKeys.SECONDS_FRESH + 1
    remote.key_set("a")
    assert publisher.asked == 2


def test_an_unknown_key_is_looked_for_anew_but_not_more_often_than_the_floor() -> None:
    publisher, clock = Publisher("a"), Clock()
    remote = RemoteKeys(publisher, clock=clock)
    remote.key_set("a")
    publisher.kids = ("a", "b")
    for number in range(50):
        remote.key_set(f"made-up-{number}")
    assert publisher.asked == 1
    clock.now += RemoteKeys.SECONDS_BETWEEN + 1
    found = remote.key_set("b")
    assert found is not None
    assert found.knows("b")
    for number in range(50):
        remote.key_set(f"made-up-{number}")
    assert publisher.asked == 2


def test_known_keys_outlive_an_outage_but_not_for_ever() -> None:
    said: list[str] = []
    publisher, clock = Publisher("a"), Clock()
    remote = RemoteKeys(publisher, said.append, clock)
    remote.key_set("a")
    publisher.down = True
    clock.now += RemoteKeys.SECONDS_FRESH + 1
    for _ in range(5):
        kept = remote.key_set("a")
        assert kept is not None
        assert kept.knows("a")
    assert publisher.asked == 2  # an outage does not cost every call a try
    assert said == ["not to be had"]
    clock.now += RemoteKeys.SECONDS_KEPT
    assert remote.key_set("a") is None


def test_an_answer_that_is_no_key_set_is_an_outage() -> None:
    clock = Clock()
    answers = [json.dumps(key_set()).encode(), b"<html>", b"{}"]
    remote = RemoteKeys(lambda: answers.pop(0), clock=clock)
    for _ in range(3):
        known = remote.key_set("rsa-1")
        assert known is not None
        assert known.knows("rsa-1")
        clock.now += RemoteKeys.SECONDS_FRESH + 1


def test_without_any_keys_a_try_is_made_only_so_often() -> None:
    publisher, clock = Publisher("a"), Clock()
    publisher.down = True
    remote = RemoteKeys(publisher, clock=clock)
    for _ in range(10):
        assert remote.key_set("a") is None
    assert publisher.asked == 1
    publisher.down = False
    clock.now += RemoteKeys.SECONDS_BETWEEN + 1
    assert remote.key_set("a") is not None


def test_a_short_rsa_key_is_not_used() -> None:
    number = base64.urlsafe_b64encode(b"\xc1" + bytes(126) + b"\x01").decode().rstrip("=")  # 1024 bits
    with pytest.raises(KeySetError, match="fewer than 2048"):
        read_key_set(json.dumps({"keys": [{"kty": "RSA", "kid": "a", "n": number, "e": "AQAB"}]}).encode())
