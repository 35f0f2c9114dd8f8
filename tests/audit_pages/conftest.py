"""A service with three weeks behind it, made once; and one of its own for whoever changes something."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from unittest.mock import patch

import pytest
from argon2 import PasswordHasher

from audit_pages import passwords
from tests.audit_pages.history import Past, past_in, weeks_of_calls


@pytest.fixture(scope="session", autouse=True)
def quick_hashes() -> Iterator[None]:
    """Passwords are hashed as they are in use, but for the time that it takes."""
    with patch.object(passwords, "_hasher", PasswordHasher(time_cost=1, memory_cost=64, parallelism=1)):
        yield


@pytest.fixture(scope="session")
def past(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Past]:
    """A closed service with some weeks of calls."""
    with past_in(tmp_path_factory.mktemp("past")) as made:
        weeks_of_calls(made, datetime.now(UTC) - timedelta(minutes=1), days=16, a_day=12)
        yield made


@pytest.fixture
def fresh(tmp_path: Path) -> Iterator[Past]:
    """A closed service without any."""
    with past_in(tmp_path) as made:
        yield made
