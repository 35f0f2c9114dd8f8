"""Libraries must not write down what this service sends: their log lines hold addresses with patient ids."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from threading import local

_LOGGERS = (
    "requests", "urllib3", "urllib3.connection", "urllib3.connectionpool", "urllib3.poolmanager", "urllib3.response",
    "urllib3.util.retry", "urllib3.util.ssl_", "urllib3.util.url",
)  # fmt: skip
_state = local()


class _Silence(logging.Filter):
    """Drops every line that is written while this thread is in a guarded exchange, whatever the level."""

    def filter(self, record: logging.LogRecord) -> bool:
        return not getattr(_state, "quiet", False)


_SILENCE = _Silence()
for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_SILENCE)


@contextmanager
def quiet() -> Iterator[None]:
    """While this lasts, the HTTP libraries log nothing from this thread."""
    before = getattr(_state, "quiet", False)
    _state.quiet = True
    try:
        yield
    finally:
        _state.quiet = before
