"""Run the small FHIR R4 server.

python -m sandbox.fhir_server                                the stories' patients, on http://127.0.0.1:8095/fhir
python -m sandbox.fhir_server --load PATIENT.json            Bundles or lists of resources of your own
python -m sandbox.fhir_server --token secret --page-size 5   as a server that wants a token and pages early
"""

import argparse
import sys
from pathlib import Path
from typing import Any

import msgspec

from sandbox.fhir_server.behaviour import Behaviour
from sandbox.fhir_server.server import FhirServer, wait_for_ever
from sandbox.fhir_server.store import Store, TwoPatients
from sandbox.stories import load, store_of


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = _options(arguments)
    try:
        store = _store(options.load)
    except (OSError, msgspec.DecodeError, KeyError, TypeError, TwoPatients) as problem:
        print(f"cannot load: {type(problem).__name__}: {problem}", file=sys.stderr)
        return 2
    behaviour = Behaviour(
        tokens=frozenset(options.token), page_size=options.page_size, delay=options.delay, fhir=options.fhir
    )
    server = FhirServer(store, behaviour, port=options.port)
    print(f"FHIR server on {server.base}; stop with Ctrl-C", flush=True)
    wait_for_ever(server)
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="python -m sandbox.fhir_server", description="A small FHIR R4 server.")
    parser.add_argument("--port", type=int, default=8095)
    parser.add_argument("--load", action="append", type=Path, default=[], metavar="FILE", help="a Bundle, or a list")
    parser.add_argument("--token", action="append", default=[], help="a bearer token to accept; without any, all are")
    parser.add_argument("--page-size", type=int, default=1000, help="most entries of a page")
    parser.add_argument("--delay", type=float, default=0.0, help="seconds before each answer")
    parser.add_argument("--fhir", choices=("r4", "r4b", "stu3", "dstu2"), default="r4")
    return parser.parse_args(arguments)


def _store(files: list[Path]) -> Store:
    if not files:
        return store_of(load())
    store = Store()
    for file in files:
        document: Any = msgspec.json.decode(file.read_bytes())
        for resource in document if isinstance(document, list) else [document]:
            store.put(resource)
    return store


if __name__ == "__main__":
    sys.exit(main())
