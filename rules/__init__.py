"""The decision core: facts in, a cited recommendation out; no FHIR, HTTP, clock or environment."""
