"""How the password of a local user is kept and checked: argon2id, with the parameters of RFC 9106 (low memory)."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from audit_pages.people import Account

SHORTEST_PASSWORD: Final = 12
LONGEST_PASSWORD: Final = 200  # more would be a way to keep the service busy

_hasher = PasswordHasher()


class BadPassword(ValueError):
    """A password that is not taken; the message says what is asked of one."""


def normal(text: str) -> str:
    """A name or password in the one form that is compared, whichever keyboard typed it."""
    return unicodedata.normalize("NFKC", text)


def hash_of(password: str, name: str) -> str:
    """What is kept of a new password. Length is asked for, not kinds of characters (NIST SP 800-63B, 5.1.1.2)."""
    text = normal(password)
    if not SHORTEST_PASSWORD <= len(text) <= LONGEST_PASSWORD:
        raise BadPassword(f"a password has {SHORTEST_PASSWORD} to {LONGEST_PASSWORD} characters")
    if normal(name).lower() in text.lower() or len(set(text)) < 5:
        raise BadPassword("a password does not hold the name, and has five different characters at least")
    return _hasher.hash(text)


def is_right(account: Account | None, password: str) -> bool:
    """Is this the password of that account? As slow for a name that nobody has."""
    text = normal(password)
    if len(text) > LONGEST_PASSWORD:
        return False
    try:
        _hasher.verify(_of_nobody() if account is None else account.password_hash, text)
    except (VerificationError, InvalidHashError):
        return False
    return account is not None


@lru_cache(maxsize=1)
def _of_nobody() -> str:
    return _hasher.hash("nobody has this password")
