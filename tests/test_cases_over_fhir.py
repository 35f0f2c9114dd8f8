"""Every clinical case from a FHIR server over HTTP: the same decision and the same words as from prefetch.

CALL-3 all prefetch, none, and half: identical decision and card text.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, time

import msgspec
import pytest

from cds_service.consultation import Consultation, consult
from cds_service.service_catalogue import SERVICES
from cds_service.trust import Caller
from sandbox.fhir_server import Behaviour, FhirServer, running
from tests.acr_grid import acr_cells
from tests.case_reader import Case, read_cases
from tests.clinic import usual_tools
from tests.fhir_calls import TOKEN, every_other, everything, is_whole, store_of, without
from tests.hook_requests import Request

CASES = [
    case
    for case in (*read_cases(), *acr_cells())
    if not case.settings and is_whole(case.request) and case.expect.get("status", 200) == 200
]
BEHAVIOUR = Behaviour(tokens=frozenset({TOKEN}))
ON_A_BAD_SERVER = Behaviour(tokens=frozenset({TOKEN}), page_size=1, post_search=405, nothing_found="outcome")
HALF_SAMPLE = 3  # every how-manieth case is asked with half of its prefetch too
SAMPLE = 10  # every how-manieth case is asked of a server with one entry a page, and without POST searches
_SERVICE_FOR = {service.hook: service for service in SERVICES}


def _name(case: Case) -> str:
    return f"{case.file.removesuffix('.toml')}: {case.name}"


@pytest.fixture(scope="module")
def server() -> Iterator[FhirServer]:
    with running(behaviour=BEHAVIOUR) as ehr:
        yield ehr


def _asked(request: Request, case: Case, base: str) -> Consultation:
    now = datetime.combine(case.as_of, time(12), UTC)
    caller = Caller("open", fhir_servers=frozenset({base}))
    return consult(msgspec.json.encode(request), _SERVICE_FOR[request["hook"]], caller, now, usual_tools())


def _said(consultation: Consultation) -> object:
    """The answer without its ids, which derive from the bytes of the call."""

    def without_ids(value: object) -> object:
        if isinstance(value, dict):
            return {key: without_ids(each) for key, each in value.items() if key not in ("uuid", "id")}
        if isinstance(value, list):
            return [without_ids(each) for each in value if not _is_id_of_the_consultation(each)]
        return value

    return without_ids(msgspec.json.decode(consultation.answer))


def _is_id_of_the_consultation(value: object) -> bool:
    return isinstance(value, dict) and str(value.get("url", "")).endswith("pama-rating-consult-id")


def _same(case: Case, server: FhirServer, goes: Callable[[str], bool]) -> None:
    from_prefetch = _asked(case.request, case, server.base)
    over_http = _asked(without(case.request, server.base, goes), case, server.base)
    assert over_http.advice == from_prefetch.advice
    assert _said(over_http) == _said(from_prefetch)
    assert not over_http.fetched.troubles


@pytest.mark.parametrize("case", CASES, ids=_name)
def test_without_prefetch_the_answer_is_the_same(case: Case, server: FhirServer) -> None:
    server.serve(store_of(case.request), BEHAVIOUR)
    _same(case, server, everything)


@pytest.mark.parametrize("case", CASES[::HALF_SAMPLE], ids=_name)
def test_with_half_of_the_prefetch_the_answer_is_the_same(case: Case, server: FhirServer) -> None:
    server.serve(store_of(case.request), BEHAVIOUR)
    _same(case, server, every_other)


@pytest.mark.parametrize("case", CASES[::SAMPLE], ids=_name)
def test_a_server_that_pages_early_and_takes_no_posts_gives_the_same(case: Case) -> None:
    with running(store_of(case.request), ON_A_BAD_SERVER) as ehr:
        _same(case, ehr, everything)


def test_nearly_all_cases_are_asked() -> None:
    assert len(CASES) > 0.8 * len([*read_cases(), *acr_cells()])
