"""A small FHIR R4 server over HTTP, for trying and testing the service. It pretends; it keeps nothing."""

from sandbox.fhir_server.behaviour import Behaviour, Fault
from sandbox.fhir_server.server import FhirServer, Request, running
from sandbox.fhir_server.store import Store

__all__ = ["Behaviour", "Fault", "FhirServer", "Request", "Store", "running"]
