"""The sign-in file is read strictly; what is wrong with it stops the start."""

from __future__ import annotations

from pathlib import Path

import pytest

from cds_service.settings import SettingsError
from cds_service.sign_in_file import read_sign_in

GOOD = """
[oidc]
issuer = "https://login.example.org/realms/clinic"
client_id = "lumbar-cds"
client_secret_file = "secret"
auditor = ["cds-auditors"]
further_servers = ["https://keys.example.org"]
private_networks = ["10.20.0.0/16"]
"""


def written(folder: Path, text: str) -> Path:
    (folder / "secret").write_text("shh\n", encoding="utf-8")
    path = folder / "sign-in.toml"
    path.write_text(text, encoding="utf-8")
    return path


def test_without_a_file_local_users_sign_in():
    found = read_sign_in(None)
    assert (found.local_users, found.terms) == (True, None)


def test_an_agreement_is_read_whole(tmp_path: Path):
    found = read_sign_in(written(tmp_path, GOOD))
    assert found.terms is not None
    assert found.terms.client_secret == "shh"
    assert {rule.host for rule in found.servers} == {"login.example.org", "keys.example.org"}
    assert all(str(rule.networks[0]) == "10.20.0.0/16" for rule in found.servers)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (("client_id", "client_ID"), "client_ID"),
        (('auditor = ["cds-auditors"]', ""), "nobody gets in"),
        (("https://login", "http://login"), "https"),
        (('"secret"', '"no-such-file"'), "no-such-file"),
        (("10.20.0.0/16", "0.0.0.0/0"), "private_networks"),
        (("[oidc]", '[oidc]\nscopes = ["profile"]'), "openid"),
        (("[oidc]", "["), ""),
    ],
)
def test_what_is_wrong_stops_the_start_by_name(tmp_path: Path, change: tuple[str, str], said: str):
    with pytest.raises(SettingsError) as stopped:
        read_sign_in(written(tmp_path, GOOD.replace(*change)))
    assert str(stopped.value).startswith("LUMBAR_CDS_SIGN_IN: ")
    assert said in str(stopped.value)
    assert "shh" not in str(stopped.value)


def test_the_example_in_the_readme_can_be_used_as_it_stands(tmp_path: Path):
    text = (Path(__file__).parents[2] / "README.md").read_text(encoding="utf-8")
    example = next(block.split("```")[0] for block in text.split("```toml\n")[1:] if "[oidc]" in block)
    (tmp_path / "oidc-secret").write_text("shh", encoding="utf-8")
    for uncommented in (example, example.replace("# further", "further").replace("# private", "private")):
        found = read_sign_in(written(tmp_path, uncommented))
        assert found.terms is not None
        assert found.terms.auditor == ("cds-auditors",)
