"""Repeatable benchmarks of the service against a floor on the same machine."""
