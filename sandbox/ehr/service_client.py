"""The CDS service as an EHR meets it: discovery, hooks and feedback over HTTP, every exchange kept to be looked at."""

from __future__ import annotations

import time
from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

import msgspec
import requests
from msgspec import Struct

Json = dict[str, Any]
PROFILE_HEADER = "Lumbar-CDS-Profile"
PATIENCE = 10.0  # seconds; an EHR that waits longer holds up its clinician
DISCOVERY_KEPT = 30.0  # seconds


class Service(Struct, frozen=True):
    """One service of the discovery document."""

    id: str
    hook: str
    title: str = ""
    description: str = ""
    prefetch: Mapping[str, str] = {}


class _Discovery(Struct):
    services: list[Service]


class Exchange(Struct, frozen=True):
    """One request and what came back, as both travelled. ``status`` 0: nothing came back."""

    what: str
    address: str
    at: datetime
    milliseconds: float
    request: Json
    status: int = 0
    answer: Any = None
    problem: str = ""
    profile: str = ""  # the kind of client that the answer was to be written for; empty: the service's own choice

    @property
    def good(self) -> bool:
        """Was it answered as it should be?"""
        return 200 <= self.status < 300 and not self.problem


class ServiceSilent(RuntimeError):
    """The service was not reached, or what it offers is not what this EHR needs."""


class ServiceClient:
    """Calls the service at one base address. Safe to use from several threads."""

    def __init__(self, base: str) -> None:
        self.base = base.rstrip("/")
        self._session = requests.Session()
        self._session.trust_env = False  # a proxy of the environment knows no loopback address
        self._services: dict[str, Service] = {}
        self._asked = -DISCOVERY_KEPT

    @property
    def discovery(self) -> str:
        """The discovery address."""
        return f"{self.base}/cds-services"

    def service_for(self, hook: str) -> Service:
        """The service that answers a hook, as discovery has it."""
        if time.monotonic() - self._asked > DISCOVERY_KEPT or hook not in self._services:
            self._services = self._discover()
            self._asked = time.monotonic()
        found = self._services.get(hook)
        if found is None:
            raise ServiceSilent(f"{self.discovery} offers no service for {hook}")
        return found

    def close(self) -> None:
        """Hangs up."""
        self._session.close()

    def _discover(self) -> dict[str, Service]:
        try:
            answer = self._session.get(self.discovery, timeout=PATIENCE)
            answer.raise_for_status()
            found = msgspec.json.decode(answer.content, type=_Discovery)
        except (requests.RequestException, msgspec.DecodeError) as problem:
            raise ServiceSilent(f"no services at {self.discovery}: {_in_words(problem)}") from problem
        return {service.hook: service for service in found.services}

    def call(self, service: Service, request: Json, profile: str = "") -> Exchange:
        """One hook call; the answer written as for the kind of client that ``profile`` names."""
        return self._post(service.hook, f"{self.discovery}/{service.id}", request, profile)

    def feedback(self, service_id: str, items: list[Json]) -> Exchange:
        """What became of cards."""
        return self._post("feedback", f"{self.discovery}/{service_id}/feedback", {"feedback": items})

    def _post(self, what: str, address: str, request: Json, profile: str = "") -> Exchange:
        at, began = datetime.now(UTC), time.monotonic()
        as_for = {PROFILE_HEADER: profile} if profile else {}
        try:
            reply = self._session.post(
                address,
                data=msgspec.json.encode(request),
                headers={"Content-Type": "application/json", "Accept": "application/json", **as_for},
                timeout=PATIENCE,
            )
        except requests.RequestException as problem:
            return Exchange(what, address, at, _since(began), request, problem=_in_words(problem), profile=profile)
        answer, trouble = _read(reply)
        return Exchange(what, address, at, _since(began), request, reply.status_code, answer, trouble, profile)


def _since(began: float) -> float:
    return (time.monotonic() - began) * 1000


def _read(reply: requests.Response) -> tuple[Any, str]:
    """What came back, and what is wrong with it."""
    trouble = "" if reply.ok else f"answered with status {reply.status_code}"
    if not reply.content:
        return None, trouble
    try:
        return msgspec.json.decode(reply.content), trouble
    except msgspec.DecodeError:
        return reply.text[:2000], trouble or "the answer is no JSON"


def _in_words(problem: Exception) -> str:
    if isinstance(problem, requests.ConnectionError):
        return "nobody answers there"
    if isinstance(problem, requests.Timeout):
        return f"no answer within {PATIENCE:.0f} seconds"
    return str(problem)
