"""What a first-time user reads when the service has started: where it listens, and what to try next."""

from __future__ import annotations

from pathlib import Path

from cds_service.service_catalogue import ORDER_SELECT
from cds_service.settings import Settings

SAMPLES = Path("sandbox/hook_requests")
SAMPLES_SHOWN = 6


def welcome_text(settings: Settings) -> str:
    """Addresses and commands that work as they stand."""
    base = settings.base_url
    call = f"{base}/cds-services/{ORDER_SELECT.id}"
    lines = [
        "",
        f"lumbar-cds answers on {base}  (open mode: no caller is authenticated, this machine only)",
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
