"""What a newcomer reads when everything runs: the address to open first, then what else there is to try."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from sandbox.ehr.public_sandbox import deep_link
from sandbox.launcher import Places
from sandbox.stories import Story

LINKS_SHOWN = 3
DEFAULT_PORT = 8090


def welcome(places: Places, ehr: str, fhir_base: str, stories: Sequence[Story]) -> Iterator[str]:
    """The lines of it."""
    service = places.service
    yield ""
    yield f"  Open in a browser:   {ehr}"
    yield "  Choose a patient, press the order: the card is there. Made-up patients only; nobody is authenticated, so"
    yield "  all of it listens on this machine alone."
    yield ""
    yield "Then:"
    yield f"  {ehr}/what-if   change a fact, see how the decision moves"
    yield f"  {service}/cds-services   what the service offers"
    yield f"  {service}/audit   what was decided, and what became of it"
    yield f"  {fhir_base}/metadata   the patients' R4 server"
    yield ""
    yield "The same service in the public CDS Hooks sandbox (allow access to the local network when the browser asks):"
    for story in _shown(stories):
        yield f"  {story.title}"
        yield f"    {deep_link(fhir_base, story.patient_id, f'{service}/cds-services')}"
    yield '  There, switch its own "pama-imaging" off (gear, Configure CDS Services): its rating may replace this one.'
    yield ""
    yield "In another terminal:"
    yield f"  curl {service}/cds-services"
    there = "" if places.service_port == DEFAULT_PORT else f" --url {service}"
    yield f"  .venv/bin/python -m sandbox.try_requests saddle-numbness-and-retention-radiograph --post{there}"
    yield ""
    yield f"Log and records: {places.state}"
    yield "Stop with Ctrl-C."


def _shown(stories: Sequence[Story]) -> Sequence[Story]:
    """The first story, its dangerous twin, and one more."""
    if not stories:
        return ()
    first = stories[0]
    twin = [each for each in stories if each.id == first.twin]
    others = [each for each in stories if each is not first and each not in twin and each.dangerous]
    return (first, *twin, *others)[:LINKS_SHOWN]
