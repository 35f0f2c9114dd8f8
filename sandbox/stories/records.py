"""The records of the stories' patients, as an R4 server holds them."""

from __future__ import annotations

from collections.abc import Iterable

from sandbox.fhir_server.store import Resource, Store
from sandbox.stories.story import Story

# The public CDS Hooks sandbox says that this practitioner orders, on whichever server: no specialty, so no setting.
ANYBODY: Resource = {
    "resourceType": "Practitioner",
    "id": "COREPRACTITIONER1",
    "active": True,
    "name": [{"text": "Sandbox Clinician, public sandbox", "family": "Clinician", "given": ["Sandbox"]}],
}


def store_of(stories: Iterable[Story]) -> Store:
    """A store with these patients; what the EHR of a story fails to read fails here too."""
    store = Store([ANYBODY])
    for story in stories:
        for resource in story.resources:
            store.put(resource)
        if story.unreadable:
            store.fail_for(story.patient_id, story.unreadable)
    return store
