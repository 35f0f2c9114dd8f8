"""What a first-time user reads when the service has started: where it listens, and what to try next."""

from __future__ import annotations

from pathlib import Path

from cds_service.service_catalogue import ORDER_SELECT
from cds_service.settings import Settings

SAMPLES = Path("sandbox/hook_requests")
DEFAULT_URL = "http://127.0.0.1:8090"
# A card that waits, one that must not, and one whose study is right and whose priority is not.
SHOWN = (
    "acute-low-back-pain-three-weeks-mri",
    "saddle-numbness-and-retention-radiograph",
    "left-foot-weaker-at-each-visit-mri-routine",
)


OPEN_MODE = """
********************************************************************************
* OPEN MODE: no caller is authenticated. Synthetic data only, this machine     *
* only. Tokens of the public CDS Hooks sandbox are accepted and prove nothing: *
* its private key is published. For real use: lumbar-cds serve --clients FILE  *
********************************************************************************"""


def welcome_text(settings: Settings) -> str:
    """Where the service answers, and what to try or to look at next."""
    return _open_text(settings) if settings.clients is None else _closed_text(settings)


def _closed_text(settings: Settings) -> str:
    lines = [
        "",
        f"lumbar-cds answers the registered clients of {settings.clients} on {settings.base_url}",
        f"  {settings.base_url}/health says whether that file is in force; a change of it is noticed by itself",
    ]
    if not settings.trusted_proxies:
        lines.append(
            "  WARNING: no proxy is named in LUMBAR_CDS_TRUSTED_PROXIES, so calls over plain HTTP are taken. This "
            "service speaks no TLS itself: put a reverse proxy before it."
        )
    return "\n".join([*lines, ""])


def _open_text(settings: Settings) -> str:
    base = settings.base_url
    lines = [
        OPEN_MODE,
        "",
        f"lumbar-cds answers on {base}",
        *(f"  what a call lacks is read from {each}, if the call names it" for each in settings.fhir_servers),
        "",
        "Try next, in another terminal:",
        f"  curl {base}/cds-services",
        *_tries(base),
        f"  {base}/health",
        "",
        'With the public CDS Hooks sandbox (imaging screen): see "The public sandbox" in README.md',
        "Stop with Ctrl-C.",
        "",
    ]
    return "\n".join(lines)


def _tries(base: str) -> list[str]:
    """Sample calls; their dates are relative to today, so each is filled in before it is sent."""
    names = [name for name in SHOWN if (SAMPLES / f"{name}.json").is_file()]
    if not names:
        return []
    tool = ".venv/bin/python -m sandbox.try_requests"
    there = "" if base == DEFAULT_URL else f" --url {base}"
    return [
        f"  {tool}                                   # lists the sample calls and what each tells",
        *(f"  {tool} {name} --post{there}" for name in names),
        f"  {tool} {names[0]} --print \\",
        f"    | curl {base}/cds-services/{ORDER_SELECT.id} -H 'Content-Type: application/json' -d @-",
        f"  {tool} {names[0]} --print | .venv/bin/lumbar-cds evaluate -",
    ]
