"""Reads `clients.toml`: strictly, and with every mistake named by its place and by what would mend it."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, Iterable
from difflib import get_close_matches
from pathlib import Path
from typing import Any, Final

from msgspec import Struct

from cds_service.client_values import (
    ValueProblem,
    read_address,
    read_algorithms,
    read_audience,
    read_flag,
    read_list,
    read_name,
    read_network,
    read_page_origin,
    read_path,
    read_profile,
    read_server,
    read_text,
    read_whole,
)
from cds_service.clients import DEFAULT_ALGORITHMS, Client, Registry
from cds_service.key_sets import KeySet, KeySetError, read_key_set
from cds_service.public_sandbox import is_public

_TABLE: Final = re.compile(r"^[ \t]*\[\[[ \t]*client[ \t]*\]\]", re.MULTILINE)
_WHY_NEEDED: Final = {
    "name": "give the client a short name for logs and ids",
    "issuer": "write the `iss` of the client's tokens, exactly",
    "audiences": "write the base address at which the client calls this service, such as https://cds.example.org",
}


class Mistake(Struct, frozen=True):
    """One thing that is wrong with the file. ``where`` is a line, a client and a key; ``mend`` says what to do."""

    where: str
    what: str
    mend: str

    def __str__(self) -> str:
        return f"{self.where}: {self.what}; {self.mend}"


class ClientsFileError(ValueError):
    """The file cannot be used; all its mistakes, one a line."""

    def __init__(self, path: Path, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__("\n".join(f"{path}: {mistake}" for mistake in self.mistakes))


# Every key of a client, with the reader of its value. Paths count from the folder of the file.
_READERS: Final[dict[str, Callable[[object, Path], Any]]] = {
    "name": lambda value, _: read_name(value),
    "issuer": lambda value, _: read_text(value),
    "audiences": lambda value, _: read_list(value, read_audience),
    "jwks_url": lambda value, _: read_address(value),
    "jwks_file": read_path,
    "jku": lambda value, _: read_address(value),
    "tenants": lambda value, _: read_list(value, read_text),
    "extra_audiences": lambda value, _: read_list(value, read_text),
    "algorithms": lambda value, _: read_algorithms(value),
    "max_token_minutes": lambda value, _: read_whole(value, 1, 24 * 60),
    "fhir_servers": lambda value, _: read_list(value, read_server),
    "private_networks": lambda value, _: read_list(value, read_network),
    "origins": lambda value, _: read_list(value, read_page_origin),
    "code_maps": lambda value, folder: read_list(value, lambda each: read_path(each, folder)),
    "order_catalogue": read_path,
    "rate_per_minute": lambda value, _: read_whole(value, 1, 1_000_000),
    "burst": lambda value, _: read_whole(value, 1, 1_000_000),
    "profile": lambda value, _: read_profile(value),
    "synthetic_data_only": lambda value, _: read_flag(value),
    "silent": lambda value, _: read_flag(value),
}


def read_clients(path: Path) -> Registry:
    """The clients of the file, or all its mistakes at once."""
    text = _text(path)
    try:
        document = tomllib.loads(text)
    except tomllib.TOMLDecodeError as problem:
        raise ClientsFileError(path, [Mistake("not TOML", str(problem), "https://toml.io shows the form")]) from None
    mistakes = [
        Mistake("top of the file", f"unknown key `{key}`", "what is said of a client stands in its table [[client]]")
        for key in document
        if key != "client"
    ]
    entries = document.get("client")
    if not isinstance(entries, list) or not entries or not all(isinstance(each, dict) for each in entries):
        mistakes.append(Mistake("top of the file", "no client", "write a table [[client]] for each"))
        raise ClientsFileError(path, mistakes)
    places = _places(text, entries)
    clients: list[Client] = []
    for entry, place in zip(entries, places, strict=True):
        client, found = _read_client(entry, place, path.parent)
        mistakes += found
        clients += [] if client is None else [client]
    mistakes += _between(clients)
    if mistakes:
        raise ClientsFileError(path, mistakes)
    return Registry(clients)


def _text(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except OSError as problem:
        mistake = Mistake("file", problem.strerror or "not readable", "check the path, and who may read it")
        raise ClientsFileError(path, [mistake]) from None
    except UnicodeDecodeError:
        raise ClientsFileError(path, [Mistake("file", "not UTF-8", "save it as UTF-8")]) from None


def _places(text: str, entries: list[dict[str, Any]]) -> list[str]:
    """`line 12, client "st-anna"` for each client."""
    lines = [text.count("\n", 0, found.start()) + 1 for found in _TABLE.finditer(text)]
    numbered = len(lines) == len(entries)  # else the file is written in another form of TOML
    return [
        (f"line {lines[number]}" if numbered else f"client number {number + 1}")
        + (f', client "{each["name"]}"' if isinstance(each.get("name"), str) and each["name"].isprintable() else "")
        for number, each in enumerate(entries)
    ]


def _read_client(entry: dict[str, Any], place: str, folder: Path) -> tuple[Client | None, list[Mistake]]:
    found: list[Mistake] = []
    values: dict[str, Any] = {}
    for key, value in entry.items():
        if key not in _READERS:
            found.append(_unknown(key, place))
            continue
        try:
            values[key] = _READERS[key](value, folder)
        except ValueProblem as problem:
            found.append(Mistake(f"{place}, {key}{problem.inside}", problem.what, problem.mend))
    found += [
        Mistake(place, f"`{key}` is missing", why)
        for key, why in _WHY_NEEDED.items()
        if key not in entry or values.get(key) == ()
    ]
    found += _key_source(entry, values, place)
    return (None, found) if found else (Client(**values), [])


def _unknown(key: str, place: str) -> Mistake:
    if key == "update_only":
        return Mistake(place, "`update_only` is now a profile", 'write profile = "sandbox"')
    near = get_close_matches(key, _READERS, n=1)
    mend = f"did you mean `{near[0]}`?" if near else "known are " + ", ".join(_READERS)
    return Mistake(place, f"unknown key `{key}`", mend)


def _key_source(entry: dict[str, Any], values: dict[str, Any], place: str) -> list[Mistake]:
    """One source of keys, which holds keys that fit, and which not everybody can sign with."""
    if ("jwks_url" in entry) == ("jwks_file" in entry):
        what = "both `jwks_url` and `jwks_file`" if "jwks_url" in entry else "no public keys"
        mend = "write `jwks_url` (asked for when needed) or `jwks_file` (a JWK set that the client sent), one of them"
        return [Mistake(place, what, mend)]
    if "jku" in entry and "jwks_url" in entry:
        return [Mistake(place, "`jku` beside `jwks_url`", "leave `jku` out: tokens may name the `jwks_url` only")]
    keys: KeySet | None = None
    if "jwks_file" in values:
        try:
            keys = read_key_set(values["jwks_file"].read_bytes())
        except (KeySetError, OSError) as problem:
            return [Mistake(f"{place}, jwks_file", str(problem), "ask the client for its public JWK set")]
        usable = {algorithm for _, algorithm in keys.keys}
        if not usable & set(values.get("algorithms", DEFAULT_ALGORITHMS)):
            mend = f"its keys are for {', '.join(sorted(usable))}: name one of these in `algorithms`"
            return [Mistake(f"{place}, jwks_file", "no key fits `algorithms`", mend)]
    address = values.get("jwks_url", values.get("jku", ""))
    if is_public(values.get("issuer", ""), address, keys) and not values.get("synthetic_data_only"):
        what = "anybody can sign as this client: the private key of the public sandbox is published"
        return [Mistake(place, what, "for synthetic data only, and then say so: synthetic_data_only = true")]
    return []


def _between(clients: list[Client]) -> list[Mistake]:
    """Two clients that cannot be told apart."""
    found: list[Mistake] = []
    for number, later in enumerate(clients):
        for earlier in clients[:number]:
            pair = f'clients "{earlier.name}" and "{later.name}"'
            if earlier.name == later.name:
                found.append(Mistake(pair, "one name for two", "rename one: ids and logs tell them apart by it"))
            elif earlier.issuer == later.issuer and not (earlier.tenants and later.tenants):
                found.append(Mistake(pair, "the same issuer", "list the `tenants` of both"))
            elif earlier.issuer == later.issuer and set(earlier.tenants) & set(later.tenants):
                found.append(Mistake(pair, "the same issuer and a tenant in common", "each tenant has one client"))
    return found
