"""One closed service, as in production, for the hostile calls of this folder."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile.registered import Closed, clients_toml, free_port, serving


@pytest.fixture(scope="session")
def closed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Closed]:
    """Two workers, small limits so that they are cheap to reach, and everything that it logs kept."""
    folder, port = tmp_path_factory.mktemp("closed"), free_port()
    clients_toml(folder, port)
    with serving(folder, port, max_body_mb="1", max_resources="300", request_seconds="2") as service:
        yield service
