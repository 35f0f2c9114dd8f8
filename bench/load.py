"""A closed-loop load generator in a process of its own: one thread, raw sockets kept alive, requests built beforehand.

Each connection sends its next request as soon as it has read the answer to the last. The process reports its own CPU
time beside the latencies, so that a run in which the generator itself was the limit shows.
"""

import selectors
import socket
import sys
import time
from collections import deque
from collections.abc import Callable
from pathlib import Path

import msgspec
from msgspec import Struct

from bench.closed import Signer

HOST = "127.0.0.1"
RECEIVE = 1 << 18
MOST_CALLS = 1500  # a second, that tokens are made for beforehand


class Load(Struct, frozen=True):
    """What to send, to which port, over how many connections, for how long (after ``warm_up`` seconds unmeasured)."""

    port: int
    path: str
    bodies: tuple[str, ...]  # files
    connections: int
    seconds: float
    warm_up: float = 0.0
    requests: int = 0  # stop after this many answers, if not 0
    cpu: int | None = None  # run on this core
    signer: Signer | None = None  # a fresh token goes with every call


class Measured(Struct, frozen=True):
    """What came back. Latencies are in milliseconds, from the first byte sent to the last byte read."""

    requests: int
    seconds: float
    median: float
    p99: float
    worst: float
    failures: int
    answer_bytes: int
    generator_busy: float  # share of the time that this process used a core
    in_all: int = 0  # answers, those of the warm-up and of the end included
    in_all_seconds: float = 0.0
    waiting_megabytes: float = 0.0  # what was recorded by the end, and not yet stored
    storing_seconds: float = 0.0  # that it took to store it
    storing_processor_seconds: float = 0.0  # of these, what the processor was used for

    @property
    def per_second(self) -> float:
        """Answers a second."""
        return self.requests / self.seconds

    @property
    def stored_per_second(self) -> float:
        """Answers a second, the processor time included that storing the records takes: what can go on for ever."""
        return self.in_all / (self.in_all_seconds + self.storing_processor_seconds)


class _Connection:
    """One keep-alive connection: what is left to send, and the answer so far."""

    def __init__(self, port: int) -> None:
        self.socket = socket.create_connection((HOST, port))
        self.socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.socket.setblocking(False)
        self.left: list[memoryview] = []
        self.answer = bytearray()
        self.expected = 0  # bytes of the whole answer, once the header is in
        self.started = 0.0

    def start(self, request: tuple[memoryview, memoryview]) -> None:
        self.left = list(request)
        self.answer.clear()
        self.expected = 0
        self.started = time.perf_counter()

    def send(self) -> bool:
        """Sends what fits; True when all of it is sent."""
        try:
            while self.left:
                sent = self.socket.sendmsg(self.left)
                while self.left and sent >= len(self.left[0]):
                    sent -= len(self.left.pop(0))
                if sent:
                    self.left[0] = self.left[0][sent:]
        except BlockingIOError:
            return False
        return True

    def receive(self) -> bool:
        """Reads what is there; True when the answer is complete."""
        piece = self.socket.recv(RECEIVE)
        if not piece:
            raise ConnectionError("the server closed the connection")
        self.answer += piece
        if not self.expected:
            end = self.answer.find(b"\r\n\r\n")
            if end < 0:
                return False
            at = self.answer.lower().find(b"content-length:", 0, end)
            if at < 0:
                raise ConnectionError("the answer has no Content-Length")
            self.expected = end + 4 + int(self.answer[at + 15 : self.answer.find(b"\r", at)])
        return len(self.answer) >= self.expected


