"""Every setting of the service, read once from the environment, checked, and frozen.

A variable that is wrong, or that starts with LUMBAR_CDS_ and is not known, stops the start by name: a mistyped safety
setting must not silently mean its default.
"""

from __future__ import annotations

import ipaddress
import os
from collections.abc import Callable, Mapping
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from cds_service.egress_policy import Network, normal_base, rule_for

PREFIX = "LUMBAR_CDS_"
PUBLIC_SANDBOX_ORIGIN = "https://sandbox.cds-hooks.org"
DEFAULT_CANONICAL_BASE = "https://lumbar-imaging-cds.github.io/fhir"
HOOKS = ("order-select", "order-sign")
GUIDELINES = ("acr", "acp", "nice")
LOG_LEVELS = ("debug", "info", "warning", "error")
AUDIT_OFF = "off"
AUDIT_SYNC = ("none", "each")


class SettingsError(ValueError):
    """A setting that cannot be used; the message names the variable and what is expected."""


class Settings(Struct, frozen=True, kw_only=True):
    """What an operator or a site decides. Field names are the variables without their prefix, in lower case."""

    host: str = "127.0.0.1"
    port: int = 8090
    workers: int = 1
    threads: int = 4
    max_body_mb: int = 10
    cors_origins: frozenset[str] = frozenset({PUBLIC_SANDBOX_ORIGIN})
    sandbox_origins: frozenset[str] = frozenset({PUBLIC_SANDBOX_ORIGIN})
    public_url: str = ""
    canonical_base: str = DEFAULT_CANONICAL_BASE
    rating_guideline: str = "acr"
    show_appropriate: frozenset[str] = frozenset({"order-select"})
    site_codes: tuple[Path, ...] = ()
    order_catalogue: Path | None = None
    site_parameters: Path | None = None
    without_cpt: bool = False
    without_licensed_snomed: bool = False
    validate_output: bool = False
    log_level: str = "info"
    clients: Path | None = None
    state_dir: Path | None = None
    trusted_proxies: tuple[Network, ...] = ()
    request_seconds: int = 10
    max_resources: int = 5000
    fhir_servers: tuple[str, ...] = ()
    call_budget_ms: int = 2000
    fetch_pages: int = 20
    fetch_mb: int = 32
    fetch_resources: int = 5000
    ca_file: Path | None = None
    sign_in: Path | None = None
    audit_store: str = ""
    audit_sync: str = "none"
    audit_required: bool = False
    audit_patience_minutes: int = 60
    audit_keep_days: int = 0
    audit_checkpoint_minutes: int = 60
    page_days: int = 90
    traces_url: str = ""

    @property
    def max_body_bytes(self) -> int:
        """The largest body that is read."""
        return self.max_body_mb * 1024 * 1024

    @property
    def budget_seconds(self) -> float:
        """How long a whole call may take, what it reads from the EHR's own server included."""
        return self.call_budget_ms / 1000

    @property
    def state_folder(self) -> Path:
        """Where everything is kept that outlives a worker."""
        home = os.environ.get("XDG_STATE_HOME") or Path("~/.local/state").expanduser()
        return self.state_dir or Path(home) / "lumbar-cds"

    @property
    def used_tokens(self) -> Path:
        """The file that remembers which tokens have been used."""
        return self.state_folder / "used-tokens.sqlite3"

    @property
    def audit_journal(self) -> Path:
        """The folder of the local journal, where a record goes before its answer leaves."""
        return self.state_folder / "audit-journal"

    @property
    def audit_key(self) -> Path:
        """The file of the key that checkpoints are signed with."""
        return self.state_folder / "audit-key.pem"

    @property
    def audit_checkpoints(self) -> Path:
        """The file that every checkpoint is also written to, outside the store."""
        return self.state_folder / "audit-checkpoints.jsonl"

    @property
    def audit_store_url(self) -> str:
        """Where records end up; empty: nothing is recorded."""
        if self.audit_store == AUDIT_OFF:
            return ""
        return self.audit_store or f"sqlite:///{self.state_folder / 'audit.sqlite3'}"

    @property
    def base_url(self) -> str:
        """Where a clinician's browser finds this service: the start of every link on a card."""
        return self.public_url or f"http://{_in_url(self.host)}:{self.port}"


