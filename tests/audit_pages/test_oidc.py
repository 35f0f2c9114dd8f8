"""Sign-in by the site's identity provider, over real sockets and through the guarded way out only."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import pytest

from tests.audit_pages.history import Past, past_in
from tests.audit_pages.identity_provider import CLIENT_ID, CLIENT_SECRET, OTHER_KEYS, Provider, identity_provider
from tests.audit_pages.visiting import HOST, Visitor


@pytest.fixture
def provider() -> Iterator[Provider]:
    with identity_provider() as running:
        yield running


def sign_in_file(folder: Path, issuer: str, **more: str) -> Path:
    (folder / "secret").write_text(CLIENT_SECRET + "\n", encoding="utf-8")
    keys = {
        "issuer": f'"{issuer}"',
        "client_id": f'"{CLIENT_ID}"',
        "client_secret_file": '"secret"',
        "name": '"St Anna"',
        "auditor": '["cds-auditors"]',
        "quality": '["cds-quality"]',
        **more,
    }
    path = folder / "sign-in.toml"
    path.write_text("[oidc]\n" + "".join(f"{key} = {value}\n" for key, value in keys.items()), encoding="utf-8")
    return path


@pytest.fixture
def site(tmp_path: Path, provider: Provider) -> Iterator[Past]:
    with past_in(tmp_path, sign_in=sign_in_file(tmp_path, provider.issuer)) as made:
        yield made


def begin(visitor: Visitor) -> Any:
    return visitor.post("/audit/sign-in/provider", {"csrf_token": visitor.token()})


def come_back(visitor: Visitor, provider: Provider, **changes: str) -> Any:
    to = begin(visitor).headers["Location"]
    back = {**provider.authorize(to), **changes}
    return visitor.get("/audit/sign-in/callback", query_string=back)


def test_somebody_of_the_auditors_signs_in(site: Past, provider: Provider):
    visitor = Visitor(site)
    assert come_back(visitor, provider).headers["Location"] == "/audit"
    text = visitor.get("/audit").get_data(as_text=True)
    assert "grace, auditor" in text


def test_the_browser_is_sent_with_everything_that_binds_the_answer_to_it(site: Past, provider: Provider):
    to = urlsplit(begin(Visitor(site)).headers["Location"])
    asked = dict(parse_qsl(to.query))
    assert f"{to.scheme}://{to.netloc}{to.path}" == f"{provider.issuer}/authorize"
    assert asked["client_id"] == CLIENT_ID
    assert asked["redirect_uri"] == f"{HOST}/audit/sign-in/callback"
    assert asked["code_challenge_method"] == "S256"
    assert "openid" in asked["scope"].split()
    assert len(asked["state"]) >= 20
    assert len(asked["nonce"]) >= 20


@pytest.mark.parametrize(
    ("groups", "said"),
    [
        (["cds-quality", "others"], "grace, quality"),
        ("cds-quality", "grace, quality"),
        (["cds-quality", "cds-auditors"], "grace, auditor"),
    ],
)
def test_the_claim_gives_the_role(site: Past, provider: Provider, groups: object, said: str):
    provider.claims = {"groups": groups}
    visitor = Visitor(site)
    come_back(visitor, provider)
    assert said in visitor.get("/audit").get_data(as_text=True)


@pytest.mark.parametrize("groups", [[], None, ["others"], {"cds-auditors": 1}, "cds-auditors-not"])
def test_whoever_has_no_role_stays_outside_and_is_told_why(site: Past, provider: Provider, groups: object):
    provider.claims = {"groups": groups}
    visitor = Visitor(site)
    answer = come_back(visitor, provider)
    assert answer.status_code == 403
    assert "no role here" in answer.get_data(as_text=True)
    assert visitor.get("/audit").status_code == 302


def test_a_role_may_stand_inside_an_object(tmp_path: Path, provider: Provider):
    provider.claims = {"realm_access": {"roles": ["cds-auditors"]}, "groups": None}
    with past_in(tmp_path, sign_in=sign_in_file(tmp_path, provider.issuer, role_claim='"realm_access.roles"')) as site:
        visitor = Visitor(site)
        assert come_back(visitor, provider).headers["Location"] == "/audit"


@pytest.mark.parametrize(
    "claims",
    [
        {"iss": "https://other.example.org"}, {"aud": "somebody-else"}, {"nonce": "another"}, {"nonce": None},
        {"exp": 1}, {"sub": None}, {"aud": [CLIENT_ID, "b"], "azp": "b"}, {"iat": None}, {"exp": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_that_was_not_made_for_this_sign_in_is_refused(site: Past, provider: Provider, claims: dict[str, Any]):
    provider.claims = claims
    visitor = Visitor(site)
    assert come_back(visitor, provider).headers["Location"] == "/audit/sign-in"
    assert visitor.get("/audit").status_code == 302


@pytest.mark.parametrize("signed_with", OTHER_KEYS)
def test_a_token_that_the_providers_key_did_not_sign_is_refused(site: Past, provider: Provider, signed_with: str):
    provider.signs_with, provider.algorithm = OTHER_KEYS[signed_with]()
    visitor = Visitor(site)
    assert come_back(visitor, provider).headers["Location"] == "/audit/sign-in"
    assert visitor.get("/audit").status_code == 302


def test_a_key_that_is_new_is_fetched(site: Past, provider: Provider):
    come_back(Visitor(site), provider)
    provider.new_key("k2")
    assert come_back(Visitor(site), provider).headers["Location"] == "/audit"
    assert provider.asked.count("/realms/clinic/keys") == 2


@pytest.mark.parametrize(
    "changes", [{"state": "forged"}, {"code": "unknown"}, {"state": ""}, {"error": "access_denied"}]
)
def test_an_answer_that_does_not_belong_to_the_question_is_refused(
    site: Past, provider: Provider, changes: dict[str, str]
):
    visitor = Visitor(site)
    assert come_back(visitor, provider, **changes).headers["Location"] == "/audit/sign-in"
    assert visitor.get("/audit").status_code == 302


def test_an_answer_counts_once_and_in_its_own_browser(site: Past, provider: Provider):
    visitor, other = Visitor(site), Visitor(site)
    back = provider.authorize(begin(visitor).headers["Location"])
    assert other.get("/audit/sign-in/callback", query_string=back).headers["Location"] == "/audit/sign-in"
    assert visitor.get("/audit/sign-in/callback", query_string=back).headers["Location"] == "/audit"
    assert visitor.get("/audit/sign-in/callback", query_string=back).headers["Location"] == "/audit/sign-in"


def test_a_description_of_another_issuer_is_not_believed(site: Past, provider: Provider):
    provider.metadata = {"issuer": "https://other.example.org"}
    assert begin(Visitor(site)).headers["Location"] == "/audit/sign-in"


def test_a_provider_that_offers_no_signature_by_a_private_key_is_not_used(site: Past, provider: Provider):
    provider.metadata = {"id_token_signing_alg_values_supported": ["HS256", "none"]}
    assert begin(Visitor(site)).headers["Location"] == "/audit/sign-in"


def test_no_other_server_is_contacted_whatever_the_provider_says(site: Past, provider: Provider):
    with identity_provider() as elsewhere:
        provider.metadata = {"token_endpoint": f"{elsewhere.issuer}/token", "jwks_uri": f"{elsewhere.issuer}/keys"}
        visitor = Visitor(site)
        assert come_back(visitor, provider).headers["Location"] == "/audit/sign-in"
        assert elsewhere.asked == []


def test_a_redirect_is_not_followed_even_to_the_provider_itself(site: Past, provider: Provider):
    with identity_provider() as elsewhere:
        for target in (f"{elsewhere.issuer}/token", f"{provider.issuer}/another-token"):
            provider.sends_on = target
            assert come_back(Visitor(site), provider).headers["Location"] == "/audit/sign-in"
        assert elsewhere.asked == []
        assert "/realms/clinic/another-token" not in provider.asked


def test_a_server_that_was_agreed_on_is_contacted(tmp_path: Path, provider: Provider):
    with identity_provider() as elsewhere:
        elsewhere.key = provider.key
        provider.metadata = {"jwks_uri": f"{elsewhere.issuer}/keys"}
        file = sign_in_file(tmp_path, provider.issuer, further_servers=f'["{elsewhere.issuer}"]')
        with past_in(tmp_path, sign_in=file) as site:
            assert come_back(Visitor(site), provider).headers["Location"] == "/audit"
        assert elsewhere.asked == ["/realms/clinic/keys"]


def test_neither_proxies_nor_passwords_of_the_environment_are_used(
    site: Past, provider: Provider, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
):
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:9")
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login x password y\n", encoding="utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    assert come_back(Visitor(site), provider).headers["Location"] == "/audit"


def test_a_provider_that_is_out_of_order_is_said_and_nothing_breaks(tmp_path: Path):
    with past_in(tmp_path, sign_in=sign_in_file(tmp_path, "http://127.0.0.1:9/realms/none")) as site:
        visitor = Visitor(site)
        assert begin(visitor).headers["Location"] == "/audit/sign-in"
        assert "did not come about" in visitor.get("/audit/sign-in").get_data(as_text=True)


def test_local_users_can_be_left_out(tmp_path: Path, provider: Provider):
    file = sign_in_file(tmp_path, provider.issuer)
    file.write_text("local_users = false\n" + file.read_text(encoding="utf-8"), encoding="utf-8")
    with past_in(tmp_path, sign_in=file) as site:
        text = Visitor(site).get("/audit/sign-in").get_data(as_text=True)
        assert "St Anna" in text
        assert "password" not in text.lower()
