"""Builds who may call from the settings, before the workers fork: a mistake stops the start."""

from __future__ import annotations

from audit_trail.database import StoreAddressError, store_address
from cds_service.card_owners import SentCards, SqliteCardOwners
from cds_service.clients import Client
from cds_service.closed_trust import ClosedTrust
from cds_service.collaborators import load_code_lists
from cds_service.operator_log import OperatorLog
from cds_service.rate_limit import RateLimit
from cds_service.replay_memory import ReplayMemory, ReplayMemoryError, SqliteReplayMemory
from cds_service.running_clients import RunningClients
from cds_service.sandbox_tokens import SandboxTokens
from cds_service.served_hosts import served_hosts
from cds_service.settings import Settings, SettingsError
from cds_service.shared_memory import SharedCardOwners, SharedDatabase, SharedReplayMemory
from cds_service.trust import OpenTrust
from fhir_mappings.terminology import Terminology


def open_trust(settings: Settings) -> OpenTrust:
    """Open mode: no token is needed, and one that is sent must be the public sandbox's."""
    tokens = SandboxTokens((settings.base_url,), SqliteReplayMemory(settings.used_tokens))
    servers, hosts = frozenset(settings.fhir_servers), served_hosts(settings)
    return OpenTrust(settings.sandbox_origins, settings.cors_origins, servers, tokens=tokens, hosts=hosts)


def closed_trust(settings: Settings) -> ClosedTrust:
    """Closed mode: the clients of the file that the settings name."""
    if settings.clients is None:
        raise SettingsError("LUMBAR_CDS_CLIENTS: closed mode needs a clients file")
    own = SqliteReplayMemory(settings.used_tokens)
    try:
        own.prepare()
    except ReplayMemoryError as problem:
        raise SettingsError(f"LUMBAR_CDS_STATE_DIR: {settings.used_tokens}: {problem}") from None
    return ClosedTrust(running_clients(settings), _replay_memory(settings, own), RateLimit())


def _replay_memory(settings: Settings, own: ReplayMemory) -> ReplayMemory:
    """Shared by the machines that share a store; else the machine's own."""
    database = shared_database(settings)
    if database is None:
        return own
    return SharedReplayMemory(database, own, OperatorLog(settings.log_level))


def sent_cards(settings: Settings) -> SentCards | None:
    """Closed mode: whose card is whose. Open mode keeps nothing."""
    if settings.clients is None:
        return None
    database = shared_database(settings)
    owners = SqliteCardOwners(settings.used_tokens) if database is None else SharedCardOwners(database)
    return SentCards(owners, OperatorLog(settings.log_level))


def shared_database(settings: Settings) -> SharedDatabase | None:
    """The database of a store that several machines may share; SQLite's file is a machine's own."""
    if not settings.audit_store_url:
        return None
    try:
        url = store_address(settings.audit_store_url)
    except StoreAddressError as problem:
        raise SettingsError(f"LUMBAR_CDS_AUDIT_STORE: {problem}") from None
    return SharedDatabase(url) if url.get_backend_name() == "postgresql" else None


def running_clients(settings: Settings) -> RunningClients:
    """The clients of the file, with the code lists of their sites."""
    if settings.clients is None:
        raise SettingsError("LUMBAR_CDS_CLIENTS: expected a file")

    def site_lists(client: Client) -> Terminology | None:
        if not client.code_maps and client.order_catalogue is None:
            return None
        return load_code_lists(settings, client.code_maps, client.order_catalogue)

    ca_file = None if settings.ca_file is None else str(settings.ca_file)
    return RunningClients(settings.clients, site_lists, OperatorLog(settings.log_level), ca_file)
