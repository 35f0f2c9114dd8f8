"""A real service on a socket, and the pretend EHR in front of it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from flask import Flask
from flask.testing import FlaskClient

from sandbox.ehr.app import create_ehr
from sandbox.ehr.clinic import Clinic
from sandbox.ehr.service_client import ServiceClient
from tests.clinic import http_clinic

FHIR_BASE = "http://127.0.0.1:9/fhir"  # nobody there: everything that a call needs is in its prefetch


@pytest.fixture(scope="package")
def service() -> Iterator[ServiceClient]:
    with http_clinic() as clinic:
        yield ServiceClient(clinic.base_url)


@pytest.fixture(scope="package")
def clinic() -> Clinic:
    return Clinic(FHIR_BASE)


@pytest.fixture
def ehr(clinic: Clinic, service: ServiceClient) -> Flask:
    return create_ehr(clinic, service)


@pytest.fixture
def browser(ehr: Flask) -> FlaskClient:
    return ehr.test_client()
