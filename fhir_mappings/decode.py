"""From the bytes of a CDS Hooks call to its typed parts: envelope, draft orders verbatim, prefetched records.

The normal path is one pass. A call that fails it for a reason inside ``prefetch`` is read again, value by value and
entry by entry (``fhir_mappings.prefetch_values``), so that one malformed entry costs itself and never the call.
"""

from __future__ import annotations

import json
import re
import threading
from typing import Any, TypeVar

import msgspec
from msgspec import Raw, Struct

from fhir_mappings.access import NO_TOKEN, Access, read_access
from fhir_mappings.errors import Malformed, MalformedCall
from fhir_mappings.prefetch_values import (
    Bundle,
    PrefetchValue,
    Value,
    bundle_value,
    prefetch_value,
    read_entry_by_entry,
    read_value,
)
from fhir_mappings.strict_json import SURROGATE, Limits, simple_string, strict_json, too_deep

__all__ = ["HookCall", "HookContext", "Limits", "Malformed", "MalformedCall", "RawResource", "decode_call"]

RawResource = dict[str, Any]


class HookContext(Struct, frozen=True):
    """The context of an order-select or order-sign call. ``selections`` is None where the call holds none."""

    user_id: str
    patient_id: str
    encounter_id: str
    selections: tuple[str, ...] | None
    draft_orders: tuple[RawResource, ...]
    full_urls: tuple[str, ...]  # one for each draft order; empty where its entry states none
    dropped_drafts: int = 0  # entries of draftOrders that hold no resource


class HookCall(Struct, frozen=True):
    """One call of a CDS Hooks service, decoded; nothing in it is judged yet."""

    hook: str
    hook_instance: str
    fhir_server: str
    context: HookContext
    prefetch: dict[str, PrefetchValue]
    access: Access = NO_TOKEN
    extension: dict[str, Any] = {}

    @property
    def has_authorization(self) -> bool:
        """Did the call bring a token for the EHR's own server?"""
        return self.access.token is not None


class _Key(str):
    """A key of the context or of the prefetch; counted as it is decoded, so that a key that stands twice is noticed."""

    __slots__ = ()


class _Once:
    """A member of the envelope, counted like a key."""

    __slots__ = ("value",)

    def __init__(self, value: object) -> None:
        self.value = value


class _Envelope(Struct, rename="camel"):
    hook: _Once | None = None
    hook_instance: _Once | None = None
    fhir_server: _Once | None = None
    fhir_authorization: _Once | None = None
    extension: _Once | None = None
    context: dict[_Key, Raw] | None = None


class _FastCall(_Envelope, rename="camel"):
    prefetch: dict[_Key, Value] | None = None


class _SlowCall(_Envelope, rename="camel"):
    prefetch: dict[_Key, Raw] | None = None


_C = TypeVar("_C", bound=_Envelope)

_MEMBERS = frozenset({"userId", "patientId", "encounterId", "selections", "draftOrders"})
_PATH = re.compile(r"`\$\.?([^`]*)`")


def decode_call(body: bytes, limits: Limits = Limits()) -> HookCall:  # noqa: B008  immutable
    """The call, or ``MalformedCall``. Nothing that a prefetch value may hold makes the call fail."""
    _check_utf8(body)
    try:
        call, met = _decode(body, _FastCall)
    except msgspec.ValidationError:
        return _decode_value_by_value(body, limits)
    except msgspec.DecodeError as problem:
        if SURROGATE.search(body):
            return _decode_around_surrogates(body, limits)
        raise MalformedCall(Malformed.NOT_JSON, "", str(problem)) from None
    except RecursionError:
        raise too_deep("") from None
    _check_once(call, met)
    values = {
        str(key): bundle_value(value) if type(value) is Bundle else prefetch_value(value)
        for key, value in (call.prefetch or {}).items()
    }
    return _hook_call(call, values, limits)


def _check_utf8(body: bytes) -> None:
    if body.isascii():
        return
    try:
        body.decode()
    except UnicodeDecodeError:
        raise MalformedCall(Malformed.NOT_JSON, "", "the body is not UTF-8") from None


class _Decoders(threading.local):
    """The decoders of one thread, made once; and for every key and member met in a call, which of the two it was."""

    def __init__(self) -> None:
        self.met: list[type] = []
        self.of: dict[type, msgspec.json.Decoder[Any]] = {
            wanted: msgspec.json.Decoder(wanted, dec_hook=self._count) for wanted in (_FastCall, _SlowCall)
        }

    def _count(self, kind: type, value: object) -> object:
        self.met.append(kind)
        return kind(value)


_DECODERS = _Decoders()


def _decode(body: bytes, wanted: type[_C]) -> tuple[_C, list[type]]:
    """The call, and for every key and member that was met in it, which of the two it was."""
    decoders, met = _DECODERS, list[type]()
    decoders.met = met
    return decoders.of[wanted].decode(body), met


def _check_once(call: _FastCall | _SlowCall, met: list[type]) -> None:
    members = (call.hook, call.hook_instance, call.fhir_server, call.fhir_authorization, call.extension)
    if met.count(_Once) != len(members) - members.count(None):
        raise MalformedCall(Malformed.NOT_JSON, "", "a key stands twice in the call")
    if met.count(_Key) != len(call.context or ()) + len(call.prefetch or ()):
        raise MalformedCall(Malformed.NOT_JSON, "", "a key stands twice in context or prefetch")


