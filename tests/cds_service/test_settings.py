"""Settings: every variable is checked, and what is wrong stops the start by name."""

from __future__ import annotations

import os
import re
from pathlib import Path

import pytest

from cds_service.settings import PREFIX, PUBLIC_SANDBOX_ORIGIN, VARIABLES, Settings, SettingsError, settings_from

README = Path(__file__).parents[2] / "README.md"


def test_nothing_needs_to_be_configured() -> None:
    settings = settings_from({})
    assert settings == Settings()
    assert settings.base_url == "http://127.0.0.1:8090"
    assert settings.cors_origins == {PUBLIC_SANDBOX_ORIGIN}


def test_variables_of_others_are_none_of_our_business() -> None:
    assert settings_from({"PATH": "/bin", "CDS_PORT": "x"}) == Settings()


@pytest.mark.parametrize(
    ("name", "text", "field", "value"),
    [
        ("PORT", "9000", "port", 9000),
        ("WORKERS", "2", "workers", 2),
        ("THREADS", "8", "threads", 8),
        ("MAX_BODY_MB", "1", "max_body_mb", 1),
        ("HOST", "::1", "host", "::1"),
        ("CORS_ORIGINS", "", "cors_origins", frozenset()),
        (
            "CORS_ORIGINS",
            "https://a.example, http://b.example:8080",
            "cors_origins",
            frozenset({"https://a.example", "http://b.example:8080"}),
        ),
        ("PUBLIC_URL", "https://cds.example/", "public_url", "https://cds.example"),
        ("RATING_GUIDELINE", "nice", "rating_guideline", "nice"),
        ("SHOW_APPROPRIATE", "", "show_appropriate", frozenset()),
        ("SHOW_APPROPRIATE", "order-select,order-sign", "show_appropriate", frozenset({"order-select", "order-sign"})),
        ("WITHOUT_CPT", "yes", "without_cpt", True),
        ("VALIDATE_OUTPUT", "no", "validate_output", False),
        ("LOG_LEVEL", "debug", "log_level", "debug"),
        ("AUDIT_STORE", "off", "audit_store_url", ""),
        ("AUDIT_STORE", "postgresql://db/audit", "audit_store_url", "postgresql://db/audit"),
        ("AUDIT_SYNC", "each", "audit_sync", "each"),
        ("AUDIT_REQUIRED", "yes", "audit_required", True),
        ("AUDIT_PATIENCE_MINUTES", "5", "audit_patience_minutes", 5),
        ("TRACES_URL", "http://otel:4318/v1/traces", "traces_url", "http://otel:4318/v1/traces"),
    ],
)
def test_a_variable_sets_its_field(name: str, text: str, field: str, value: object) -> None:
    assert getattr(settings_from({PREFIX + name: text}), field) == value


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("PORT", "http"),
        ("PORT", "70000"),
        ("PORT", ""),
        ("WORKERS", "0"),
        ("THREADS", "-1"),
        ("MAX_BODY_MB", "1.5"),
        ("HOST", ""),
        ("HOST", "a b"),
        ("CORS_ORIGINS", "*"),
        ("CORS_ORIGINS", "https://a.example/page"),
        ("CORS_ORIGINS", "https://a.example/"),
        ("PUBLIC_URL", "cds.example"),
        ("PUBLIC_URL", "https://cds.example/?patient=1"),
        ("CANONICAL_BASE", "urn:oid:1.2"),
        ("RATING_GUIDELINE", "ACR"),
        ("SHOW_APPROPRIATE", "patient-view"),
        ("SITE_CODES", "/nowhere/codes.csv"),
        ("ORDER_CATALOGUE", "/nowhere/orders.csv"),
        ("SITE_PARAMETERS", "/nowhere/values.toml"),
        ("WITHOUT_CPT", "true"),
        ("LOG_LEVEL", "loud"),
        ("AUDIT_STORE", ""),
        ("AUDIT_STORE", "mysql://user:password@db/audit"),
        ("AUDIT_SYNC", "all"),
        ("AUDIT_REQUIRED", "1"),
        ("AUDIT_PATIENCE_MINUTES", "0"),
        ("TRACES_URL", "otel:4318"),
    ],
)
def test_a_value_that_cannot_be_used_stops_the_start_by_name(name: str, text: str) -> None:
    with pytest.raises(SettingsError, match=rf"^{PREFIX}{name}: expected ") as stopped:
        settings_from({PREFIX + name: text})
    assert not text or text not in str(stopped.value).split("expected", 1)[0]


@pytest.mark.parametrize("name", ["LUMBAR_CDS_PROT", "LUMBAR_CDS_port", "LUMBAR_CDS_"])
def test_a_mistyped_variable_stops_the_start_by_name(name: str) -> None:
    with pytest.raises(SettingsError, match=f"^{name}: no such setting"):
        settings_from({name: "8090"})


def test_several_files_can_be_named(tmp_path: Path) -> None:
    first, second = tmp_path / "a.csv", tmp_path / "b.csv"
    first.touch()
    second.touch()
    settings = settings_from({"LUMBAR_CDS_SITE_CODES": f"{first}{os.pathsep}{second}"})
    assert settings.site_codes == (first, second)


def test_every_field_has_a_variable_and_every_variable_a_line_in_the_readme() -> None:
    assert set(VARIABLES) == set(Settings.__struct_fields__)
    documented = set(re.findall(r"^\| `LUMBAR_CDS_([A-Z_]+)`", README.read_text(encoding="utf-8"), re.MULTILINE))
    assert documented == {name.upper() for name in VARIABLES}
