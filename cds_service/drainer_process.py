"""The process that drains the journals: forked by the server before its workers, ends after them."""

from __future__ import annotations

import os
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterable
from contextlib import suppress
from typing import Final

from cds_service.drain_duty import SECONDS_FOR_THE_REST, DrainDuty
from cds_service.low_priority import lower_this_thread

NICENESS_BESIDE: Final = 10  # answers come first


def fork_drainer(duty: DrainDuty, listeners: Iterable[socket.socket], beside: Callable[[], None] = lambda: None) -> int:
    """Starts it with a duty that has been taken, and returns its process id. The caller has one thread.

    ``beside`` begins what else belongs in a process that no answer waits for.
    """
    server = os.getpid()
    process = os.fork()
    if process:
        duty.leave()
        return process
    try:
        _drain(duty, listeners, server, beside)
    finally:
        os._exit(0)


def end_drainer(process: int) -> None:
    """At the end of the service: lets it store what the workers left, and waits for it a little."""
    with suppress(ProcessLookupError):
        os.kill(process, signal.SIGTERM)
    end = time.monotonic() + SECONDS_FOR_THE_REST + 1
    while time.monotonic() < end:
        try:
            if os.waitpid(process, os.WNOHANG)[0]:
                return
        except ChildProcessError:
            return
        time.sleep(0.02)


def _drain(duty: DrainDuty, listeners: Iterable[socket.socket], server: int, beside: Callable[[], None]) -> None:
    for each in (signal.SIGHUP, signal.SIGQUIT, signal.SIGUSR1, signal.SIGUSR2, signal.SIGTTIN, signal.SIGTTOU):
        signal.signal(each, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C ends the service, which then ends this
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)
    told = threading.Event()
    signal.signal(signal.SIGTERM, lambda *_: told.set())
    for listener in listeners:
        listener.close()
    starting = threading.Thread(target=_beside, args=(beside,))
    starting.start()
    starting.join()

    def stopping(seconds: float) -> bool:
        return told.wait(seconds) or os.getppid() != server

    duty.run_alone(stopping)


def _beside(begin: Callable[[], None]) -> None:
    """In a thread whose priority is that of all that it starts."""
    lower_this_thread(NICENESS_BESIDE)
    begin()
