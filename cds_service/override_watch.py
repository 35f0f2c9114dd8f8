"""Keeps what is remembered of overrides up to date: a look at the store every second, beside the calls.

Every worker looks for itself, so an override that one of them was told is respected by all of them, on every machine
that shares the store, within about a second. A store that cannot be asked costs nobody an answer: what was remembered
before is remembered on, for as long as an override lasts, and new ones are missed meanwhile, which the log says.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import partial
from typing import Final

from audit_trail.draining import StoreDown
from audit_trail.override_queries import Seen, decisions_of, feedback_seen, outcomes_since
from audit_trail.overrides import OverrideMemory
from audit_trail.queries import Queries
from cds_service.collaborators import Collaborators, GuidelinesInForce
from cds_service.operator_log import OperatorLog
from cds_service.settings import Settings
from cds_service.store_of_process import store_of

SECONDS_BETWEEN_LOOKS: Final = 1.0
# A decision may be stored after the feedback on it, when the journal that holds it is drained late.
SECONDS_BETWEEN_WHOLE_LOOKS: Final = 30.0


class OverrideWatch:
    """Made before the workers fork; each worker starts its own thread."""

    def __init__(
        self,
        queries: Callable[[], Queries],
        guidelines: GuidelinesInForce,
        operator: OperatorLog,
        now: Callable[[], datetime],
    ) -> None:
        self.memory: Final = OverrideMemory()
        self._queries = queries
        self._guidelines = guidelines
        self._operator = operator
        self._now = now
        self._seen: Seen | None = None
        self._looked_at: datetime | None = None
        self._failing = False

    def start(self) -> None:
        """Begins to look, in the process that has been forked: at once, so that a restart forgets nothing."""
        threading.Thread(target=self._run, name="overrides", daemon=True).start()

    def look(self) -> None:
        """Learns what there is to learn."""
        try:
            self._look(self._queries(), self._now())
        except StoreDown as problem:
            if not self._failing:
                self._operator.write(
                    "error", "overrides", f"the store cannot be asked, new overrides are missed: {problem}"
                )
            self._failing = True
            return
        self._failing = False

    def _look(self, queries: Queries, now: datetime) -> None:
        hours = self._guidelines.on(now.date()).parameters.override_memory_hours
        since = now - timedelta(hours=hours)
        seen = feedback_seen(queries, since)
        whole = self._looked_at is None or now - self._looked_at >= timedelta(seconds=SECONDS_BETWEEN_WHOLE_LOOKS)
        if seen == self._seen and not (whole and seen.count):
            return
        self.memory.learn(outcomes_since(queries, since), partial(decisions_of, queries))
        self._seen, self._looked_at = seen, now

    def _run(self) -> None:
        wait = threading.Event().wait
        while True:
            try:
                self.look()
            except Exception as problem:  # noqa: BLE001  a defect must not end the watch: nobody would notice
                self._operator.write("error", "overrides", f"could not look: {type(problem).__name__}")
            wait(SECONDS_BETWEEN_LOOKS)


def overrides_of(settings: Settings, tools: Collaborators, operator: OperatorLog) -> OverrideWatch | None:
    """Lets these tools respect overrides; ``None`` where nothing is recorded, so nothing can be remembered."""
    store = store_of(settings)
    if store is None:
        return None
    watch = OverrideWatch(store.queries, tools.guidelines, operator, lambda: datetime.now(UTC))
    tools.overrides = watch.memory
    return watch
