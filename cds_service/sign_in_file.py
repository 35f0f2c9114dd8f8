"""Reads the sign-in file: the agreement with the site's identity provider, and whether local users may sign in."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Any, Final

import msgspec
from msgspec import Struct

from audit_pages.oidc_terms import OidcTerms
from cds_service.client_values import ValueProblem, read_network
from cds_service.egress import BadAddress, HostRule, rule_for
from cds_service.egress_policy import Network
from cds_service.settings import SettingsError

_OF_TERMS: Final = frozenset(OidcTerms.__struct_fields__)


class _Oidc(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    issuer: str
    client_id: str
    client_secret_file: str = ""
    name: str = "your organisation"
    scopes: tuple[str, ...] = ("openid", "profile")
    role_claim: str = "groups"
    name_claim: str = "preferred_username"
    auditor: tuple[str, ...] = ()
    quality: tuple[str, ...] = ()
    further_servers: tuple[str, ...] = ()
    private_networks: tuple[str, ...] = ()


class _File(Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    local_users: bool = True
    oidc: _Oidc | None = None


class SignIn(Struct, frozen=True, kw_only=True):
    """How people sign in to the pages. ``servers``: all that the identity provider is reached at."""

    local_users: bool = True
    terms: OidcTerms | None = None
    servers: frozenset[HostRule] = frozenset()


def read_sign_in(path: Path | None) -> SignIn:
    """The file's agreement; without a file, local users only."""
    if path is None:
        return SignIn()
    try:
        file = msgspec.convert(tomllib.loads(path.read_text(encoding="utf-8")), _File)
        if file.oidc is None:
            return SignIn(local_users=file.local_users)
        return SignIn(local_users=file.local_users, terms=_terms(file.oidc, path.parent), servers=_servers(file.oidc))
    except (OSError, ValueError, msgspec.ValidationError, ValueProblem) as problem:
        raise SettingsError(f"LUMBAR_CDS_SIGN_IN: {path}: {_said(problem)}") from None


def _terms(oidc: _Oidc, folder: Path) -> OidcTerms:
    if "openid" not in oidc.scopes:
        raise ValueError("scopes: `openid` is needed")
    if not oidc.auditor and not oidc.quality:
        raise ValueError(
            "name the values of the role claim that make an `auditor` or give `quality`; else nobody gets in"
        )
    values: dict[str, Any] = {name: getattr(oidc, name) for name in oidc.__struct_fields__ if name in _OF_TERMS}
    secret = ""
    if oidc.client_secret_file:
        secret = (folder / oidc.client_secret_file).read_text(encoding="utf-8").strip()
        if not secret:
            raise ValueError("client_secret_file: the file is empty")
    return OidcTerms(**values, client_secret=secret)


def _servers(oidc: _Oidc) -> frozenset[HostRule]:
    networks: tuple[Network, ...] = tuple(read_network(each) for each in oidc.private_networks)
    try:
        return frozenset(rule_for(each, networks) for each in (oidc.issuer, *oidc.further_servers))
    except BadAddress as problem:
        raise ValueError(f"issuer and further_servers: {problem}") from None


def _said(problem: BaseException) -> str:
    if isinstance(problem, ValueProblem):
        return f"private_networks: {problem.what}; {problem.mend}"
    if isinstance(problem, OSError):
        return f"{problem.filename}: {problem.strerror}"
    return str(problem)
