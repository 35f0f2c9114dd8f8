"""Requests as an EHR sends them, small, typical and large: `python -m bench.generate typical > request.json`.

The same size, seed and day give the same bytes; the seed also decides which of the size's kinds of case it is. Most of
a chart has nothing to do with the back: vital signs and laboratory results dominate (as in Synthea's and US Core's
records), then medicines, problems, procedures, old orders and reports. The entries that decide come from ``histories``.
"""

import argparse
import sys
from datetime import UTC, date, datetime

import msgspec
from msgspec import Struct

from bench import histories
from bench.clutter import clutter
from bench.people_and_visit import patient, role_of_user, visit
from bench.resources import BASE, ChartWriter, Json

SEED = 20
SERVICE = "lumbar-imaging-order-select"


class Size(Struct, frozen=True):
    """Kinds of case, and how many clutter entries each part of the chart holds, over how many years."""

    histories: tuple[histories.History, ...]
    years: int
    counts: dict[str, int]


# To wait, an emergency, another study than at first sight, going on with care, the right study.
_SHORT = (histories.THREE_WEEKS, histories.FRESH_SADDLE_NUMBNESS, histories.CANCER_IN_SHORT)
_LONG = (
    histories.SCIATICA_IN_THERAPY,
    histories.OLD_CANCER_NEW_PAIN,
    histories.FRESH_SADDLE_NUMBNESS,
    histories.SURGERY_CONSIDERED,
    histories.THREE_WEEKS,
)
SIZES: dict[str, Size] = {
    "small": Size(_SHORT, 2, {"conditions": 1, "vitalSigns": 1, "allergies": 1}),
    "typical": Size(
        _LONG,
        4,
        {
            "conditions": 10,
            "vitalSigns": 36,
            "laboratory": 22,
            "surveys": 4,
            "socialHistory": 3,
            "procedures": 4,
            "medications": 12,
            "serviceRequests": 4,
            "imagingReports": 2,
            "allergies": 2,
        },
    ),
    "large": Size(
        _LONG,
        15,
        {
            "conditions": 95,
            "vitalSigns": 800,
            "laboratory": 550,
            "surveys": 55,
            "socialHistory": 25,
            "procedures": 80,
            "medications": 190,
            "serviceRequests": 105,
            "imagingReports": 25,
            "devices": 2,
            "allergies": 8,
        },
    ),
}

# Every part that the service's discovery document asks for; a part without entries is sent as an empty searchset.
PARTS = (
    "conditions",
    "examination",
    "vitalSigns",
    "laboratory",
    "surveys",
    "socialHistory",
    "procedures",
    "medications",
    "serviceRequests",
    "imagingReports",
    "devices",
    "allergies",
)


def request_body(size: str, today: date, seed: int = SEED) -> bytes:
    """The request of one named size."""
    return _body(SIZES[size], today, seed, codings=2)


def scaled_body(resources: int, today: date, codings: int = 2, seed: int = SEED) -> bytes:
    """A large chart of about this many resources, each code given in this many codings: shows how cost grows."""
    large = SIZES["large"]
    factor = resources / sum(large.counts.values())
    counts = {part: max(1, round(count * factor)) for part, count in large.counts.items()}
    return _body(Size(large.histories, large.years, counts), today, seed, codings)


def count_resources(body: bytes) -> int:
    """How many resources the chart in this request holds, the draft order not counted."""
    prefetch: dict[str, Json] = msgspec.json.decode(body)["prefetch"]
    return sum(len(part.get("entry", ())) if part["resourceType"] == "Bundle" else 1 for part in prefetch.values())


def _body(size: Size, today: date, seed: int, codings: int) -> bytes:
    chart = ChartWriter(seed, today, codings)
    history = size.histories[(seed - SEED) % len(size.histories)]
    deciding = history.write(chart)
    prefetch: dict[str, Json] = {"patient": patient(chart, history.age, history.sex)}
    for part in PARTS:
        everyday = clutter(part, size.counts.get(part, 0), size.years * 365, chart)
        prefetch[part] = _searchset([*deciding.get(part, ()), *everyday], chart)
    prefetch["encounter"] = visit(chart)
    prefetch["userRole"] = _searchset([role_of_user(chart)], chart)
    return msgspec.json.encode(_call(chart, histories.draft_order(chart, history), prefetch))


def _call(chart: ChartWriter, draft: Json, prefetch: dict[str, Json]) -> Json:
    return {
        "hook": "order-select",
        "hookInstance": chart.new_id(),
        "fhirServer": BASE,
        "context": {
            "userId": f"Practitioner/{chart.practitioner_id}",
            "patientId": chart.patient_id,
            "encounterId": chart.encounter_id,
            "selections": [f"ServiceRequest/{draft['id']}"],
            "draftOrders": {"resourceType": "Bundle", "type": "collection", "entry": [{"resource": draft}]},
        },
        "prefetch": prefetch,
    }


def _searchset(resources: list[Json], chart: ChartWriter) -> Json:
    entries = []
    for resource in resources:
        address = f"{BASE}/{resource['resourceType']}/{resource['id']}"
        entries.append({"fullUrl": address, "resource": resource, "search": {"mode": "match"}})
    bundle: Json = {
        "resourceType": "Bundle",
        "type": "searchset",
        "total": len(entries),
    }
    if entries:
        bundle["link"] = [{"relation": "self", "url": f"{BASE}/?patient={chart.patient_id}"}]
        bundle["entry"] = entries
    return bundle


def main(arguments: list[str] | None = None) -> int:
    """Write one request to standard output."""
    parser = argparse.ArgumentParser(prog="python -m bench.generate", description=__doc__.splitlines()[0])
    parser.add_argument("size", choices=sorted(SIZES))
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--today", type=date.fromisoformat, default=datetime.now(tz=UTC).date())
    options = parser.parse_args(arguments)
    sys.stdout.buffer.write(request_body(options.size, options.today, options.seed) + b"\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
