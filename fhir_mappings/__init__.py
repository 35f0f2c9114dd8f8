"""FHIR R4 JSON to the facts the rules read, and the one writer back; the only code that reads FHIR fields."""
