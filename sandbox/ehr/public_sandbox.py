"""Links that open the public CDS Hooks sandbox on a patient of ours, against the service on this machine."""

from __future__ import annotations

from urllib.parse import urlencode

PUBLIC_SANDBOX = "https://sandbox.cds-hooks.org/"


def deep_link(fhir_base: str, patient_id: str, discovery: str, hook: str = "order-select") -> str:
    """The imaging screen needs both ``screen`` and ``hook``: with the screen alone it calls, and draws no card."""
    asked = {
        "screen": "pama",
        "hook": hook,
        "fhirServiceUrl": fhir_base,
        "patientId": patient_id,
        "serviceDiscoveryURL": discovery,
    }
    return f"{PUBLIC_SANDBOX}?{urlencode(asked)}"