def _decode_value_by_value(body: bytes, limits: Limits) -> HookCall:
    try:
        call, met = _decode(body, _SlowCall)
    except msgspec.ValidationError as problem:
        path = _PATH.search(str(problem))
        raise MalformedCall(Malformed.UNUSABLE, path[1] if path else "", "not of the expected type") from None
    except msgspec.DecodeError as problem:
        if SURROGATE.search(body):
            return _decode_around_surrogates(body, limits)
        raise MalformedCall(Malformed.NOT_JSON, "", str(problem)) from None
    except RecursionError:
        raise too_deep("") from None
    _check_once(call, met)
    values = {str(key): read_value(raw) for key, raw in (call.prefetch or {}).items()}
    return _hook_call(call, values, limits)


def _decode_around_surrogates(body: bytes, limits: Limits) -> HookCall:
    """Half a surrogate pair (``\\ud800``) is no text: in the envelope it fails the call, in a record its entry."""
    document = strict_json(body, "", limits=None)
    if not isinstance(document, dict):
        raise MalformedCall(Malformed.UNUSABLE, "", "a call is a JSON object")
    prefetch = document.pop("prefetch", None)
    try:
        call, _ = _decode(json.dumps(document).encode(), _SlowCall)
    except msgspec.ValidationError as problem:
        path = _PATH.search(str(problem))
        raise MalformedCall(Malformed.UNUSABLE, path[1] if path else "", "not of the expected type") from None
    except msgspec.DecodeError:
        raise MalformedCall(Malformed.NOT_JSON, "", "half a surrogate pair is no text") from None
    if not isinstance(prefetch, dict | None):
        raise MalformedCall(Malformed.UNUSABLE, "prefetch", "not of the expected type")
    values = {key: read_entry_by_entry(value) for key, value in (prefetch or {}).items()}
    return _hook_call(call, values, limits)


def _hook_call(call: _FastCall | _SlowCall, prefetch: dict[str, PrefetchValue], limits: Limits) -> HookCall:
    authorization = call.fhir_authorization.value if call.fhir_authorization else None
    extension = call.extension.value if call.extension else None
    if call.context is None:
        raise MalformedCall(Malformed.UNUSABLE, "context", "missing")
    return HookCall(
        _text(call.hook, "hook", required=True),
        _text(call.hook_instance, "hookInstance", required=True),
        _text(call.fhir_server, "fhirServer"),
        _context(call.context, limits),
        prefetch,
        NO_TOKEN if authorization is None else read_access(authorization),
        extension if isinstance(extension, dict) else {},
    )


def _text(member: _Once | None, where: str, required: bool = False) -> str:
    value = None if member is None else member.value
    if value is None and not required:
        return ""
    if not isinstance(value, str) or (required and not value.strip()):
        raise MalformedCall(Malformed.UNUSABLE, where, "missing" if value is None else "expected a text")
    return value


def _context(members: dict[_Key, Raw], limits: Limits) -> HookContext:
    found: dict[str, Any] = {}
    for key, raw in members.items():
        text = bytes(raw)
        found[str(key)] = simple_string(text) or strict_json(text, f"context.{_shown(key)}", limits)
    patient = _context_text(found, "patientId").removeprefix("Patient/")
    if not patient:
        raise MalformedCall(Malformed.UNUSABLE, "context.patientId", "missing")
    drafts, urls, dropped = _drafts(found, limits)
    encounter = _context_text(found, "encounterId").removeprefix("Encounter/")
    selections = _selections(found.get("selections"))
    return HookContext(_context_text(found, "userId"), patient, encounter, selections, drafts, urls, dropped)


def _shown(key: str) -> str:
    """A key of the context as an error may name it: only the names that CDS Hooks defines."""
    return key if key in _MEMBERS else "(another member)"


def _context_text(found: dict[str, Any], key: str) -> str:
    value = found.get(key)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise MalformedCall(Malformed.UNUSABLE, f"context.{key}", "expected a text")
    return value


def _selections(value: object) -> tuple[str, ...] | None:
    if value is None:
        return None
    if not isinstance(value, list) or not all(isinstance(each, str) for each in value):
        raise MalformedCall(Malformed.UNUSABLE, "context.selections", "expected a list of references")
    return tuple(value)


def _drafts(found: dict[str, Any], limits: Limits) -> tuple[tuple[RawResource, ...], tuple[str, ...], int]:
    where = "context.draftOrders"
    bundle = found.get("draftOrders")
    if bundle is None:
        raise MalformedCall(Malformed.UNUSABLE, where, "missing")
    if not isinstance(bundle, dict) or bundle.get("resourceType", "Bundle") != "Bundle":
        raise MalformedCall(Malformed.UNUSABLE, where, "expected a Bundle")
    entries = bundle.get("entry") or []
    if not isinstance(entries, list):
        raise MalformedCall(Malformed.UNUSABLE, f"{where}.entry", "expected a list")
    if len(entries) > limits.draft_orders:
        raise MalformedCall(Malformed.TOO_MUCH, where, f"more than {limits.draft_orders} draft orders")
    drafts: list[RawResource] = []
    urls: list[str] = []
    for entry in entries:
        resource = entry.get("resource") if isinstance(entry, dict) else None
        if not isinstance(resource, dict) or not isinstance(resource.get("resourceType"), str):
            continue
        drafts.append(resource)
        url = entry.get("fullUrl")
        urls.append(url if isinstance(url, str) else "")
    return tuple(drafts), tuple(urls), len(entries) - len(drafts)
