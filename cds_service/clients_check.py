"""A usable clients file in plain words: who may call what, how each is known, and what to look at again."""

from __future__ import annotations

from collections.abc import Iterator

from cards.profiles import PROFILES
from cds_service.clients import Client
from cds_service.key_sets import FixedKeys, KeySource
from cds_service.running_clients import ClientsInForce
from cds_service.service_catalogue import SERVICES


def described(in_force: ClientsInForce) -> Iterator[str]:
    """Lines for the operator."""
    for client in in_force.registry.clients:
        yield f"{client.name}"
        yield f"  tokens of {client.issuer}" + (f", tenants {', '.join(client.tenants)}" if client.tenants else "")
        yield f"  signed with {' or '.join(client.algorithms)}, valid {client.max_token_minutes} minutes at most"
        yield from _keys(client, in_force.keys[client.name])
        for base in client.audiences:
            yield f"  calls {base}/cds-services and /cds-services/({' | '.join(each.id for each in SERVICES)})"
        if client.extra_audiences:
            yield f"  or tokens meant for: {', '.join(client.extra_audiences)}"
        yield f"  records are fetched from: {', '.join(client.fhir_servers) or 'nowhere; prefetch alone is used'}"
        yield f"  web pages that may call: {', '.join(client.origins) or 'none'}"
        yield f"  answers in the profile {client.profile}: {PROFILES[client.profile].about}"
        yield f"  {client.rate_per_minute} calls a minute, {client.burst} at once"
        if client.name in in_force.code_lists:
            yield f"  own code lists, version {in_force.code_lists[client.name].version}"
        yield from _look_again(client)
        yield from _orders(client, in_force)
    yield f"usable: {len(in_force.registry.clients)} clients"


def _keys(client: Client, source: KeySource) -> Iterator[str]:
    if not isinstance(source, FixedKeys):
        yield f"  keys from {client.jwks_url}, fetched when a call needs them"
        return
    for kid, algorithm in sorted(source.known.keys):
        yield f"  key {kid!r} for {algorithm}"
    for skipped in source.known.skipped:
        yield f"  not used: {skipped}"


def _orders(client: Client, in_force: ClientsInForce) -> Iterator[str]:
    """A client that places orders by its own codes needs to have told us some."""
    profile = PROFILES[client.profile]
    own = in_force.code_lists.get(client.name)
    if profile.created_by and (own is None or own.catalogue.systems.isdisjoint(profile.created_by)):
        yield (
            f"  NOTE: no order can be placed from a card: its order_catalogue has no code of {profile.created_by[0]};"
            " what to order is said in words"
        )


def _look_again(client: Client) -> Iterator[str]:
    if client.silent:
        yield "  NOTE: silent: its calls are decided and recorded, and its clinicians are shown nothing"
    if client.synthetic_data_only:
        yield "  NOTE: anybody can sign as this client; synthetic data only"
    if client.private_networks and not client.fhir_servers and not client.jwks_url:
        yield "  NOTE: private_networks without an address to fetch from means nothing"
    if client.burst > client.rate_per_minute:
        yield "  NOTE: burst is larger than rate_per_minute"
