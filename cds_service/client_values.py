"""The values of `clients.toml`, one reader for each kind: what is accepted, and what would mend what is not."""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Callable
from pathlib import Path
from typing import Final, TypeVar

from cards.profiles import PROFILES
from cds_service.egress_policy import BadAddress, Network, normal_base, read_origin, rule_for
from cds_service.key_sets import FITTING

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._-]{0,63}")
_RESERVED: Final = frozenset({"open", "command-line", "rehearsal", "public-sandbox"})
LONGEST_TEXT: Final = 1000
_T = TypeVar("_T")


class ValueProblem(ValueError):
    """A value that cannot be used. ``inside`` is its place in a list."""

    def __init__(self, what: str, mend: str, inside: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.mend = mend
        self.inside = inside


def read_text(value: object) -> str:
    """A text in one line, without spaces around it."""
    if not isinstance(value, str):
        raise ValueProblem("not a text", 'write it in quotes, as in "text"')
    if not value.strip():
        raise ValueProblem("empty", "write it, or leave the key out")
    if value != value.strip() or not value.isprintable() or len(value) > LONGEST_TEXT:
        raise ValueProblem(
            "spaces around it, unprintable characters, or too long", f"one line of at most {LONGEST_TEXT} characters"
        )
    return value


def read_name(value: object) -> str:
    """The name of a client in logs, and part of the ids of its cards."""
    text = read_text(value)
    if not _NAME.fullmatch(text):
        raise ValueProblem("not a name", "use lower-case letters, digits, `.`, `_` and `-`, 64 at most")
    if text in _RESERVED:
        raise ValueProblem("a name that the service uses itself", "choose another")
    return text


def read_list(value: object, read: Callable[[object], _T]) -> tuple[_T, ...]:
    """A list of such values, none of them twice."""
    if not isinstance(value, list):
        raise ValueProblem("not a list", 'write it in brackets, as in ["one", "two"]')
    found: list[_T] = []
    for place, each in enumerate(value):
        try:
            item = read(each)
        except ValueProblem as problem:
            raise ValueProblem(problem.what, problem.mend, f"[{place}]") from None
        if item in found:
            raise ValueProblem("stands twice", "leave one out", f"[{place}]")
        found.append(item)
    return tuple(found)


def read_address(value: object) -> str:
    """A web address that this service may contact: https, or http on this machine."""
    text = read_text(value)
    try:
        rule_for(text)
    except BadAddress as problem:
        raise ValueProblem(str(problem), "such as https://ehr.example.org/fhir") from None
    return text


def read_server(value: object) -> str:
    """The base address of a FHIR server, in the one form that is compared."""
    text = read_address(value)
    try:
        return normal_base(text)
    except BadAddress as problem:
        raise ValueProblem(str(problem), "write the base address alone") from None


def read_audience(value: object) -> str:
    """The base address at which a client calls this service."""
    text = read_text(value)
    try:
        base = normal_base(text)
    except BadAddress as problem:
        raise ValueProblem(str(problem), "such as https://cds.example.org") from None
    if "/cds-services" in base:
        raise ValueProblem("an endpoint, not a base address", "leave /cds-services and what follows out")
    return base


def read_page_origin(value: object) -> str:
    """An origin as a browser writes it: scheme, host, and the port where it is not the usual one."""
    text = read_text(value)
    if text in ("*", "null"):
        raise ValueProblem("no origin of one page", "name each origin, such as https://app.example.org")
    try:
        scheme, host, port = read_origin(text)
        usual = normal_base(text)
    except BadAddress as problem:
        raise ValueProblem(str(problem), "such as https://app.example.org") from None
    if text != usual or "/" in text.partition("://")[2]:
        shown = f"[{host}]" if ":" in host else host
        written = f"{scheme}://{shown}" + ("" if port == {"https": 443, "http": 80}[scheme] else f":{port}")
        raise ValueProblem("not as a browser writes an origin", f"write {written}")
    return text


def read_algorithms(value: object) -> tuple[str, ...]:
    """Signature algorithms: asymmetric ones only."""
    names = read_list(value, read_text)
    for place, name in enumerate(names):
        if name not in FITTING:
            raise ValueProblem("not an algorithm that is taken", "choose from " + ", ".join(FITTING), f"[{place}]")
    if not names:
        raise ValueProblem("empty", "name one at least, or leave the key out for ES384 and RS384")
    return names


def read_network(value: object) -> Network:
    """A range of addresses, such as 10.20.0.0/16."""
    text = read_text(value)
    try:
        network = ipaddress.ip_network(text)
    except ValueError:
        raise ValueProblem("not a range of addresses", "such as 10.20.0.0/16") from None
    if network.prefixlen < (8 if network.version == 4 else 32):
        raise ValueProblem("a range of half the world", "name the network of the servers")
    return network


def read_whole(value: object, lowest: int, highest: int) -> int:
    """A whole number within bounds."""
    if isinstance(value, bool) or not isinstance(value, int) or not lowest <= value <= highest:
        raise ValueProblem("not a number that can be used", f"a whole number from {lowest} to {highest}")
    return value


def read_profile(value: object) -> str:
    """How answers are written for this client."""
    text = read_text(value)
    if text not in PROFILES:
        raise ValueProblem("not a profile", "choose from " + ", ".join(PROFILES))
    return text


def read_flag(value: object) -> bool:
    """Yes or no."""
    if not isinstance(value, bool):
        raise ValueProblem("neither true nor false", "write true or false, without quotes")
    return value


def read_path(value: object, folder: Path) -> Path:
    """A file that is there; its path counts from the folder of the clients file."""
    path = folder / read_text(value)
    if not path.is_file():
        raise ValueProblem("no such file", f"paths count from {folder.resolve()}")
    return path
