"""A worker's threads take calls in turn: the one that leads answers whatever is there, the others wait to be needed.

Gunicorn's own threaded worker hands each request from its main thread to a pool and back, which costs as much as half a
decision. Here the main thread accepts connections and watches the clock; requests are read, answered and written by the
thread that leads (see ``computing``), one after the other and without a hand-over. Before anything that may have to
wait, the lead goes to another thread. A request that is not of the usual form is left to gunicorn's own code.

No thread waits for a head that has not come in full, for a body that nobody wants, or for the other side to close: such
connections lie with those that are silent, each with a time of its own, so that callers who stop in the middle hold up
nobody.
"""

from __future__ import annotations

import os
import selectors
import socket
import threading
import time
from collections import deque
from typing import Any, Final

from gunicorn.http.errors import LimitRequestHeaders
from gunicorn.http.wsgi import base_environ
from gunicorn.workers.gthread import ThreadWorker

from cds_service.computing import LEAD
from cds_service.usual_answer import UsualAnswer, send
from cds_service.usual_request import (
    MOST_OF_A_HEAD,
    MOST_SKIPPED,
    Environ,
    can_be_read,
    read_what_is_there,
    usual_request,
)

_SWEEP: Final = 0.5  # seconds; how often silent connections are looked at
_PATIENCE: Final = 5.0  # seconds for the rest of a body that nobody wanted to read, as in gunicorn
_UNUSUAL_PATIENCE: Final = 0.1  # the same where a thread must wait for it
_FAREWELL: Final = 2.0  # seconds in which the other side may read the last answer and close, as in gunicorn


