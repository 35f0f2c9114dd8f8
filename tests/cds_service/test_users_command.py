"""`lumbar-cds users`: local users of the pages, from the command line."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from audit_pages.passwords import is_right
from cds_service.cli import main
from cds_service.local_users import FILE, LocalUsers

PASSWORD = "correct horse battery"


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LUMBAR_CDS_STATE_DIR", str(tmp_path))
    return tmp_path


def run(*words: str, typed: str = f"{PASSWORD}\n") -> Result:
    return CliRunner().invoke(main, ["users", *words], input=typed)


def add(name: str = "ann", role: str = "auditor") -> Result:
    return run("add", name, "--role", role, "--password-stdin")


def test_a_user_is_added_and_listed_and_removed(folder: Path):
    assert add().output == "added ann (auditor)\n"
    assert add("Bob", "quality").exit_code == 0
    assert run("list").output == "ann\tauditor\nbob\tquality\n"
    assert run("remove", "ann").exit_code == 0
    assert run("list").output == "bob\tquality\n"


def test_the_password_is_kept_as_an_argon2_hash_that_nobody_else_can_read(folder: Path):
    add()
    account = LocalUsers(folder / FILE).find("ann")
    assert account is not None
    assert account.password_hash.startswith("$argon2id$")
    assert is_right(account, PASSWORD)
    assert not is_right(account, PASSWORD + "x")
    assert (folder / FILE).stat().st_mode & 0o077 == 0


def test_a_password_may_be_typed_twice(folder: Path):
    assert run("add", "ann", "--role", "quality", typed=f"{PASSWORD}\n{PASSWORD}\n").exit_code == 0


@pytest.mark.parametrize("password", ["short", "aaaaaaaaaaaaaaaa", "my name is ann, hello", "x" * 201, ""])
def test_a_password_that_is_too_easy_is_not_taken(folder: Path, password: str):
    found = run("add", "ann", "--role", "auditor", "--password-stdin", typed=f"{password}\n")
    assert found.exit_code == 2
    assert run("list").stdout == ""


def test_a_password_and_a_role_can_be_changed(folder: Path):
    add()
    before = LocalUsers(folder / FILE).find("ann")
    assert run("password", "ann", "--password-stdin", typed="another horse entirely\n").exit_code == 0
    assert run("role", "ann", "quality").exit_code == 0
    after = LocalUsers(folder / FILE).find("ann")
    assert before is not None
    assert after is not None
    assert (after.role, is_right(after, "another horse entirely")) == ("quality", True)
    assert after.stamp != before.stamp


@pytest.mark.parametrize(
    "words",
    [
        ("remove", "nobody"), ("password", "nobody", "--password-stdin"), ("role", "nobody", "quality"),
        ("add", "a b", "--role", "auditor", "--password-stdin"), ("add", "ann", "--role", "king"),
    ],
)  # fmt: skip
def test_what_cannot_be_done_is_said(folder: Path, words: tuple[str, ...]):
    assert run(*words).exit_code == 2


def test_a_name_is_there_once(folder: Path):
    add()
    assert add("ANN").exit_code == 2


def test_the_same_letters_from_another_keyboard_are_the_same_password(folder: Path):
    composed, decomposed = "caf\u00e9 au lait, merci", "cafe\u0301 au lait, merci"
    run("add", "ann", "--role", "auditor", "--password-stdin", typed=f"{composed}\n")
    account = LocalUsers(folder / FILE).find("ann")
    assert is_right(account, decomposed)
