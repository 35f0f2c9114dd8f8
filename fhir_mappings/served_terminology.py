"""Our terminology as FHIR R4 resources: CodeSystem, one ValueSet for each concept, ConceptMap for each code system.

Every resource carries as its version a digest of its own content: the same content has the same version, and any change
has another. Codes of tables that were left out are left out; displays appear only where the licence lets us show them.
"""

import hashlib
import re
from collections.abc import Callable, Iterable
from typing import Any

import msgspec

from fhir_mappings.code_rows import CATEGORY_SYSTEM, CodeRow
from fhir_mappings.own_codes import OwnCode
from fhir_mappings.terminology import Terminology

Resource = dict[str, Any]

KINDS = ("CodeSystem", "ValueSet", "ConceptMap")
CONCEPTS = "lumbar-cds-concepts"
CATALOGUE = "order-catalogue"

_PROPERTIES = (
    ("answers", "code", "How the value of an Observation is read: answer, grade, number, or marker (a value itself)."),
    ("value-type", "code", "A FHIR type that the value of an Observation may have."),
    ("answer", "code", "An answer that is understood."),
    ("concept", "code", "The concept that the rules read."),
    ("site", "string", "The muscle group or root that is looked at."),
    ("unit", "string", "UCUM unit of the value."),
    ("sided", "boolean", "Observation.bodySite says which side."),
    ("as-reason", "boolean", "May stand as ServiceRequest.reasonCode, Condition.code or AllergyIntolerance.code."),
    ("example", "string", "How it stands in a resource, as JSON."),
)


def resource_ids(terminology: Terminology, kind: str) -> tuple[str, ...]:
    """The ids of every resource of this kind (CodeSystem, ValueSet or ConceptMap)."""
    if kind == "CodeSystem":
        return (terminology.own.name, CONCEPTS)
    if kind == "ValueSet":
        return tuple(sorted(_supplied(terminology)))
    if kind == "ConceptMap":
        return (*(_slug(system.name) for system in _systems(terminology)), CATALOGUE)
    return ()


def resource(terminology: Terminology, kind: str, resource_id: str) -> Resource | None:
    """One resource; ``None`` where there is none of this kind and id."""
    if resource_id not in resource_ids(terminology, kind):
        return None
    if kind == "ValueSet":
        return _versioned(_value_set(terminology, resource_id))
    if kind == "ConceptMap":
        found = _catalogue_map(terminology) if resource_id == CATALOGUE else _concept_map(terminology, resource_id)
        return _versioned(found)
    made = _own_code_system(terminology) if resource_id == terminology.own.name else _concept_system(terminology)
    return _versioned(made)


def search_set(terminology: Terminology, kind: str, summary: bool = False) -> Resource:
    """Every resource of a kind, as the answer to a search; ``summary``: without the codes."""
    entries: list[Resource] = []
    for resource_id in resource_ids(terminology, kind):
        found = resource(terminology, kind, resource_id)
        if found is None:
            continue
        entries.append({"fullUrl": found["url"], "resource": _summary(found) if summary else found,
                        "search": {"mode": "match"}})  # fmt: skip
    bundle: Resource = {"resourceType": "Bundle", "type": "searchset", "total": len(entries)}
    if entries:
        bundle["entry"] = entries
    return bundle


def _summary(found: Resource) -> Resource:
    left_out = ("compose", "group", "concept")
    short = {key: value for key, value in found.items() if key not in left_out}
    subsetted = {"system": "http://terminology.hl7.org/CodeSystem/v3-ObservationValue", "code": "SUBSETTED"}
    short["meta"] = {"tag": [subsetted]}
    if short.get("content") == "complete":
        short["content"] = "not-present"
    return short


def _versioned(made: Resource) -> Resource:
    digest = hashlib.sha256(msgspec.json.encode(made)).hexdigest()[:12]
    return {**{key: made[key] for key in ("resourceType", "id", "url")}, "version": digest, **made}


def _head(terminology: Terminology, kind: str, resource_id: str, title: str, description: str) -> Resource:
    return {
        "resourceType": kind,
        "id": resource_id,
        "url": f"{terminology.own.base}/{kind}/{resource_id}",
        "name": "".join(part.capitalize() for part in re.split(r"[^A-Za-z0-9]+", f"lumbar-{resource_id}")),
        "title": title,
        "status": "active",
        "experimental": False,
        "description": description,
    }


def _copyright(terminology: Terminology, licences: Iterable[str]) -> Resource:
    notices = terminology.manifest.notices
    said = " ".join(notices[licence] for licence in sorted(set(licences)) if notices.get(licence))
    return {"copyright": said} if said else {}


# --- code systems


def _own_code_system(terminology: Terminology) -> Resource:
    own = terminology.own
    used = [(name, kind, says) for name, kind, says in _PROPERTIES]
    return {
        **_head(terminology, "CodeSystem", own.name, own.title, own.description),
        "caseSensitive": True,
        "content": "complete",
        "count": len(own.codes),
        "property": [
            {"code": name, "uri": f"{own.url}#{name}", "description": says, "type": kind} for name, kind, says in used
        ],
        "concept": [_own_concept(terminology, code) for code in own.codes.values()],
    }


