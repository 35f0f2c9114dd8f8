"""A library's HTTP session whose every request leaves through the guarded client, and through nothing else."""

from __future__ import annotations

from http.client import responses
from typing import Any, Final

from authlib.integrations.requests_client import OAuth2Session
from requests import PreparedRequest, Response, Session
from requests.adapters import BaseAdapter
from requests.exceptions import ConnectionError as NotReached
from requests.structures import CaseInsensitiveDict

from cds_service.deadline import Deadline
from cds_service.egress import Egress, EgressFailed, EgressRefused

SECONDS: Final = 10.0  # for one exchange with an identity provider
LARGEST: Final = 1024 * 1024
_PASSED_ON: Final = frozenset({"accept", "authorization", "content-type"})


class GuardedAdapter(BaseAdapter):
    """Sends what a session has prepared. The session's own ideas of timeouts, certificates and proxies do not count."""

    def __init__(self, egress: Egress) -> None:
        super().__init__()
        self._egress = egress

    def send(self, request: PreparedRequest, *_: Any, **__: Any) -> Response:
        """One exchange with a registered origin, or a requests exception that tells nothing of it."""
        headers = {name: value for name, value in request.headers.items() if name.lower() in _PASSED_ON}
        try:
            answer = self._egress.fetch(
                request.method or "GET",
                request.url or "",
                deadline=Deadline(SECONDS),
                max_bytes=LARGEST,
                headers=headers,
                body=request.body,
            )
        except (EgressFailed, EgressRefused) as problem:
            raise NotReached(str(problem)) from None
        response = Response()
        response.status_code = answer.status
        response.reason = responses.get(answer.status, "")
        response.headers = CaseInsensitiveDict(answer.headers)
        response._content = answer.body
        response.url = request.url or ""
        response.request = request
        return response

    def close(self) -> None:
        """The guarded client keeps its connections."""


def guarded_sessions(egress: Egress) -> type[Session]:
    """A class of sessions for OAuth that go through ``egress``."""

    class GuardedSession(OAuth2Session):  # type: ignore[misc]  # Authlib ships no types
        def __init__(self, *args: Any, **options: Any) -> None:
            super().__init__(*args, **options)
            self.trust_env = False
            self.max_redirects = 0
            for scheme in ("https://", "http://"):
                self.mount(scheme, GuardedAdapter(egress))

    return GuardedSession
