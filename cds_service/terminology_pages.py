"""What the terminology layer serves as FHIR, over HTTP."""

from __future__ import annotations

from flask import Flask

from cds_service.collaborators import Collaborators


def register_terminology_pages(app: Flask, tools: Collaborators) -> None:
    """`GET /fhir/...`"""