class CallLoopWorker(ThreadWorker):  # type: ignore[misc]  # gunicorn ships no types
    """Gunicorn's threaded worker, whose threads take the calls themselves."""

    seconds = 10.0  # in which a request must have come

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._calls = selectors.DefaultSelector()
        self._idle: dict[int, Any] = {}  # connections that the leader looks after, by their id
        self._queue: deque[Any] = deque()  # those of which something has come, in the order in which it did
        self._taken: Any = None  # the one whose request the leader is at
        self._silence = float(self.cfg.keepalive)  # seconds between two requests; looked up once
        self._latest = float("inf")  # no connection stays idle for longer; set when the worker stops
        self._next_sweep = 0.0

    def run(self) -> None:
        """Gunicorn's loop, on the main thread."""
        LEAD.before_leaving = self._put_down
        for number in range(self.cfg.threads):
            threading.Thread(target=self._take_calls, name=f"calls-{number}", daemon=True).start()
        super().run()

    def enqueue_req(self, conn: Any) -> None:
        """A connection that was just accepted; called on the main thread."""
        conn.sock.setblocking(True)
        conn.environ = self._environ(conn)
        conn.begun = b""  # what has come of the next request
        conn.since = time.monotonic()  # when the first of it came, or else the last one was answered
        conn.unwanted = 0  # bytes that come before it, and that nobody wants
        conn.ending = False  # the last answer is sent
        conn.queued = False
        conn.set_timeout()
        self._look_after(conn)

    def _cap_keepalive(self, deadline: float) -> None:
        """Gunicorn's word for: the worker stops, idle connections are closed by then."""
        self._latest = deadline

    def _take_calls(self) -> None:
        while True:
            LEAD.take()
            try:
                while LEAD.mine:
                    self._lead()
            except Exception:
                self.log.exception("error beside the connections")  # a thread that ended would take the lead with it
            finally:
                LEAD.leave()

    def _lead(self) -> None:
        """Answers the requests that came first, as far as that goes without leaving the lead, then looks again.

        The system tells which connections can be read, in no order of their coming: the queue is kept here.
        """
        for key, _ in self._calls.select(0 if self._queue else _SWEEP):
            if not key.data.queued:
                key.data.queued = True
                self._queue.append(key.data)
        for _ in range(min(len(self._queue), 1 + len(self._queue) // 4)):
            conn = self._queue.popleft()
            conn.queued = False
            if not self._serve(conn):
                return
        if time.monotonic() >= self._next_sweep:
            self._close_silent()

    def _serve(self, conn: Any) -> bool:
        """What has come on one connection, and what then becomes of it; True if this thread still leads."""
        self._taken = conn
        try:
            keep = self._discard(conn) if conn.unwanted else self._take_in(conn)
            while keep and conn.begun and can_be_read(conn.begun):
                keep = self.handle(conn)
                conn.since = time.monotonic()
        except OSError:
            keep = False  # the caller has gone
        except Exception:
            self.log.exception("error while serving a connection")
            keep = False
        if not keep:
            self._end(conn)
        else:
            self._set_timeout(conn)
        if LEAD.mine:
            self._taken = None  # else it is what the next leader is at
            return True
        if conn.sock.fileno() >= 0:
            self._look_after(conn)
        return False

    def _take_in(self, conn: Any) -> bool:
        """Reads what is there; False at the end of the connection, and where a head grows beyond bounds."""
        came = read_what_is_there(conn.sock)
        if came is None:
            return True
        if not conn.begun:
            conn.since = time.monotonic()
        conn.begun += came
        if len(conn.begun) > MOST_OF_A_HEAD and not can_be_read(conn.begun):
            self.handle_error(None, conn.sock, conn.client, LimitRequestHeaders("a head without end"))
            return False
        return bool(came)

    def _discard(self, conn: Any) -> bool:
        """Takes in what nobody wants; False at its end where the connection ends with it."""
        came = read_what_is_there(conn.sock, conn.unwanted)
        if came is not None:
            conn.unwanted -= len(came)
            return bool(came) and not (conn.ending and not conn.unwanted)
        return True

    def handle(self, conn: Any) -> bool:
        """One request; True if another may follow on this connection."""
        begun, conn.begun = conn.begun, b""
        usual = None if conn.environ is None else usual_request(begun, conn.environ.copy(), conn.sock)
        if usual is not None:
            environ, conn.begun = usual
            return self._answer(conn, environ)
        LEAD.leave()  # gunicorn waits for what it reads
        return self._handle_unusual(conn, begun)

    def _handle_unusual(self, conn: Any, begun: bytes) -> bool:
        conn.parser, conn.initialized, conn.data_ready = None, False, True
        conn.init()
        conn.parser.unreader.unread(begun)
        keep = bool(super().handle(conn))
        if keep:
            conn.begun = conn.parser.unreader.take_buffered()
        return keep

    def _keepalive_after(self, conn: Any, keepalive: bool) -> bool:
        """Gunicorn's word for: the request is answered; what is left of its body has to go before the next one."""
        return keepalive and bool(conn.parser.finish_body(deadline=time.monotonic() + _UNUSUAL_PATIENCE))

    def _answer(self, conn: Any, environ: Environ) -> bool:
        body = environ["wsgi.input"]
        answer = UsualAnswer()
        try:
            parts = self.wsgi(environ, answer.start)
            try:
                content = b"".join(parts)
            finally:
                if hasattr(parts, "close"):
                    parts.close()
            keep: bool = self.alive and self.nr_conns <= self.max_keepalived
            message = answer.message(content, keep)
        except Exception as problem:  # noqa: BLE001  the application answers its own failures; this is a defect beside it
            LEAD.leave()
            self.handle_error(None, conn.sock, conn.client, problem)
            return False
        send(conn.sock, message)
        conn.unwanted = body.left
        return keep and body.left <= MOST_SKIPPED

    def _look_after(self, conn: Any) -> None:
        """Puts a connection among those that the leader waits for."""
        self._idle[id(conn)] = conn
        self._calls.register(conn.sock, selectors.EVENT_READ, conn)

    def _set_timeout(self, conn: Any) -> None:
        if conn.ending:
            return
        if conn.unwanted:
            conn.timeout = time.monotonic() + _PATIENCE
        elif conn.begun:
            conn.timeout = conn.since + self.seconds
        else:
            conn.timeout = conn.since + self._silence  # it was answered just now

    def _put_down(self) -> None:
        """Before this thread leaves the lead: the next leader must not see the request that is being answered."""
        if self._taken is not None:
            self._forget(self._taken)
            self._taken = None

    def _forget(self, conn: Any) -> None:
        del self._idle[id(conn)]
        self._calls.unregister(conn.sock)

    def _end(self, conn: Any) -> None:
        """Says goodbye; the connection closes when the other side has, or soon (RFC 9112, 9.6)."""
        if not conn.ending:
            conn.ending, conn.begun, conn.unwanted = True, b"", MOST_SKIPPED
            conn.timeout = time.monotonic() + _FAREWELL
            try:
                conn.sock.shutdown(socket.SHUT_WR)
            except OSError:
                pass  # it has gone already
            else:
                return
        self._close(conn)

    def _close(self, conn: Any) -> None:
        if LEAD.mine:
            self._forget(conn)
        conn.close()
        self.method_queue.defer(self._one_connection_less)

    def _one_connection_less(self) -> None:
        self.nr_conns -= 1  # counted on the main thread only

    def _close_silent(self) -> None:
        now = time.monotonic()
        self._next_sweep = now + _SWEEP
        for conn in tuple(self._idle.values()):
            if min(conn.timeout, self._latest) <= now and not conn.queued:
                self._close(conn)

    def _environ(self, conn: Any) -> Environ | None:
        """What the WSGI environments of all requests of a connection have in common; None: leave them to gunicorn."""
        if not isinstance(conn.client, tuple) or self.cfg.is_ssl or os.environ.get("SCRIPT_NAME"):
            return None
        return {
            **base_environ(self.cfg),
            "wsgi.multithread": True,
            "wsgi.url_scheme": "http",
            "gunicorn.socket": conn.sock,
            "REQUEST_METHOD": "POST",
            "SERVER_PROTOCOL": "HTTP/1.1",
            "QUERY_STRING": "",
            "SCRIPT_NAME": "",
            "REMOTE_ADDR": conn.client[0],
            "REMOTE_PORT": str(conn.client[1]),
            "SERVER_NAME": conn.server[0],
            "SERVER_PORT": str(conn.server[1]),
        }
