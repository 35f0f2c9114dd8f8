"""A tiny EHR: applies what a clinician accepts to the draft orders, and asks again."""

from __future__ import annotations

import copy
from typing import Any

from tests.hook_requests import Request

Json = dict[str, Any]


class NotApplicable(ValueError):
    """A suggestion that a client cannot apply: an update of an order it does not have, a deletion by unknown id."""


def accept(request: Request, suggestion: Json, *, update_only: bool = False) -> Request:
    """The next call after ``suggestion`` was accepted: draft orders changed, a new hook instance."""
    after = copy.deepcopy(request)
    drafts: list[Json] = [entry["resource"] for entry in after["context"]["draftOrders"]["entry"]]
    for action in suggestion["actions"]:
        if action["type"] == "update":
            _update(drafts, action["resource"])
        elif not update_only and action["type"] == "create":
            drafts.append({"id": f"created-{len(drafts)}", **copy.deepcopy(action["resource"])})
        elif not update_only and action["type"] == "delete":
            _delete(drafts, action["resourceId"])
    after["context"]["draftOrders"]["entry"] = [{"resource": draft} for draft in drafts]
    if "selections" in after["context"]:
        there = {_reference(draft) for draft in drafts}
        after["context"]["selections"] = [each for each in after["context"]["selections"] if each in there]
    after["hookInstance"] = f"{request['hookInstance'][:-1]}{(int(request['hookInstance'][-1], 16) + 1) % 16:x}"
    return after


def drafts_of(request: Request) -> list[Json]:
    """The draft orders of a call."""
    return [entry["resource"] for entry in request["context"]["draftOrders"]["entry"]]


def _update(drafts: list[Json], resource: Json) -> None:
    for at, draft in enumerate(drafts):
        if _reference(draft) == _reference(resource):
            drafts[at] = copy.deepcopy(resource)
            return
    raise NotApplicable(f"update of {_reference(resource)}, which is no draft")


def _delete(drafts: list[Json], reference: str) -> None:
    found = [draft for draft in drafts if _reference(draft) == reference]
    if not found:
        raise NotApplicable(f"delete of {reference}, which is no draft")
    drafts.remove(found[0])


def _reference(resource: Json) -> str:
    return f"{resource['resourceType']}/{resource['id']}"