class Variable(Struct, frozen=True):
    """One environment variable: how it is read, and what the README says of it."""

    read: Callable[[str], object]
    expects: str
    meaning: str


def _in_url(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def _whole_number(lowest: int, highest: int) -> Callable[[str], int]:
    def read(text: str) -> int:
        value = int(text)
        if not lowest <= value <= highest:
            raise ValueError(text)
        return value

    return read


def _one_of(choices: tuple[str, ...]) -> Callable[[str], str]:
    def read(text: str) -> str:
        if text not in choices:
            raise ValueError(text)
        return text

    return read


def _yes_or_no(text: str) -> bool:
    return {"yes": True, "no": False}[text]


def _text(text: str) -> str:
    if not text or text != text.strip() or any(ord(character) < 33 for character in text):
        raise ValueError(text)
    return text


def _url(text: str) -> str:
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname or parts.query or parts.fragment or parts.username:
        raise ValueError(text)
    return text.rstrip("/")


def _store(text: str) -> str:
    """A database address; its driver is checked when it is opened. It may hold a password, so it is never repeated."""
    if text == AUDIT_OFF or _text(text).startswith(("sqlite:///", "postgresql:", "postgresql+psycopg:")):
        return text
    raise ValueError(text)


def _origin(text: str) -> str:
    if urlsplit(_url(text)).path or text.endswith("/"):
        raise ValueError(text)
    return text


def _origins(text: str) -> frozenset[str]:
    return frozenset(_origin(item.strip()) for item in text.split(",") if item.strip())


def _hooks(text: str) -> frozenset[str]:
    return frozenset(_one_of(HOOKS)(item.strip()) for item in text.split(",") if item.strip())


def fhir_base(text: str) -> str:
    """A FHIR server's base address that may be registered, in the one form that is compared."""
    rule_for(text)
    return normal_base(text)


def _fhir_bases(text: str) -> tuple[str, ...]:
    return tuple(fhir_base(item.strip()) for item in text.split(",") if item.strip())


def _networks(text: str) -> tuple[Network, ...]:
    return tuple(ipaddress.ip_network(item.strip()) for item in text.split(",") if item.strip())


def _folder(text: str) -> Path:
    path = Path(_text(text))
    if path.exists() and not path.is_dir():
        raise ValueError(text)
    return path


def _file(text: str) -> Path:
    path = Path(text)
    if not path.is_file():
        raise ValueError(text)
    return path


def _files(text: str) -> tuple[Path, ...]:
    return tuple(_file(item) for item in text.split(os.pathsep) if item)


VARIABLES: dict[str, Variable] = {
    "host": Variable(_text, "an address to listen on", "Listen address. Open mode takes loopback addresses only."),
    "port": Variable(_whole_number(0, 65535), "0 to 65535", "Listen port."),
    "workers": Variable(_whole_number(1, 64), "1 to 64", "Worker processes; about one per core."),
    "threads": Variable(_whole_number(1, 64), "1 to 64", "Threads per worker."),
    "max_body_mb": Variable(_whole_number(1, 100), "1 to 100", "Largest request body, in MiB; more gets a 413."),
    "cors_origins": Variable(
        _origins, "origins, comma-separated", "Web pages that may call the service from a browser."
    ),
    "sandbox_origins": Variable(
        _origins, "origins, comma-separated", "Open mode: web pages that are answered in the profile `sandbox`."
    ),
    "public_url": Variable(
        _url, "an http(s) address", "Where clinicians' browsers reach this service: links on cards."
    ),
    "canonical_base": Variable(
        _url, "an http(s) address", "Canonical base of the CodeSystem and ValueSets served as FHIR."
    ),
    "rating_guideline": Variable(_one_of(GUIDELINES), "acr, acp or nice", "The guideline that rates an order."),
    "show_appropriate": Variable(
        _hooks,
        "hooks, comma-separated; may be empty",
        "Hooks at which an appropriate order still gets its one-line card.",
    ),
    "site_codes": Variable(
        _files, f"files, separated by '{os.pathsep}'", "The site's own code maps (CSV), read after ours."
    ),
    "order_catalogue": Variable(_file, "a file", "The site's imaging orderables (CSV), mapped both ways."),
    "site_parameters": Variable(_file, "a file", "The site's own values of named parameters (TOML: `name = number`)."),
    "without_cpt": Variable(_yes_or_no, "yes or no", "Leave the CPT file out (no AMA licence)."),
    "without_licensed_snomed": Variable(
        _yes_or_no, "yes or no", "Leave out the SNOMED CT rows that need an affiliate licence."
    ),
    "validate_output": Variable(
        _yes_or_no, "yes or no", "Check every answer against the schema and the R4B models before it is sent (slow)."
    ),
    "log_level": Variable(_one_of(LOG_LEVELS), ", ".join(LOG_LEVELS), "What is logged; `info` is one line per call."),
    "clients": Variable(_file, "a file", "The registered clients (TOML). Without it only open mode starts."),
    "state_dir": Variable(
        _folder,
        "a folder",
        "Where used tokens, and whose card is whose, are remembered; default `lumbar-cds` in the user's state folder.",
    ),
    "trusted_proxies": Variable(
        _networks,
        "addresses or ranges, comma-separated",
        "Reverse proxies whose X-Forwarded headers are believed; in closed mode, calls must then come over https.",
    ),
    "request_seconds": Variable(
        _whole_number(1, 600), "1 to 600", "A request that has not arrived in full by then is cut off."
    ),
    "max_resources": Variable(
        _whole_number(100, 1_000_000), "100 to 1000000", "Most resources in one call; more gets a 413."
    ),
    "fhir_servers": Variable(
        _fhir_bases,
        "base addresses, comma-separated: https, or http on a loopback address",
        "FHIR servers that open mode may read from; closed mode has those of each client.",
    ),
    "call_budget_ms": Variable(
        _whole_number(100, 60_000), "100 to 60000", "Time for a whole call, in ms; reading from the server ends in it."
    ),
    "fetch_pages": Variable(_whole_number(1, 1000), "1 to 1000", "Most pages of one search."),
    "fetch_mb": Variable(_whole_number(1, 1024), "1 to 1024", "Most MiB read from the server for one call."),
    "fetch_resources": Variable(
        _whole_number(100, 1_000_000), "100 to 1000000", "Most resources read from the server for one call."
    ),
    "ca_file": Variable(_file, "a file", "Certificate authorities (PEM) that servers are checked against."),
    "audit_store": Variable(
        _store,
        "sqlite:///FILE, postgresql://USER:PASSWORD@HOST/DATABASE or off",
        "Where records of all calls are kept; default an SQLite file in the state folder.",
    ),
    "audit_sync": Variable(
        _one_of(AUDIT_SYNC),
        " or ".join(AUDIT_SYNC),
        "`each`: a record is on the disk before its answer leaves, so that a power failure loses none.",
    ),
    "audit_required": Variable(
        _yes_or_no, "yes or no", "Refuse a call (503) rather than answer it while it cannot be recorded."
    ),
    "audit_patience_minutes": Variable(
        _whole_number(1, 10_080),
        "1 to 10080",
        "With that: how long the store may be out of reach before calls are refused.",
    ),
    "audit_keep_days": Variable(
        _whole_number(0, 36_500),
        "0 to 36500",
        "Records older than this are pruned; 0: kept until somebody prunes them.",
    ),
    "audit_checkpoint_minutes": Variable(
        _whole_number(0, 10_080), "0 to 10080", "How often a signed checkpoint is made; 0: by command only."
    ),
    "page_days": Variable(
        _whole_number(1, 3650), "1 to 3650", "How long the link to the patient's page finds the date it names."
    ),
    "traces_url": Variable(
        _url, "an http(s) address", "OpenTelemetry collector (OTLP over HTTP) that a trace of each call is sent to."
    ),
    "sign_in": Variable(_file, "a file", "How people sign in to the audit pages (TOML); without it, local users."),
}


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings of this environment, or a SettingsError that names the variable."""
    values: dict[str, object] = {}
    for name, text in environment.items():
        if not name.startswith(PREFIX):
            continue
        field = name.removeprefix(PREFIX).lower()
        variable = VARIABLES.get(field)
        if variable is None or name != PREFIX + field.upper():
            raise SettingsError(
                f"{name}: no such setting; known are {', '.join(PREFIX + f.upper() for f in VARIABLES)}"
            )
        try:
            values[field] = variable.read(text)
        except (ValueError, KeyError):
            raise SettingsError(f"{name}: expected {variable.expects}") from None
    return Settings(**values)  # type: ignore[arg-type]  # each value was made by its own field's reader
