"""Tokens made up by the hundred: none counts, and none makes the check fail in another way than by refusing."""

from __future__ import annotations

import json
import time
from functools import cache
from typing import Any

import jwt
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from cds_service.clients import Client, Registry
from cds_service.jwt_check import CheckedToken, TokenRefused, check_token
from cds_service.key_sets import FixedKeys, read_key_set
from tests.hostile.registered import EC_KID, ISSUER, a_token, key_set, keys, raw_token

PATH = "/cds-services"
BASE = "https://cds.example.org"
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
    max_leaves=8,
)
CLAIMS = ("iss", "aud", "iat", "exp", "jti")
HEADERS = ("alg", "kid", "typ", "jku", "crit", "jwk", "x5c")


@cache
def known() -> tuple[Registry, FixedKeys]:
    client = Client(name="c", issuer=ISSUER, audiences=(BASE,))
    return Registry([client]), FixedKeys(read_key_set(json.dumps(key_set()).encode()))


def check(authorization: str) -> CheckedToken:
    registry, key_source = known()
    return check_token(authorization, PATH, registry, lambda _: key_source, time.time())


def test_the_good_token_passes() -> None:
    assert check(f"Bearer {a_token(BASE + PATH)}").client.name == "c"


@settings(max_examples=300)
@given(st.text(max_size=200))
def test_any_text_is_refused(text: str) -> None:
    for authorization in (text, f"Bearer {text}", f"Bearer {text}.{text}.{text}"):
        with pytest.raises(TokenRefused):
            check(authorization)


@settings(max_examples=300)
@given(name=st.sampled_from(CLAIMS), value=JSON)
def test_a_claim_of_any_other_value_is_refused_though_it_is_signed(name: str, value: Any) -> None:
    claims = jwt.decode(a_token(BASE + PATH), options={"verify_signature": False})
    if name == "jti" and isinstance(value, str) and value:
        return  # any text is an id
    spoiled = {**claims, name: value}
    header = {"alg": "ES384", "typ": "JWT", "kid": EC_KID}
    with pytest.raises(TokenRefused):
        check(f"Bearer {raw_token(spoiled, header, keys()['ES384'])}")


@settings(max_examples=200)
@given(name=st.sampled_from(HEADERS), value=JSON)
def test_a_header_of_any_other_value_is_refused_though_it_is_signed(name: str, value: Any) -> None:
    claims = jwt.decode(a_token(BASE + PATH), options={"verify_signature": False})
    header = json.dumps({"alg": "ES384", "typ": "JWT", "kid": EC_KID, name: value}).encode()
    with pytest.raises(TokenRefused):
        check(f"Bearer {raw_token(claims, header, keys()['ES384'])}")


@settings(max_examples=200)
@given(place=st.integers(0, 10_000), character=st.sampled_from("ABCxyz019-_.=+/ \x00é"))
def test_a_token_with_one_character_changed_is_refused(place: int, character: str) -> None:
    token = a_token(BASE + PATH)
    place %= len(token)
    if token[place] == character or place == len(token) - 1:  # the last one may hold bits that mean nothing
        return
    with pytest.raises(TokenRefused):
        check(f"Bearer {token[:place]}{character}{token[place + 1 :]}")
