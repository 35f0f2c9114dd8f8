"""The clients of a running service: read at the start, and again whenever the file, or a file that it names, changes.

A changed file that cannot be used changes nothing: the clients before it stay in force; the log and `/health` say so.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from msgspec import Struct

from cds_service.clients import Client, Registry
from cds_service.clients_file import ClientsFileError, Mistake, read_clients
from cds_service.deadline import Deadline
from cds_service.egress import Egress, EgressFailed, EgressPolicy, EgressRefused, rule_for
from cds_service.key_sets import LARGEST_DOCUMENT, FixedKeys, KeySetError, KeySource, RemoteKeys, read_key_set
from cds_service.operator_log import OperatorLog
from fhir_mappings.code_rows import TerminologyError
from fhir_mappings.terminology import Terminology

SECONDS_FOR_KEYS: Final = 2.0

SiteLists = Callable[[Client], Terminology | None]


class ClientsInForce(Struct, frozen=True):
    """One reading of the file, with everything that its clients bring along."""

    registry: Registry
    keys: dict[str, KeySource]
    code_lists: dict[str, Terminology]
    read_at: datetime


class RunningClients:
    """The clients in force at this moment."""

    SECONDS_BETWEEN_LOOKS: Final = 1.0
    SECONDS_BETWEEN_TRIES: Final = 30.0  # at a file that could not be used: what it lacks may be there by then

    def __init__(self, path: Path, site_lists: SiteLists, log: OperatorLog, ca_file: str | None = None) -> None:
        self._path = path
        self._site_lists = site_lists
        self._log = log
        self._ca_file = ca_file
        self._remote: dict[tuple[str, object], RemoteKeys] = {}
        self._reading = threading.Lock()
        self._looked_at = 0.0
        self._tried_at = 0.0
        self._problem = ""
        before = _stamp(path)
        self._in_force = self._read()
        self._seen = self._state(before)

    def current(self) -> ClientsInForce:
        """The clients in force. A change of the file is noticed within a second or two, and read beside the calls."""
        now = time.monotonic()
        if now - self._looked_at > self.SECONDS_BETWEEN_LOOKS:
            self._looked_at = now
            if self._has_changed(now) and not self._reading.locked():
                threading.Thread(target=self.look_again, daemon=True).start()
        return self._in_force

    def look_again(self) -> None:
        """Reads the file if it has changed; one that cannot be used changes nothing."""
        with self._reading:
            now = time.monotonic()
            if not self._has_changed(now):
                return
            before = _stamp(self._path)
            self._seen, self._tried_at = self._state(before), now
            try:
                self._in_force = self._read()
            except ClientsFileError as problem:
                if str(problem) != self._problem:
                    self._log.write("error", "clients-file", f"not usable, the clients before it stay: {problem}")
                self._problem = str(problem)
                return
            self._problem = ""
            self._seen = self._state(before)
            self._log.write("info", "clients-file", f"read again: {len(self._in_force.registry.clients)} clients")

    def health(self) -> dict[str, object]:
        """How many clients there are, since when, and whether the file that is there now could be used."""
        in_force = self.current()
        out_of_order = sum(each.out_of_order for each in in_force.keys.values())
        return {
            **({"keySetsOutOfOrder": out_of_order} if out_of_order else {}),
            "registered": len(in_force.registry.clients),
            "readAt": in_force.read_at.isoformat(timespec="seconds"),
            "file": "not usable; the clients before it stay in force, see the log" if self._problem else "in force",
        }

    def _has_changed(self, now: float) -> bool:
        if self._problem and now - self._tried_at > self.SECONDS_BETWEEN_TRIES:
            return True
        return self._state(_stamp(self._path)) != self._seen

    def _state(self, clients_file: object) -> tuple[object, ...]:
        """Changes whenever a file does that the clients in force were read from."""
        files = [
            path
            for client in self._in_force.registry.clients
            for path in (client.jwks_file, client.order_catalogue, *client.code_maps)
            if path is not None
        ]
        return (clients_file, *map(_stamp, files))

    def _read(self) -> ClientsInForce:
        registry = read_clients(self._path)
        keys: dict[str, KeySource] = {}
        code_lists: dict[str, Terminology] = {}
        mistakes: list[Mistake] = []
        for client in registry.clients:
            try:
                keys[client.name] = self._keys(client)
                own = self._site_lists(client)
                if own is not None:
                    code_lists[client.name] = own
            except (KeySetError, OSError, TerminologyError) as problem:
                mistakes.append(Mistake(f'client "{client.name}"', str(problem), "mend that file"))
        if mistakes:
            raise ClientsFileError(self._path, mistakes)
        return ClientsInForce(registry, keys, code_lists, datetime.now(UTC))

    def _keys(self, client: Client) -> KeySource:
        if client.jwks_file is not None:
            return FixedKeys(read_key_set(client.jwks_file.read_bytes()))
        known = self._remote.get((client.jwks_url, client.private_networks))
        if known is None:  # else what was fetched stays, also when the address is out of order just now
            known = RemoteKeys(self._fetch(client), self._key_set_problem(client))
            self._remote[client.jwks_url, client.private_networks] = known
        return known

    def _fetch(self, client: Client) -> Callable[[], bytes]:
        rule = rule_for(client.jwks_url, client.private_networks)
        egress = Egress(EgressPolicy(frozenset({rule})), ca_file=self._ca_file, connections=1)

        def fetch() -> bytes:
            try:
                answer = egress.fetch(
                    "GET",
                    client.jwks_url,
                    headers={"Accept": "application/json"},
                    deadline=Deadline(SECONDS_FOR_KEYS),
                    max_bytes=LARGEST_DOCUMENT,
                )
            except (EgressFailed, EgressRefused) as problem:
                raise KeySetError(f"not to be had: {problem}") from None
            if answer.status != 200:
                raise KeySetError(f"not to be had: status {answer.status}")
            return answer.body

        return fetch

    def _key_set_problem(self, client: Client) -> Callable[[str], None]:
        return lambda said: self._log.write("warning", "key-set", f'client "{client.name}": {said}')


def _stamp(path: Path) -> object:
    try:
        found = path.stat()
    except OSError:
        return None
    return found.st_mtime_ns, found.st_size, found.st_ino
