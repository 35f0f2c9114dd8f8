"""Addresses on one FHIR server: references and page links that stay on it, and nothing else."""

from __future__ import annotations

import re
from urllib.parse import urljoin, urlsplit

from cds_service.egress_policy import BadAddress, read_origin
from cds_service.prefetch_queries import safe_id

_HISTORY = "_history"


def reference_on(base: str, reference: str, types: frozenset[str]) -> str:
    """ "Condition/12" where the reference points to such a resource on this server, else nothing.

    ``base`` is in the form of ``normal_base``. Absolute references count if they start with it; those to any other
    server, and contained or urn references, are not followed.
    """
    path = reference
    if "://" in reference:
        path = _below(base, reference)
    parts = path.split("/")
    if len(parts) == 4 and parts[2] == _HISTORY:
        parts = parts[:2]
    if len(parts) != 2 or parts[0] not in types or not safe_id(parts[1]):
        return ""
    return f"{parts[0]}/{parts[1]}"


def page_on(base: str, link: str) -> str:
    """The address of the next page, absolute; empty where it leaves this server or can be read in two ways."""
    if not link or "#" in link:
        return ""
    if "://" in link:
        return link if _on(base, link) else ""
    # Some servers write "/Condition?..." and mean it below their base address.
    candidates = (urljoin(f"{base}/", link), f"{base}{link}" if re.match("/(?!/)", link) else "")
    return next((address for address in candidates if address and _on(base, address)), "")


def _on(base: str, address: str) -> bool:
    """Is it the base address itself (with a query), or below it?"""
    root = urlsplit(base).path
    return _path_on(base, address) in (root, f"{root}/") or bool(_below(base, address))


def _below(base: str, address: str) -> str:
    """What follows the base address; nothing where the address is not below it."""
    path, root = _path_on(base, address), f"{urlsplit(base).path}/"
    return path[len(root) :] if path is not None and path.startswith(root) else ""


def _path_on(base: str, address: str) -> str | None:
    """The path of an address on the same origin, if everybody reads it alike."""
    try:
        if read_origin(address) != read_origin(base):
            return None
    except BadAddress:
        return None
    path = urlsplit(address).path
    plain = path.lower().replace("%2e", ".")
    names = (part.partition(";")[0] for part in plain.replace("%3b", ";").split("/"))  # some servers drop the rest
    if any(name in (".", "..") for name in names) or "%2f" in plain or "%5c" in plain:
        return None
    return path
