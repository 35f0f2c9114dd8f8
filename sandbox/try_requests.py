"""Try the sample calls on a running service.

python -m sandbox.try_requests                          list the samples and what each tells
python -m sandbox.try_requests NAME --post              send it and print the cards
python -m sandbox.try_requests NAME --print             write the request, dates filled in, for curl or `evaluate`
python -m sandbox.try_requests --all --post             send every one
"""

import argparse
import sys
from collections.abc import Iterator
from datetime import UTC, date, datetime
from typing import Any
from uuid import uuid4

import msgspec
import requests

from sandbox.samples import PATIENTS, REQUESTS, Sample, UnknownSample, sample, samples

DEFAULT_URL = "http://127.0.0.1:8090"
PATIENCE = 10  # seconds
RATING = "http://fhir.org/argonaut/Extension/pama-rating"


class CannotPost(RuntimeError):
    """The service was not reached, or the sample is not a call."""


def main(arguments: list[str] | None = None) -> int:
    """The command line."""
    options = _options(arguments)
    if not options.names and not options.all:
        _say(*_listing())
        return 0
    try:
        chosen = list(samples().values()) if options.all else [sample(name) for name in options.names]
        if options.all:
            chosen = [each for each in chosen if each.kind == REQUESTS]
        for each in chosen:
            filled = each.filled(options.today, lambda: str(uuid4()))
            _say(*(_post(each, filled, options.url) if options.post else [filled.rstrip()]))
    except (UnknownSample, CannotPost) as problem:
        print(problem, file=sys.stderr)
        return 1
    return 0


def _options(arguments: list[str] | None) -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        prog="python -m sandbox.try_requests",
        description="Sample hook requests and patient records, with dates relative to today.",
    )
    parser.add_argument("names", nargs="*", metavar="NAME")
    parser.add_argument("--all", action="store_true", help="every sample hook request")
    action = parser.add_mutually_exclusive_group()
    action.add_argument("--post", action="store_true", help="send it to the service and print the cards")
    action.add_argument("--print", action="store_true", help="write the filled request (this is the default)")
    parser.add_argument("--url", default=DEFAULT_URL, help=f"where the service answers [{DEFAULT_URL}]")
    parser.add_argument("--today", type=date.fromisoformat, default=datetime.now(tz=UTC).date(), metavar="YYYY-MM-DD")
    return parser.parse_args(arguments)


def _listing() -> Iterator[str]:
    yield "Sample hook requests (--post sends one, --print writes it):"
    for each in samples().values():
        if each.kind == PATIENTS:
            continue
        yield f"  {each.name}"
        yield f"      {each.story}"
    yield "Whole records (--print, then `lumbar-cds evaluate - --order ORDER`):"
    for each in samples().values():
        if each.kind == PATIENTS:
            yield f"  {each.name}"
            yield f"      {each.story} {each.advice}"


def _post(each: Sample, filled: str, url: str) -> Iterator[str]:
    if each.kind != REQUESTS:
        raise CannotPost(f"{each.name} is a patient's record, not a call: use --print and `lumbar-cds evaluate`")
    hook = msgspec.json.decode(filled)["hook"]
    address = f"{url.rstrip('/')}/cds-services/lumbar-imaging-{hook}"
    try:
        answer = requests.post(
            address, data=filled.encode(), headers={"Content-Type": "application/json"}, timeout=PATIENCE
        )
    except requests.RequestException as problem:
        raise CannotPost(f"no answer from {address}: is the service running (make run)? {problem}") from problem
    yield f"=== {each.name}"
    yield f"{each.story}"
    yield f"    expected: {each.advice}"
    if answer.status_code != 200:
        yield f"    refused with {answer.status_code}: {answer.text}"
        return
    yield from readable(answer.json())


def readable(answer: dict[str, Any]) -> Iterator[str]:
    """An answer's cards, suggestions and ratings as lines of text."""
    if not answer["cards"]:
        yield "    no card"
    for card in answer["cards"]:
        yield ""
        yield f"  [{card['indicator']}] {card['summary']}"
        for line in card.get("detail", "").splitlines():
            yield f"      {line}"
        for suggestion in card.get("suggestions", ()):
            recommended = "  (recommended)" if suggestion.get("isRecommended") else ""
            actions = ", ".join(action["type"] for action in suggestion.get("actions", ()))
            yield f"    > {suggestion['label']}{recommended}{f'  [{actions}]' if actions else ''}"
        for link in card.get("links", ()):
            yield f"    @ {link['label']}: {link['url']}"
    for order, rating in _ratings(answer):
        yield f"  rating of {order}: {rating}"
    yield ""


def _ratings(answer: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for action in answer.get("systemActions", ()):
        resource = action.get("resource", {})
        for extension in resource.get("extension", ()):
            if extension["url"] == RATING:
                codings = extension["valueCodeableConcept"]["coding"]
                yield resource["id"], ", ".join(coding["code"] for coding in codings)


def _say(*lines: str) -> None:
    for line in lines:
        print(line)


if __name__ == "__main__":
    sys.exit(main())
