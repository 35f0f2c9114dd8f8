"""A client's draft as valid FHIR JSON: no null, no empty string, list or object (FHIR R4, JSON representation).

A draft that is in order is handed back as it is, the same object; only drafts with such members are rebuilt.
"""

from typing import Any

import msgspec

_encode = msgspec.json.Encoder().encode
_pack = msgspec.msgpack.Encoder().encode


def tidy(resource: dict[str, Any]) -> dict[str, Any]:
    """The resource without nulls and empties; nulls that pad an array of primitives against its extensions stay."""
    if not _looks_untidy(resource):
        return resource
    cleaned = _clean(resource, padded=False)
    return cleaned if isinstance(cleaned, dict) else {}


def _looks_untidy(resource: dict[str, Any]) -> bool:
    """A quick look at the encoded form; text that happens to hold these signs only costs the longer way."""
    if not _may_be_untidy(resource):
        return False
    encoded = _encode(resource)
    return b"null" in encoded or b'""' in encoded or b"[]" in encoded or b"{}" in encoded


def _may_be_untidy(resource: dict[str, Any]) -> bool:
    """A quicker look: in MessagePack a null, and an empty text, list or object, is a byte that is in no ASCII text.

    Bytes are asked for numbers: CPython takes bytes for a number first, and raises and clears an exception.
    """
    try:
        packed = _pack(resource)
    except OverflowError:  # MessagePack has no integers beyond 64 bits
        return True
    return 0xC0 in packed or 0xA0 in packed or 0x90 in packed or 0x80 in packed


def _clean(value: Any, padded: bool) -> Any:
    if isinstance(value, dict):
        return _clean_object(value)
    if isinstance(value, list):
        items = [_clean(each, padded=False) for each in value]
        if padded and any(item is not None for item in items):
            return items
        return [item for item in items if item is not None] or None
    return None if value is None or value == "" else value


def _clean_object(value: dict[str, Any]) -> dict[str, Any] | None:
    cleaned: dict[str, Any] = {}
    for name, each in value.items():
        twin = value.get(name[1:] if name.startswith("_") else f"_{name}")
        kept = _clean(each, padded=isinstance(each, list) and isinstance(twin, list))
        if kept is not None:
            cleaned[name] = kept
    return cleaned or None
