"""Which addresses this service may contact: registered origins, and no address inside a network unless registered.

A host is judged twice: by its name when a request is made, and by every address that the name stands for when a
connection is opened. A name that suddenly points to another network gets no connection.
"""

from __future__ import annotations

import ipaddress
import re
from collections.abc import Iterable
from urllib.parse import SplitResult, urlsplit

from msgspec import Struct

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Network = ipaddress.IPv4Network | ipaddress.IPv6Network

_PORTS = {"https": 443, "http": 80}
_NAME = re.compile(r"(?!-)[a-z0-9-]{1,63}(?<!-)(\.(?!-)[a-z0-9-]{1,63}(?<!-))*")
_NUMBER = re.compile(r"(0x[0-9a-f]*|[0-9]+)")  # how a resolver may read a last label as part of an IPv4 address
_UNFIT = re.compile(r"[^\x21-\x7e]|\\")
# Where cloud machines ask for their own secrets; no FHIR server or key set lives there, registered or not.
_METADATA = frozenset(
    ipaddress.ip_address(each)
    for each in (
        "169.254.169.254", "169.254.170.2", "169.254.170.23", "100.100.100.200", "168.63.129.16", "192.0.0.192",
        "fd00:ec2::254", "fd00:ec2::23", "fd20:ce::254",
    )
)  # fmt: skip
# RFC 6052 and RFC 8215: IPv6 addresses that a translator turns into the IPv4 address in their last 32 bits.
_TRANSLATED = (ipaddress.IPv6Network("64:ff9b::/96"), ipaddress.IPv6Network("64:ff9b:1::/48"))
_COMPATIBLE = ipaddress.IPv6Network("::/96")  # RFC 4291, 2.5.5.1; deprecated
_ISATAP = (0x0000_5EFE, 0x0200_5EFE)  # RFC 5214: the interface part begins so, and an IPv4 address follows
# All that is given out to the public (IANA, "IPv6 Global Unicast Address Assignments"), but for what is documentation.
_GIVEN_OUT = ipaddress.IPv6Network("2000::/3")
_DOCUMENTATION = ipaddress.IPv6Network("3fff::/20")  # RFC 9637


class BadAddress(ValueError):
    """A web address that cannot be registered; the message says why, and repeats nothing of it."""


class HostRule(Struct, frozen=True):
    """One registered origin. ``networks``: ranges that its name may stand for although they are not public."""

    scheme: str
    host: str
    port: int
    networks: tuple[Network, ...] = ()

    def permits(self, address: Address) -> bool:
        """May a connection to this origin go to this address?"""
        several = _meant_by(address)
        if any(each in _METADATA for each in several):
            return False
        return all(is_public(each) for each in several) or any(
            address.version == network.version and address in network for network in self.networks
        )


class EgressPolicy(Struct, frozen=True):
    """The registered origins. Without any, nothing is contacted."""

    hosts: frozenset[HostRule] = frozenset()

    def rule(self, scheme: str, host: str, port: int) -> HostRule | None:
        """The rule of an origin, if it is registered."""
        for each in self.hosts:
            if (each.scheme, each.host, each.port) == (scheme, host, port):
                return each
        return None

    def with_hosts(self, more: Iterable[HostRule]) -> EgressPolicy:
        """This policy and more origins."""
        return EgressPolicy(self.hosts | frozenset(more))


def is_public(address: Address) -> bool:
    """Is this an address of the public internet, and of one machine?"""
    if address.version == 6 and (address not in _GIVEN_OUT or address in _DOCUMENTATION):
        return False
    return address.is_global and not (address.is_multicast or address.is_unspecified or address.is_reserved)


