"""The tests' own PostgreSQL: a run may do without it if it says so, and not otherwise."""

from __future__ import annotations

import psycopg
import pytest

from tests import postgres


def test_a_run_that_was_told_to_do_without_skips(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("NO_POSTGRES", "1")
    with pytest.raises(pytest.skip.Exception, match="NO_POSTGRES=1"):
        postgres.new_database()


def test_a_machine_that_lacks_it_fails_and_says_what_to_do(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("NO_POSTGRES", raising=False)
    monkeypatch.setattr(postgres, "programs", lambda: None)
    with pytest.raises(pytest.fail.Exception, match=r"apt-get install postgresql.*NO_POSTGRES=1"):
        postgres.require_postgres()


def test_each_database_is_empty_and_the_server_runs_as_nobody_in_particular() -> None:
    for address in (postgres.new_database(), postgres.new_database()):
        with psycopg.connect(address) as connection:
            tables = connection.execute("SELECT count(*) FROM pg_tables WHERE schemaname = 'public'").fetchone()
            assert tables == (0,)
            listening = connection.execute("SHOW listen_addresses").fetchone()
            assert listening == ("",)  # on a socket in a folder of its own, and nowhere else
