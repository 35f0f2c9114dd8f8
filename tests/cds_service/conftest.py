"""One running service for all HTTP tests of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from cds_service.settings import Settings
from tests.cds_service.service_under_test import Address, running


@pytest.fixture(scope="session")
def service() -> Iterator[Address]:
    """The service as `make run` starts it, with every answer checked before it is sent."""
    with running(Settings(log_level="error", validate_output=True, max_body_mb=1)) as address:
        yield address
