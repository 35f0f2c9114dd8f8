"""By what answers are made: the software's version, and the contents of everything it reads, under their hashes.

A record names the hashes and the store keeps each content once, so that an answer can be made again from what it was
made by, whatever is in force by then.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterator, Mapping
from functools import cache
from importlib.metadata import version
from importlib.resources import files
from importlib.resources.abc import Traversable
from typing import Final, Literal

import msgspec
from msgspec import Struct

from audit_trail.record import Versions
from cds_service.settings import Settings
from fhir_mappings.terminology import Terminology

Name = Literal["rules", "terminology", "wording", "settings"]
# The packages whose data files are the content of that name.
PACKAGES: Final[Mapping[Name, str]] = {"rules": "rules", "terminology": "fhir_mappings", "wording": "cards"}
# Code that shapes an answer; the rest of the service carries it.
_CODE: Final = ("rules", "fhir_mappings", "cards")
_CODE_OF_THE_SERVICE: Final = ("consultation.py", "chart_source.py", "fetched_values.py", "service_catalogue.py")
_DATA: Final = (".toml", ".csv")
SITE: Final = "site"  # a site's own files, beside those of the package
_DIGITS_OF_CODE: Final = 12


class Content(Struct, frozen=True):
    """One thing that answers are made by: its files by name, as canonical JSON, and the hash of that."""

    name: Name
    digest: str
    json: bytes


class InForce(Struct, frozen=True):
    """What a record names, and the contents behind the names."""

    versions: Versions
    contents: tuple[Content, ...]


def in_force(settings: Settings, site_parameters: Mapping[str, float], terminology: Terminology) -> InForce:
    """Everything that answers are made by under these settings and code lists."""
    contents = (
        _packaged("rules"),
        _terminology(terminology),
        _packaged("wording"),
        content_of("settings", {"settings.json": _settings_text(settings, site_parameters, terminology)}),
    )
    digests = {content.name: content.digest for content in contents}
    return InForce(Versions(software=software_version(), **digests), contents)


def content_of(name: Name, texts: Mapping[str, str]) -> Content:
    """Files as one content; the same files have the same hash, in whatever order they are named."""
    encoded = msgspec.json.encode(texts, order="deterministic")
    return Content(name, hashlib.sha256(encoded).hexdigest(), encoded)


def texts_of(content: bytes) -> dict[str, str]:
    """The files of a content, by name."""
    return msgspec.json.decode(content, type=dict[str, str])


@cache
def software_version() -> str:
    """The released version, and a digest of the code that shapes an answer: two builds of one version differ in it."""
    digest = hashlib.sha256()
    for name, text in sorted(_code_files()):
        digest.update(f"{name}\0{len(text)}\0".encode())
        digest.update(text)
    return f"{version('lumbar-imaging-cds')}+{digest.hexdigest()[:_DIGITS_OF_CODE]}"


def _code_files() -> Iterator[tuple[str, bytes]]:
    for package in _CODE:
        for name, entry in _walk(files(package), package):
            if name.endswith(".py"):
                yield name, entry.read_bytes()
    for name in _CODE_OF_THE_SERVICE:
        yield f"cds_service/{name}", files("cds_service").joinpath(name).read_bytes()


@cache
def _packaged(name: Name) -> Content:
    return content_of(name, packaged_texts(PACKAGES[name]))


def _terminology(terminology: Terminology) -> Content:
    """Our code lists, and the site's own; what was left out for want of a licence stands in the settings."""
    own = packaged_texts(PACKAGES["terminology"])
    return content_of("terminology", {**own, **{f"{SITE}/{name}": text for name, text in terminology.site_files}})


def packaged_texts(package: str) -> dict[str, str]:
    """The data files of a package, by their path in it."""
    return {
        name.partition("/")[2]: entry.read_text(encoding="utf-8")
        for name, entry in _walk(files(package), package)
        if name.endswith(_DATA)
    }


def _walk(folder: Traversable, path: str) -> Iterator[tuple[str, Traversable]]:
    for entry in folder.iterdir():
        name = f"{path}/{entry.name}"
        if entry.is_dir():
            yield from _walk(entry, name)
        else:
            yield name, entry


class DecisionSettings(Struct, frozen=True, kw_only=True):
    """The settings that shape an answer; where the service listens, and whom it trusts, does not."""

    rating_guideline: str
    show_appropriate: tuple[str, ...]
    site_parameters: dict[str, int | float]  # days are whole numbers, and must stay so
    base_url: str
    canonical_base: str
    without_cpt: bool
    without_licensed_snomed: bool
    max_resources: int
    left_out: tuple[str, ...] = ()  # code systems that were left out for want of a licence


def _settings_text(settings: Settings, site_parameters: Mapping[str, float], terminology: Terminology) -> str:
    shaping = DecisionSettings(
        rating_guideline=settings.rating_guideline,
        show_appropriate=tuple(sorted(settings.show_appropriate)),
        site_parameters=dict(sorted(site_parameters.items())),
        base_url=settings.base_url,
        canonical_base=settings.canonical_base,
        without_cpt=settings.without_cpt,
        without_licensed_snomed=settings.without_licensed_snomed,
        max_resources=settings.max_resources,
        left_out=tuple(sorted({each.system for each in terminology.unavailable})),
    )
    return msgspec.json.format(msgspec.json.encode(shaping), indent=2).decode()
