"""The guarded HTTP client: every request that leaves this service goes through here.

Only registered origins are contacted (``egress_policy``), over pooled connections, without redirects, cookies, proxies
or anything else from the environment. A deadline and a cap on bytes hold for the whole exchange, however slowly it
drips. What is raised names a kind of failure; never an address, a header or a body.
"""

from __future__ import annotations

import zlib
from collections.abc import Mapping
from typing import Any, Final

from msgspec import Struct
from requests import PreparedRequest, Response
from requests.adapters import HTTPAdapter
from requests.exceptions import RequestException
from urllib3 import PoolManager, Timeout
from urllib3.connectionpool import HTTPConnectionPool
from urllib3.exceptions import HTTPError

from cds_service.computing import LEAD
from cds_service.deadline import Deadline
from cds_service.egress_logging import quiet
from cds_service.egress_policy import BadAddress, EgressPolicy, HostRule, normal_base, read_origin, rule_for
from cds_service.egress_sockets import Dialer, EgressFailed, EgressRefused, GuardedHTTP, GuardedHTTPS
from cds_service.name_lookup import NameLookup, Resolver, system_resolver

__all__ = [
    "BadAddress",
    "Egress",
    "EgressAnswer",
    "EgressFailed",
    "EgressPolicy",
    "EgressRefused",
    "HostRule",
    "normal_base",
    "rule_for",
]

_PIECE: Final = 64 * 1024
_HEADERS: Final = {"Accept-Encoding": "identity", "User-Agent": "lumbar-imaging-cds", "Connection": "keep-alive"}


class EgressAnswer(Struct, frozen=True):
    """What came back. ``headers`` are looked up in any case."""

    status: int
    headers: Mapping[str, str]
    body: bytes


class Egress:
    """Sends requests to registered origins. One for each process; safe to share between threads."""

    def __init__(
        self,
        policy: EgressPolicy,
        *,
        ca_file: str | None = None,
        connections: int = 64,
        resolver: Resolver = system_resolver,
    ) -> None:
        self._policy = policy
        self._verify: bool | str = ca_file or True
        self._adapter = _GuardedAdapter(Dialer(policy, NameLookup(resolver)), connections)

    @classmethod
    def to(cls, rule: HostRule) -> Egress:
        """For one origin and no other, with the public certificate authorities."""
        return cls(EgressPolicy(frozenset({rule})))

    def fetch(
        self,
        method: str,
        url: str,
        *,
        deadline: Deadline,
        max_bytes: int,
        headers: Mapping[str, str] | None = None,
        body: bytes | str | None = None,
    ) -> EgressAnswer:
        """One exchange. A redirect is an answer like any other, and is not followed."""
        self._check(url)
        request = PreparedRequest()
        try:
            request.prepare(method=method, url=url, headers={**_HEADERS, **(headers or {})}, data=body)
        except (RequestException, ValueError):
            raise EgressRefused("not a request that can be sent") from None
        with quiet():
            return self._exchange(request, deadline, max_bytes)

    def _check(self, url: str) -> None:
        try:
            origin = read_origin(url)
        except BadAddress as problem:
            raise EgressRefused(str(problem)) from None
        if self._policy.rule(*origin) is None:
            raise EgressRefused("the host is not registered")

    def _exchange(self, request: PreparedRequest, deadline: Deadline, max_bytes: int) -> EgressAnswer:
        LEAD.leave()
        left = deadline.remaining()
        if left <= 0:
            raise EgressFailed("timeout")
        failure: EgressFailed | EgressRefused
        try:
            # An exception of the library holds address and headers: it goes no further than this function.
            limit: Any = Timeout(total=left)
            response = self._adapter.send(request, stream=True, timeout=limit, verify=self._verify)
            try:
                return _read(response, deadline, max_bytes)
            except BaseException:
                response.raw.close()  # what is left unread must not be taken for the next answer
                raise
        except (EgressFailed, EgressRefused) as problem:
            failure = problem
        except (RequestException, HTTPError, OSError, ValueError, zlib.error) as problem:
            failure = _kind_of(problem, deadline)
        failure.__cause__ = failure.__context__ = None
        raise failure


def _read(response: Response, deadline: Deadline, max_bytes: int) -> EgressAnswer:
    raw = response.raw
    unpack = _unpacker(response.headers.get("Content-Encoding", ""))
    pieces: list[bytes] = []
    size = 0
    for piece in raw.stream(_PIECE, decode_content=False):
        if deadline.passed:
            raise EgressFailed("timeout")
        plain = piece if unpack is None else unpack.decompress(piece, max_bytes - size + 1)
        size += len(plain)
        if size > max_bytes:
            raise EgressFailed("too large")
        pieces.append(plain)
    if unpack is not None and not unpack.eof:
        raise EgressFailed("broken")
    raw.release_conn()
    return EgressAnswer(response.status_code, response.headers, b"".join(pieces))


def _unpacker(encoding: str) -> Any:
    """Answers are asked for as they are; a server that packs all the same is unpacked within the cap."""
    if encoding.strip().lower() in ("", "identity"):
        return None
    if encoding.strip().lower() in ("gzip", "x-gzip", "deflate"):
        return zlib.decompressobj(wbits=zlib.MAX_WBITS | 32)
    raise EgressFailed("encoding")


def _kind_of(problem: BaseException, deadline: Deadline) -> EgressFailed | EgressRefused:
    """The kind of failure, whatever the library wrapped it in."""
    seen: set[int] = set()
    waiting: list[Any] = [problem]
    names: set[str] = set()
    while waiting:
        each = waiting.pop()
        if not isinstance(each, BaseException) or id(each) in seen:
            continue
        if isinstance(each, EgressFailed | EgressRefused):
            return each
        seen.add(id(each))
        names.add(type(each).__name__)
        waiting += [each.__cause__, each.__context__, getattr(each, "reason", None), *each.args]
    if deadline.passed or names & {"TimeoutError", "ReadTimeoutError", "ConnectTimeoutError", "ReadTimeout"}:
        return EgressFailed("timeout")
    if names & {"SSLError", "SSLCertVerificationError", "CertificateError"}:
        return EgressFailed("TLS")
    if "ConnectionRefusedError" in names:
        return EgressFailed("connection refused")
    return EgressFailed("broken")


class _Pools(PoolManager):
    """Connection pools whose connections are opened by the dialer, and by nothing else."""

    def __init__(self, dialer: Dialer, **options: Any) -> None:
        self._dialer = dialer
        super().__init__(**options)

    def _new_pool(
        self, scheme: str, host: str, port: int, request_context: dict[str, Any] | None = None
    ) -> HTTPConnectionPool:
        pool = super()._new_pool(scheme, host, port, request_context)
        kind = GuardedHTTPS if scheme == "https" else GuardedHTTP

        def connection(*args: Any, **options: Any) -> GuardedHTTP | GuardedHTTPS:
            opened = kind(*args, **options)
            opened.dialer = self._dialer
            return opened

        pool.ConnectionCls = connection  # type: ignore[assignment]
        return pool


class _GuardedAdapter(HTTPAdapter):
    def __init__(self, dialer: Dialer, connections: int) -> None:
        self._dialer = dialer
        super().__init__(pool_connections=16, pool_maxsize=connections, max_retries=0)

    def init_poolmanager(self, connections: int, maxsize: int, block: bool = False, **options: Any) -> None:
        self.poolmanager = _Pools(
            self._dialer, num_pools=connections, maxsize=maxsize, block=block, retries=False, **options
        )

    def proxy_manager_for(self, proxy: str, **_: Any) -> Any:
        raise EgressRefused("proxies are not used")
