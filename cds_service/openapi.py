"""The description of the HTTP interface (OpenAPI 3.1), made from the service catalogue and the JSON schemas in use."""

from __future__ import annotations

from importlib.metadata import version
from typing import Any, Final

import msgspec

from cds_service import schemas
from cds_service.service_catalogue import SERVICES, Service

Json = dict[str, Any]

_JSON: Final = "application/json"
_OUTCOME: Final[Json] = {
    "type": "object",
    "required": ["resourceType", "issue"],
    "properties": {
        "resourceType": {"const": "OperationOutcome"},
        "issue": {
            "type": "array",
            "minItems": 1,
            "items": {
                "type": "object",
                "required": ["severity", "code", "diagnostics"],
                "properties": {
                    "severity": {"enum": ["fatal", "error", "warning", "information"]},
                    "code": {"type": "string"},
                    "diagnostics": {"type": "string"},
                    "expression": {"type": "array", "items": {"type": "string"}},
                },
            },
        },
    },
}
_WHEN: Final = {
    400: "Not JSON, or JSON with two meanings",
    401: "No valid token of a registered client",
    403: "A known client asks for what is not its own",
    404: "Nothing at this address",
    405: "Not with this method",
    406: "The caller takes no JSON",
    408: "The body did not arrive whole",
    412: "The Patient resource cannot be had",
    413: "The body is too large, or holds too much",
    415: "Not sent as plain JSON",
    421: "Not under this host name",
    422: "JSON, but no usable call, or another patient's record",
    429: "More calls than agreed; see Retry-After",
    500: "A defect; nothing was assessed",
    503: "Not possible at the moment; see Retry-After",
}
_EVERYWHERE: Final = (400, 401, 403, 404, 405, 406, 421, 429, 500, 503)
_WITH_BODY: Final = (*_EVERYWHERE, 408, 412, 413, 415, 422)


def openapi_document() -> bytes:
    """The answer of `GET /openapi.json`."""
    paths: Json = {
        "/cds-services": {"get": _discovery()},
        "/health": {"get": _health()},
        "/metrics": {"get": _metrics()},
    }
    for service in SERVICES:
        paths[f"/cds-services/{service.id}"] = {"post": _call(service)}
        paths[f"/cds-services/{service.id}/feedback"] = {"post": _feedback(service)}
    document = {
        "openapi": "3.1.0",
        "info": {
            "title": "lumbar-imaging-cds",
            "version": version("lumbar-imaging-cds"),
            "description": "CDS Hooks service for lumbar imaging orders. A service started with --open needs no token.",
        },
        "paths": paths,
        "components": {
            "schemas": {
                "OperationOutcome": _OUTCOME,
                **{name: _component(name) for name in schemas.NAMES},
            },
            "securitySchemes": {"clientToken": {"type": "http", "scheme": "bearer", "bearerFormat": "JWT"}},
        },
    }
    return msgspec.json.encode(document)


def _component(name: str) -> Json:
    """A schema as a component: references into its own definitions lead there."""
    document = schemas.schema(name)
    document.pop("$schema", None)
    moved: Json = _moved(document, f"#/components/schemas/{name}/$defs/")
    return moved


def _moved(part: Any, place: str) -> Any:
    if isinstance(part, dict):
        return {
            key: value.replace("#/$defs/", place) if key == "$ref" and isinstance(value, str) else _moved(value, place)
            for key, value in part.items()
        }
    return [_moved(each, place) for each in part] if isinstance(part, list) else part


def _discovery() -> Json:
    return _operation("discovery", "Which services there are", _EVERYWHERE, _content("discovery"))


def _call(service: Service) -> Json:
    operation = _operation(f"call-{service.id}", service.title, _WITH_BODY, _content("response"))
    return {**operation, "description": service.description, "requestBody": _body("request")}


def _feedback(service: Service) -> Json:
    operation = _operation(
        f"feedback-{service.id}", f"Feedback on: {service.title}", _WITH_BODY, _content("OperationOutcome")
    )
    return {**operation, "requestBody": _body("feedback")}


def _health() -> Json:
    reason = {"type": "object", "required": ["part", "says"]}
    shape = {
        "type": "object",
        "required": ["status", "version", "mode", "audit"],
        "properties": {
            "status": {"enum": ["ok", "degraded", "refusing"]},
            "reasons": {"type": "array", "minItems": 1, "items": reason},
        },
    }
    content = {_JSON: {"schema": shape}}
    operation = _operation("health", "Up, as it should be, and what is loaded", (404, 405, 500), content)
    operation["responses"]["503"] = {"description": "Calls are refused here; the reasons are named", "content": content}
    return {**operation, "security": []}


def _metrics() -> Json:
    content = {"text/plain": {"schema": {"type": "string"}}}
    return {**_operation("metrics", "Counts and times, for Prometheus", (404, 405, 500), content), "security": []}


def _operation(name: str, summary: str, failures: tuple[int, ...], content: Json) -> Json:
    outcome = _content("OperationOutcome")
    return {
        "operationId": name,
        "summary": summary,
        "security": [{"clientToken": []}, {}],
        "responses": {
            "200": {"description": "Answered", "content": content},
            **{str(status): {"description": _WHEN[status], "content": outcome} for status in failures},
        },
    }


def _content(name: str) -> Json:
    return {_JSON: {"schema": {"$ref": f"#/components/schemas/{name}"}}}


def _body(name: str) -> Json:
    return {"required": True, "content": _content(name)}
