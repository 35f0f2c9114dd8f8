"""A real PostgreSQL for the tests: started on first use as an unprivileged user, on a socket of its own.

It ends with the run, however that ends. Its tests are skipped with NO_POSTGRES=1; where it is missing and that was not
said, they fail.
"""

from __future__ import annotations

import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from functools import cache
from pathlib import Path
from typing import Any

import psycopg
import pytest

_USERS = ("postgres", "nobody")  # whom to be where the tests run as root: the server refuses to
_NAME = "audit"
_SETTINGS = (
    "listen_addresses=", "fsync=off", "full_page_writes=off", "max_connections=60",
    "shared_buffers=32MB", "timezone=Pacific/Apia",
)  # fmt: skip


def programs() -> Path | None:
    """Where the server's programs are; Debian keeps them off the PATH."""
    found = shutil.which("initdb")
    if found:
        return Path(found).parent
    versions = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"), key=lambda path: float(path.parts[-3]))
    return versions[-1].parent if versions else None


class Server:
    """One server, with as many empty databases as are asked for."""

    def __init__(self, folder: Path, bin_folder: Path, user: str) -> None:
        self.folder = folder
        self._bin = bin_folder
        self._user = user
        self._made = 0
        self._process: subprocess.Popen[bytes] | None = None

    def begin(self) -> None:
        """Makes its files, and starts it."""
        command = self._command("initdb", "-D", str(self.folder / "data"), "-A", "trust", "-U", _NAME, "-E", "UTF8")
        done = subprocess.run([*command, "--no-sync"], **self._surroundings(), capture_output=True, timeout=120)
        if done.returncode:
            raise RuntimeError(f"initdb failed: {done.stderr.decode()[-2000:]}")
        self.start()

    def start(self) -> None:
        """Returns once it answers."""
        settings = [part for each in _SETTINGS for part in ("-c", each)]
        place = ["-D", str(self.folder / "data"), "-k", str(self.folder)]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                self._command("postgres", *place, *settings), **self._surroundings(), stdout=log, stderr=log
            )
        for _ in range(600):
            try:
                psycopg.connect(self._conninfo("postgres"), connect_timeout=5).close()
                return
            except psycopg.OperationalError:
                if self._process.poll() is not None:
                    break
                time.sleep(0.05)
        raise RuntimeError(f"PostgreSQL did not start: {(self.folder / 'log').read_text()[-2000:]}")

    def stop(self) -> None:
        """At once, as at a crash."""
        if self._process is not None:
            self._process.send_signal(signal.SIGQUIT)
            self._process.wait(60)
            self._process = None

    def database(self) -> str:
        """The address of a new, empty database."""
        self._made += 1
        name = f"test_{self._made}"
        with psycopg.connect(self._conninfo("postgres"), autocommit=True) as connection:
            connection.execute(f"CREATE DATABASE {name}".encode())
        return f"postgresql://{_NAME}@/{name}?host={self.folder}"

    def _conninfo(self, database: str) -> str:
        return f"host={self.folder} dbname={database} user={_NAME}"

    def _command(self, program: str, *arguments: str) -> list[str]:
        found = [str(self._bin / program), *arguments]
        who = [f"--reuid={self._user}", f"--regid={_group(self._user)}", "--clear-groups"] if self._user else []
        if shutil.which("setpriv"):
            return ["setpriv", *who, "--pdeathsig", "QUIT", *found]  # a run that is killed leaves no server behind
        if self._user:
            raise RuntimeError(
                "the tests run as root; setpriv (util-linux) is needed to start PostgreSQL as another user"
            )
        return found

    def _surroundings(self) -> dict[str, Any]:
        environment = {"PATH": os.environ.get("PATH", ""), "LC_ALL": "C.UTF-8"}
        return {"cwd": self.folder, "env": environment, "stdin": subprocess.DEVNULL}


def _group(user: str) -> str:
    return str(pwd.getpwnam(user).pw_gid)


def _unprivileged() -> str:
    if os.geteuid() != 0:
        return ""
    for user in _USERS:
        try:
            pwd.getpwnam(user)
        except KeyError:
            continue
        return user
    raise RuntimeError(f"the tests run as root, and PostgreSQL runs as none of {_USERS} here")


@contextmanager
def a_server() -> Iterator[Server]:
    """A server of one's own, to stop and start."""
    require_postgres()
    bin_folder = programs()
    assert bin_folder is not None
    user = _unprivileged()
    # A short path, as a socket's name may be 107 bytes long, and one that another user can get to.
    with tempfile.TemporaryDirectory(prefix="pg-", dir="/tmp") as name:
        folder = Path(name)
        if user:
            shutil.chown(folder, user, int(_group(user)))
        folder.chmod(0o711)
        server = Server(folder, bin_folder, user)
        server.begin()
        try:
            yield server
        finally:
            server.stop()


def require_postgres() -> None:
    """Skips where the run was told to do without, and fails where PostgreSQL is missing."""
    if os.environ.get("NO_POSTGRES") == "1":
        pytest.skip("NO_POSTGRES=1")
    if programs() is None:
        pytest.fail(
            "PostgreSQL's server is not installed: apt-get install postgresql, or test without it: NO_POSTGRES=1",
            pytrace=False,
        )


_shared = ExitStack()


@cache
def _shared_server() -> Server:
    return _shared.enter_context(a_server())


def new_database() -> str:
    """The address of a new, empty database on the server that all tests of this run share."""
    require_postgres()
    return _shared_server().database()


def end_shared() -> None:
    """At the end of the run."""
    _shared.close()
    _shared_server.cache_clear()
