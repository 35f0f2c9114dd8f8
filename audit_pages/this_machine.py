"""Whether a request was addressed to this machine: a page elsewhere can make its own name lead here."""

from __future__ import annotations

import ipaddress
import re
from typing import Final

_HOST: Final = re.compile(r"([A-Za-z0-9._-]{1,253})(?::[0-9]{1,5})?|\[([0-9A-Fa-f:.]{2,45})\](?::[0-9]{1,5})?")


def name_in(host: str) -> str:
    """The name or address in a `Host` header, in small letters and without its port; empty where it is none."""
    found = _HOST.fullmatch(host)
    return (found[1] or found[2]).lower() if found is not None else ""


def is_loopback(name: str) -> bool:
    """Does that name or address stand for this machine, whatever any resolver says?"""
    if name == "localhost":
        return True
    try:
        return ipaddress.ip_address(name).is_loopback
    except ValueError:
        return False
