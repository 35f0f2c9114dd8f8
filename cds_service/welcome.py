"""What a first-time user reads when the service has started: where it listens, and what to try next."""

from __future__ import annotations

from pathlib import Path

from cds_service.service_catalogue import ORDER_SELECT
from cds_service.settings import Settings

SAMPLES = Path("sandbox/hook_requests")
SAMPLES_SHOWN = 6


OPEN_MODE = """
********************************************************************************
*  OPEN MODE: no caller is authenticated. Synthetic data only, this machine     *
*  only. Tokens of the public CDS Hooks sandbox are accepted and prove nothing: *
*  its private key is published. For real use: lumbar-cds serve --clients FILE  *
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
    call = f"{base}/cds-services/{ORDER_SELECT.id}"
    lines = [
        OPEN_MODE,
        "",
        f"lumbar-cds answers on {base}",
        "",
        "Try next, in another terminal:",
        f"  curl {base}/cds-services",
        *(f"  curl {call} -H 'Content-Type: application/json' -d @{sample}" for sample in _samples()),
        *(f"  .venv/bin/lumbar-cds evaluate {sample}" for sample in _samples()[:1]),
        f"  {base}/health",
        "",
        'With the public CDS Hooks sandbox (imaging screen): see "The public sandbox" in README.md',
        "Stop with Ctrl-C.",
        "",
    ]
    return "\n".join(lines)


def _samples() -> list[Path]:
    return sorted(SAMPLES.glob("*.json"))[:SAMPLES_SHOWN] if SAMPLES.is_dir() else []