def _own_concept(terminology: Terminology, code: OwnCode) -> Resource:
    observable = terminology.own.observable(code.code)
    properties: list[Resource] = [{"code": "answers", "valueCode": code.how}]
    properties += [{"code": "value-type", "valueCode": kind} for kind in code.values]
    properties += [{"code": "answer", "valueCode": word} for word, _ in (observable.answers if observable else ())]
    for name, value in (("concept", code.concept),):
        properties += [{"code": name, "valueCode": value}] if value else []
    for name, value in (("site", code.site), ("unit", code.unit)):
        properties += [{"code": name, "valueString": value}] if value else []
    for name, holds in (("sided", code.sided), ("as-reason", code.as_reason)):
        properties += [{"code": name, "valueBoolean": True}] if holds else []
    properties.append({"code": "example", "valueString": code.example.replace("$SYSTEM", terminology.own.url)})
    return {"code": code.code, "display": code.display, "definition": code.definition, "property": properties}


def _concept_system(terminology: Terminology) -> Resource:
    concepts = sorted(terminology.concepts)
    head = _head(
        terminology,
        "CodeSystem",
        CONCEPTS,
        "Concepts of lumbar imaging decision support",
        "The concepts that the rules read. Codes of other systems are mapped to them; they never stand in a record.",
    )
    return {
        **head,
        "caseSensitive": True,
        "content": "complete",
        "count": len(concepts),
        "concept": [{"code": concept, "display": _words(concept)} for concept in concepts],
    }


# --- value sets


def _supplied(terminology: Terminology) -> set[str]:
    coded = {row.concept for row in terminology.rows if not row.absent}
    own = {said.concept for code in terminology.own.codes for said in terminology.own.says(code) if said.present}
    return coded | own


def _value_set(terminology: Terminology, concept: str) -> Resource:
    rows = [row for row in terminology.rows if row.concept == concept and not row.absent]
    includes = [include for system in terminology.manifest.system for include in _includes(rows, system.uri)]
    known = {system.uri for system in terminology.manifest.system}
    for uri in sorted({row.system for row in rows} - known):
        includes += _includes(rows, uri)
    own = [
        {"code": code.code, "display": code.display}
        for code in terminology.own.codes.values()
        if any(said.concept == concept and said.present for said in terminology.own.says(code.code))
    ]
    if own:
        includes.append({"system": terminology.own.url, "concept": own})
    head = _head(
        terminology, "ValueSet", concept, _words(concept), f"Codes that mean that {_words(concept).lower()} is present."
    )
    return {**head, **_copyright(terminology, (row.licence for row in rows)), "compose": {"include": includes}}


def _includes(rows: list[CodeRow], system: str) -> list[Resource]:
    own = [row for row in rows if row.system == system]
    found: list[Resource] = []
    if own:
        found.append({"system": system, "concept": [_coded(row) for row in own]})
    for row in own:
        if row.descendants and system == CATEGORY_SYSTEM:
            under = {"property": "concept", "op": "is-a", "value": row.code}
            found.append({"system": system, "filter": [under]})
    return found


def _coded(row: CodeRow) -> Resource:
    return {"code": row.code, "display": row.display} if row.show_display else {"code": row.code}


# --- concept maps


def _systems(terminology: Terminology) -> list[Any]:
    used = {row.system for row in terminology.rows}
    return [system for system in terminology.manifest.system if system.uri in used]


def _concept_map(terminology: Terminology, resource_id: str) -> Resource:
    (system,) = (system for system in _systems(terminology) if _slug(system.name) == resource_id)
    rows = [row for row in terminology.rows if row.system == system.uri]
    head = _head(
        terminology,
        "ConceptMap",
        resource_id,
        f"{system.name} to concepts",
        f"What each recognised code of {system.name} means to the rules. A code may mean several concepts.",
    )
    return {
        **head,
        **_copyright(terminology, (row.licence for row in rows)),
        "group": [{"source": system.uri, "target": _concept_url(terminology), "element": _elements(rows, _target)}],
    }


def _catalogue_map(terminology: Terminology) -> Resource:
    head = _head(
        terminology,
        "ConceptMap",
        CATALOGUE,
        "Local orderables to concepts",
        "What each orderable of this site's catalogue is; a comment marks those that suggestions carry.",
    )
    groups: list[Resource] = []
    emitted = {(entry.system, entry.code) for entry in terminology.catalogue.entries if entry.emit}

    def target(row: CodeRow) -> Resource:
        comment = {"comment": "carried by suggestions"} if (row.system, row.code) in emitted else {}
        return {"code": row.concept, "equivalence": "equivalent", **comment}

    for system in sorted(terminology.catalogue.systems):
        codes = {entry.code for entry in terminology.catalogue.entries if entry.system == system}
        rows = [row for row in terminology.rows if row.system == system and row.code in codes]
        groups.append({"source": system, "target": _concept_url(terminology), "element": _elements(rows, target)})
    return {**head, "group": groups} if groups else head


def _elements(rows: list[CodeRow], target: Callable[[CodeRow], Resource]) -> list[Resource]:
    by_code: dict[str, list[CodeRow]] = {}
    for row in rows:
        by_code.setdefault(row.code, []).append(row)
    return [{**_coded(own[0]), "target": [target(row) for row in own]} for own in by_code.values()]


def _target(row: CodeRow) -> Resource:
    comments = ["states that it is absent"] if row.absent else []
    if row.descendants and row.system == CATEGORY_SYSTEM:
        comments.append("and every code under it")
    found: Resource = {"code": row.concept, "equivalence": "disjoint" if row.absent else "wider"}
    return {**found, "comment": "; ".join(comments)} if comments else found


def _concept_url(terminology: Terminology) -> str:
    return f"{terminology.own.base}/CodeSystem/{CONCEPTS}"


def _slug(name: str) -> str:
    return re.sub(r"[^a-z0-9]+", "-", name.lower()).strip("-")[:64]


def _words(concept: str) -> str:
    text = concept.replace("-", " ")
    return text[:1].upper() + text[1:]
