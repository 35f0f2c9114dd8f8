"""The clients file: read strictly, and every mistake told by its place and by what would mend it."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from cds_service.cli import main
from cds_service.clients_file import ClientsFileError, read_clients
from cds_service.public_sandbox import ISSUER, KEY_SET_ADDRESS
from tests.hostile.registered import key_set, keys, public_jwk

README = Path(__file__).parents[2] / "README.md"
GOOD = {
    "name": '"st-anna"',
    "issuer": '"https://ehr.example.org/fhir"',
    "audiences": '["https://cds.example.org"]',
    "jwks_file": '"keys.json"',
}


def a_file(folder: Path, text: str) -> Path:
    (folder / "keys.json").write_text(json.dumps(key_set()), encoding="utf-8")
    path = folder / "clients.toml"
    path.write_text(text, encoding="utf-8")
    return path


def a_client(**changes: str | None) -> str:
    """A good client with some keys set otherwise, or left out (None)."""
    values = {**GOOD, **changes}
    return "[[client]]\n" + "".join(f"{key} = {value}\n" for key, value in values.items() if value is not None)


def mistakes(folder: Path, text: str) -> str:
    with pytest.raises(ClientsFileError) as refused:
        read_clients(a_file(folder, text))
    return str(refused.value)


def test_everything_that_can_be_said_of_a_client_is_read(tmp_path: Path) -> None:
    (tmp_path / "codes.csv").write_text("system,code,display,concept,polarity\n", encoding="utf-8")
    (tmp_path / "orders.csv").write_text("system,code,display,concept,emit\n", encoding="utf-8")
    registry = read_clients(
        a_file(
            tmp_path,
            a_client(
                tenants='["main", "north"]',
                extra_audiences='["sand_man"]',
                algorithms='["EdDSA", "RS256"]',
                max_token_minutes="15",
                fhir_servers='["https://EHR.example.org:443/fhir/r4/"]',
                private_networks='["10.20.0.0/16"]',
                origins='["https://app.example.org", "http://localhost:3000"]',
                code_maps='["codes.csv"]',
                order_catalogue='"orders.csv"',
                rate_per_minute="30",
                burst="5",
                profile='"epic"',
                jku='"https://ehr.example.org/jwks"',
            ),
        )
    )
    (client,) = registry.clients
    assert client.tenants == ("main", "north")
    assert client.profile == "epic"
    assert client.fhir_servers == ("https://ehr.example.org/fhir/r4",)  # in the one form that is compared
    assert client.code_maps == (tmp_path / "codes.csv",)
    assert client.key_set_address == "https://ehr.example.org/jwks"
    assert registry.origins == {"https://app.example.org", "http://localhost:3000"}
    assert registry.find(client.issuer, "north") is client
    assert registry.find(client.issuer, "south") is None
    assert registry.find(client.issuer, "") is None
    assert client.expects("/cds-services") == {"https://cds.example.org/cds-services", "sand_man"}


@pytest.mark.parametrize(
    ("text", "what", "mend"),
    [
        ("", "no client", "[[client]]"),
        ("client = 3", "no client", "[[client]]"),
        ("[[client]\n", "not TOML", "line 1"),
        ("[[clients]]\n", "unknown key `clients`", "[[client]]"),
        (a_client(isuer='"x"'), "unknown key `isuer`", "did you mean `issuer`?"),
        (a_client(colour='"x"'), "unknown key `colour`", "known are name"),
        (a_client(name=None), "`name` is missing", "short name"),
        (a_client(name='"St Anna"'), "name: not a name", "lower-case"),
        (a_client(name='"open"'), "a name that the service uses itself", "choose another"),
        (a_client(issuer=None), "`issuer` is missing", "`iss`"),
        (a_client(issuer='""'), "issuer: empty", "write it"),
        (a_client(issuer='" x"'), "issuer: spaces around it", "one line"),
        (a_client(issuer="7"), "issuer: not a text", "quotes"),
        (a_client(audiences=None), "`audiences` is missing", "base address"),
        (a_client(audiences="[]"), "`audiences` is missing", "base address"),
        (a_client(audiences='"https://cds.example.org"'), "audiences: not a list", "brackets"),
        (a_client(audiences='["https://cds.example.org/cds-services"]'), "audiences[0]: an endpoint", "/cds-services"),
        (a_client(audiences='["cds.example.org"]'), "audiences[0]: expected https://", "such as"),
        (
            a_client(audiences='["https://cds.example.org", "https://cds.example.org/"]'),
            "audiences[1]: stands twice",
            "leave one out",
        ),
        (a_client(jwks_file=None), "no public keys", "jwks_url"),
        (a_client(jwks_url='"https://ehr.example.org/jwks"'), "both `jwks_url` and `jwks_file`", "one of them"),
        (a_client(jwks_file='"nowhere.json"'), "jwks_file: no such file", "paths count from"),
        (a_client(jwks_file=None, jwks_url='"http://ehr.example.org/jwks"'), "http is taken for loopback", "https"),
        (a_client(jwks_file=None, jwks_url='"https://0x7f.1/jwks"'), "IPv4 address", "such as"),
        (a_client(jwks_file=None, jwks_url='"https://169.254.169.254/jwks"'), "keep their secrets", "such as"),
        (
            a_client(jwks_file=None, jwks_url='"https://e.org/k"', jku='"https://e.org/k"'),
            "`jku` beside",
            "leave `jku`",
        ),
        (a_client(algorithms='["HS256"]'), "algorithms[0]: not an algorithm", "RS384"),
        (a_client(algorithms='["none"]'), "algorithms[0]: not an algorithm", "ES384"),
        (a_client(algorithms="[]"), "algorithms: empty", "leave the key out"),
        (a_client(origins='["*"]'), "origins[0]: no origin of one page", "name each"),
        (a_client(origins='["https://app.example.org/"]'), "not as a browser writes", "write https://app.example.org"),
        (a_client(origins='["https://App.example.org:443"]'), "not as a browser", "write https://app.example.org"),
        (a_client(fhir_servers='["https://u@ehr.example.org"]'), "a user name in it", "such as"),
        (a_client(fhir_servers='["https://ehr.example.org/fhir?x=1"]'), "no ?", "base address"),
        (a_client(private_networks='["0.0.0.0/0"]'), "half the world", "name the network"),
        (a_client(rate_per_minute="0"), "rate_per_minute: not a number", "from 1"),
        (a_client(profile='"epoc"'), "profile: not a profile", "epic"),
        (a_client(update_only="true"), "`update_only` is now a profile", 'profile = "sandbox"'),
        (a_client(synthetic_data_only='"yes"'), "synthetic_data_only: neither true nor false", "without quotes"),
        (a_client(code_maps='["a.csv"]'), "code_maps[0]: no such file", "paths count from"),
        (a_client() + a_client(), "one name for two", "rename one"),
        (a_client() + a_client(name='"b"'), "the same issuer", "list the `tenants`"),
        (a_client(tenants='["x"]') + a_client(name='"b"', tenants='["x"]'), "a tenant in common", "one client"),
        (a_client(issuer=f'"{ISSUER}"'), "anybody can sign as this client", "synthetic_data_only = true"),
        (a_client(jwks_file=None, jwks_url=f'"{KEY_SET_ADDRESS}"'), "anybody can sign", "synthetic_data_only"),
    ],
)
def test_a_mistake_is_told_with_its_place_and_what_mends_it(tmp_path: Path, text: str, what: str, mend: str) -> None:
    said = mistakes(tmp_path, text)
    assert any(what in line and mend in line for line in said.splitlines()), said


def test_all_mistakes_are_told_at_once_with_line_and_client(tmp_path: Path) -> None:
    text = "# clients\n\n" + a_client(name='"a"', issuer="7") + "\n" + a_client(name='"b"', rate_per_minute="0")
    first, second = mistakes(tmp_path, text).splitlines()
    assert 'line 3, client "a", issuer' in first
    assert 'line 9, client "b", rate_per_minute' in second


@pytest.mark.parametrize(
    ("jwks", "said"),
    [
        (b"", "not JSON"),
        (b"[]", 'an array "keys"'),
        (b'{"keys": []}', "no key that can be used"),
        (json.dumps({"keys": [{"kty": "oct", "kid": "a", "k": "c2VjcmV0"}]}).encode(), "a shared secret"),
        (
            json.dumps({"keys": [{**public_jwk(keys()["ES384"], kid="a"), "d": "c2VjcmV0"}]}).encode(),
            "holds private parts",
        ),
        (json.dumps({"keys": [public_jwk(keys()["ES384"])]}).encode(), "no `kid`"),
        (json.dumps({"keys": [public_jwk(keys()["ES384"], kid="a", use="enc")]}).encode(), "not for signatures"),
        (json.dumps({"keys": [public_jwk(keys()["ES384"], kid="a", crv="P-521")]}).encode(), "fits none of"),
        (json.dumps({"keys": [public_jwk(keys()["ES384"], kid="a", x="AAAA")]}).encode(), "no public key"),
        (json.dumps({"keys": [public_jwk(keys()["ES256"], kid="a")]}).encode(), "no key fits `algorithms`"),
        (b"x" * 300_000, "larger than"),
    ],
)
def test_a_key_file_that_cannot_be_used_is_told(tmp_path: Path, jwks: bytes, said: str) -> None:
    path = a_file(tmp_path, a_client())
    (tmp_path / "keys.json").write_bytes(jwks)
    with pytest.raises(ClientsFileError, match="jwks_file") as refused:
        read_clients(path)
    assert said in str(refused.value)
    assert "c2VjcmV0" not in str(refused.value)


def test_the_command_says_who_may_call_and_what_is_wrong(tmp_path: Path) -> None:
    path = a_file(tmp_path, a_client())
    good = CliRunner().invoke(main, ["clients", "check", str(path)])
    assert good.exit_code == 0
    assert "https://cds.example.org/cds-services" in good.stdout
    assert "usable: 1 client" in good.stdout
    (tmp_path / "codes.csv").write_text("system,code\nx,y\n", encoding="utf-8")
    for text, said in [
        (a_client(rate_per_minute="0"), "rate_per_minute"),
        (a_client(code_maps='["codes.csv"]'), "codes.csv"),
    ]:
        bad = CliRunner().invoke(main, ["clients", "check", str(a_file(tmp_path, text))])
        assert bad.exit_code == 2
        assert said in bad.stderr
        assert bad.stdout == ""
    assert CliRunner().invoke(main, ["clients", "check", str(tmp_path / "nowhere.toml")]).exit_code == 2


def test_the_example_in_the_readme_can_be_used_as_it_stands(tmp_path: Path) -> None:
    text = README.read_text(encoding="utf-8")
    example = text.split("```toml\n", 1)[1].split("```", 1)[0]
    (tmp_path / "st-anna").mkdir()
    for name in ("codes.csv", "orders.csv"):
        columns = "concept,polarity" if name == "codes.csv" else "concept,emit"
        (tmp_path / "st-anna" / name).write_text(f"system,code,display,{columns}\n", encoding="utf-8")
    (tmp_path / "st-anna" / "keys.json").write_text(json.dumps(key_set()), encoding="utf-8")
    checked = CliRunner().invoke(main, ["clients", "check", str(a_file(tmp_path, example))])
    assert checked.exit_code == 0, checked.stderr