def _meant_by(address: Address) -> tuple[Address, ...]:
    """The address, and the IPv4 addresses that are wrapped in it: mapped, translated, tunnelled."""
    if isinstance(address, ipaddress.IPv4Address):
        return (address,)
    inner: list[Address] = []
    if address.ipv4_mapped is not None:
        return (address.ipv4_mapped,)
    if address.sixtofour is not None:
        inner.append(address.sixtofour)
    if address.teredo is not None:
        inner += address.teredo
    translated = any(address in network for network in _TRANSLATED) or address in _COMPATIBLE
    if translated or (int(address) >> 32) & 0xFFFFFFFF in _ISATAP:
        inner.append(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    return (address, *inner)


def read_origin(url: str) -> tuple[str, str, int]:
    """(scheme, host, port) of a web address that everyone reads alike; anything else is refused."""
    parts = _parts(url)
    host = (parts.hostname or "").lower()
    try:
        port = parts.port or _PORTS[parts.scheme]
    except ValueError:
        raise BadAddress("not a port") from None
    written = parts.netloc.rpartition(":")[0] if parts.port is not None else parts.netloc
    if written.lower() not in (host, f"[{host}]"):
        raise BadAddress("a host that can be read in two ways")
    if "%" in host:
        raise BadAddress("an address that means something on one machine only")
    if written.startswith("["):
        return parts.scheme, str(_address(host, "not an IPv6 address")), port
    if _NUMBER.fullmatch(host.rpartition(".")[2]):
        if str(_address(host, "an IPv4 address is written as four decimal numbers")) != host:
            raise BadAddress("an IPv4 address is written as four decimal numbers")
    elif not _NAME.fullmatch(host) or len(host) > 253:
        raise BadAddress("not a host name")
    return parts.scheme, host, port


def _parts(url: str) -> SplitResult:
    if not url or len(url) > 2048 or _UNFIT.search(url):
        raise BadAddress("empty, too long, or with characters that an address cannot have")
    try:
        parts = urlsplit(url)
    except ValueError:
        raise BadAddress("not a web address") from None
    if parts.scheme not in _PORTS:
        raise BadAddress("expected https:// (or http:// on this machine)")
    if "@" in parts.netloc:
        raise BadAddress("an address with a user name in it")
    return parts


def _address(host: str, otherwise: str) -> Address:
    try:
        return ipaddress.ip_address(host)
    except ValueError:
        raise BadAddress(otherwise) from None


_LOOPBACK: tuple[Network, ...] = (ipaddress.IPv4Network("127.0.0.0/8"), ipaddress.IPv6Network("::1/128"))


def rule_for(url: str, networks: tuple[Network, ...] = ()) -> HostRule:
    """The rule that registers the origin of ``url``: https, or http on a loopback address of this machine.

    A literal address is registered with itself; ``localhost`` with the loopback addresses; any other name with public
    addresses and with ``networks``.
    """
    scheme, host, port = read_origin(url)
    own = _own_networks(host)
    if scheme == "http" and not any(network.is_loopback for network in own):
        raise BadAddress("http is taken for loopback addresses only; use https")
    rule = HostRule(scheme, host, port, (*own, *networks))
    for network in own:
        if network.num_addresses == 1 and not rule.permits(network.network_address):
            raise BadAddress("an address at which machines keep their secrets")
    return rule


def _own_networks(host: str) -> tuple[Network, ...]:
    if host == "localhost":
        return _LOOPBACK
    try:
        return (ipaddress.ip_network(host),)
    except ValueError:
        return ()


def normal_base(url: str) -> str:
    """A base address in the one form that is compared: lower-case host, no default port, no final slash."""
    scheme, host, port = read_origin(url)
    parts = urlsplit(url)
    if parts.query or parts.fragment or "?" in url or "#" in url:
        raise BadAddress("a base address has no ? and no #")
    path = parts.path.rstrip("/")
    if any(part in ("", ".", "..") or "%" in part or ";" in part for part in path.split("/")[1:]):
        raise BadAddress("a path that can be read in two ways")
    shown = f"[{host}]" if ":" in host else host
    return f"{scheme}://{shown}{'' if port == _PORTS[scheme] else f':{port}'}{path}"