class _Run:
    """One measured stretch of closed-loop load."""

    def __init__(self, load: Load) -> None:
        self.load = load
        self.bodies = [memoryview(Path(name).read_bytes()) for name in load.bodies]
        self.heads = [memoryview(head_bytes(load.path, len(body))) for body in self.bodies]
        self.token = self._tokens(load.signer) if load.signer is not None else None
        self.selector = selectors.DefaultSelector()
        self.next_body = 0
        self.latencies: list[float] = []
        self.failures = 0
        self.answer_bytes = 0
        self.in_all = 0

    def _tokens(self, signer: Signer) -> Callable[[], str]:
        """Tokens for all calls are made before the first one: making them would take the server's time."""
        make = signer.tokens()
        calls = self.load.requests or int(MOST_CALLS * (self.load.warm_up + self.load.seconds))
        made = deque(make() for _ in range(calls + self.load.connections))
        return lambda: made.popleft() if made else make()

    def measure(self) -> Measured:
        """Warm up, then count until the time is over; answers under way at the end are read but not counted."""
        connections = [_Connection(self.load.port) for _ in range(self.load.connections)]
        for connection in connections:
            self._next(connection, first=True)
        now = first = time.perf_counter()
        begin = now + self.load.warm_up
        while now < begin:
            now = self._step(counted=False)
        busy, began = time.process_time(), now
        end = began + self.load.seconds
        while now < end and not self._enough():
            now = self._step(counted=True)
        busy = time.process_time() - busy
        for connection in connections:
            connection.socket.close()
        return self._summary(now - began, busy, now - first)

    def _enough(self) -> bool:
        return bool(self.load.requests) and len(self.latencies) >= self.load.requests

    def _step(self, counted: bool) -> float:
        for key, _ in self.selector.select(timeout=1.0):
            connection: _Connection = key.data
            if key.events == selectors.EVENT_WRITE:
                if connection.send():
                    self.selector.modify(connection.socket, selectors.EVENT_READ, connection)
            elif connection.receive():
                self.in_all += 1
                if counted:
                    self._count(connection)
                self._next(connection, first=False)
        return time.perf_counter()

    def _count(self, connection: _Connection) -> None:
        self.latencies.append(time.perf_counter() - connection.started)
        self.answer_bytes = len(connection.answer)
        if not connection.answer.startswith(b"HTTP/1.1 200"):
            self.failures += 1

    def _next(self, connection: _Connection, first: bool) -> None:
        body, head = self.bodies[self.next_body], self.heads[self.next_body]
        if self.token is not None:
            head = memoryview(head_bytes(self.load.path, len(body), self.token()))
        self.next_body = (self.next_body + 1) % len(self.bodies)
        connection.start((head, body))
        events = selectors.EVENT_READ if connection.send() else selectors.EVENT_WRITE
        if first:
            self.selector.register(connection.socket, events, connection)
        elif events == selectors.EVENT_WRITE:
            self.selector.modify(connection.socket, events, connection)

    def _summary(self, seconds: float, busy: float, in_all_seconds: float) -> Measured:
        ordered = sorted(self.latencies)
        if not ordered:
            return Measured(0, seconds, 0.0, 0.0, 0.0, self.failures, 0, busy / seconds, self.in_all, in_all_seconds)
        return Measured(
            requests=len(ordered),
            seconds=seconds,
            median=ordered[len(ordered) // 2] * 1000,
            p99=ordered[min(len(ordered) - 1, int(len(ordered) * 0.99))] * 1000,
            worst=ordered[-1] * 1000,
            failures=self.failures,
            answer_bytes=self.answer_bytes,
            generator_busy=busy / seconds,
            in_all=self.in_all,
            in_all_seconds=in_all_seconds,
        )


def request_bytes(path: str, body: bytes, token: str = "") -> bytes:
    """A hook call as it goes over the wire."""
    return head_bytes(path, len(body), token) + body


def head_bytes(path: str, length: int, token: str = "") -> bytes:
    """What goes before the body."""
    authorization = f"Authorization: Bearer {token}\r\n" if token else ""
    head = (
        f"POST {path} HTTP/1.1\r\nHost: {HOST}\r\nAccept: application/json\r\nContent-Type: application/json\r\n"
        f"{authorization}"
        f"Content-Length: {length}\r\n\r\n"
    )
    return head.encode("ascii")


def main() -> int:
    """Read a Load as JSON from standard input, run it, write what was measured as JSON."""
    load = msgspec.json.decode(sys.stdin.buffer.read(), type=Load)
    if load.cpu is not None:
        from bench.machine import pin

        pin(load.cpu)
    sys.stdout.buffer.write(msgspec.json.encode(_Run(load).measure()))
    return 0


if __name__ == "__main__":
    sys.exit(main())
