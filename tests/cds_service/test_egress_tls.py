"""TLS towards other servers: the certificate must be of a known authority and name the host, whatever its address."""

from __future__ import annotations

import ipaddress
import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from cds_service.deadline import Deadline
from cds_service.egress import Egress, EgressFailed, EgressPolicy, rule_for
from sandbox.fhir_server import Behaviour, FhirServer, Store, running

LOOPBACK = (ipaddress.ip_network("127.0.0.0/8"),)
PATIENT = {"resourceType": "Patient", "id": "p1"}


def _certificate(folder: Path) -> tuple[Path, Path]:
    """A certificate for fhir.example.org that is its own authority, and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "fhir.example.org")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("fhir.example.org")]), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "certificate.pem", folder / "key.pem"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private.write_bytes(
        key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return certificate, private


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    return _certificate(tmp_path_factory.mktemp("tls"))


@pytest.fixture
def server(certificate: tuple[Path, Path]) -> Iterator[FhirServer]:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(*certificate)
    with running(Store([PATIENT]), Behaviour()) as ehr:
        ehr.socket = context.wrap_socket(ehr.socket, server_side=True)
        yield ehr


def _ask(host: str, server: FhirServer, ca_file: Path | None) -> bytes:
    base = f"https://{host}:{server.server_port}/fhir"
    egress = Egress(
        EgressPolicy(frozenset({rule_for(base, LOOPBACK)})),
        ca_file=None if ca_file is None else str(ca_file),
        resolver=lambda _host, _port: ["127.0.0.1"],
    )
    return egress.fetch("GET", f"{base}/Patient/p1", deadline=Deadline(5), max_bytes=10_000).body


def test_a_known_authority_and_the_right_name_are_spoken_to(server: FhirServer, certificate: tuple[Path, Path]) -> None:
    assert b'"p1"' in _ask("fhir.example.org", server, certificate[0])


def test_a_certificate_for_another_name_is_refused(server: FhirServer, certificate: tuple[Path, Path]) -> None:
    with pytest.raises(EgressFailed, match="TLS"):
        _ask("other.example.org", server, certificate[0])
    assert not server.requests


def test_an_authority_that_is_not_known_is_refused(
    server: FhirServer, certificate: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch
) -> None:
    # Variables that other programs read must not make an authority known here.
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificate[0]))
    monkeypatch.setenv("CURL_CA_BUNDLE", str(certificate[0]))
    with pytest.raises(EgressFailed, match="TLS"):
        _ask("fhir.example.org", server, None)
    assert not server.requests
