"""Which addresses may be registered and contacted, in every form that an address can be written in.

CALL-11 no plain http but to this machine.
"""

from __future__ import annotations

import ipaddress

import pytest

from cds_service.egress_policy import BadAddress, HostRule, normal_base, read_origin, rule_for
from cds_service.fhir_addresses import page_on, reference_on

BASE = "https://fhir.example.org/r4"
TYPES = frozenset({"Condition", "Medication"})


@pytest.mark.parametrize(
    "url",
    [
        "https://2130706433/fhir",
        "https://0x7f000001/fhir",
        "https://0x7f.1/fhir",
        "https://0177.0.0.1/fhir",
        "https://127.1/fhir",
        "https://127.0.0.1./fhir",
        "https://fhir.example.org./r4",
        "https://fhir.example.org:443x/r4",
        "https://fhir.example.org:99999/r4",
        "https://user@fhir.example.org/r4",
        "https://fhir.example.org@evil.example/r4",
        "https://fhir.example.org\\@evil.example/r4",
        "https://fhir.example.org\t/r4",
        "https://fhir.example.org /r4",
        "https://fhir.example.org\n/r4",
        "https://ﬁhir.example.org/r4",
        "https://１２７.０.０.１/r4",
        "https://[::1%25eth0]/r4",
        "https://[fhir.example.org]/r4",
        "https://-fhir.example.org/r4",
        "https:///r4",
        "https:fhir.example.org/r4",
        "ftp://fhir.example.org/r4",
        "file:///etc/passwd",
        "gopher://fhir.example.org/",
        "//fhir.example.org/r4",
        "fhir.example.org",
        "",
    ],
)
def test_an_address_that_can_be_read_in_two_ways_is_no_address(url: str) -> None:
    with pytest.raises(BadAddress):
        read_origin(url)


@pytest.mark.parametrize(
    "url",
    [
        "http://fhir.example.org/r4",
        "http://10.0.0.1/fhir",
        "http://192.168.1.2:8080/fhir",
        "https://169.254.169.254/latest",
        "https://[fd00:ec2::254]/latest",
        "https://[::ffff:169.254.169.254]/latest",
        "https://168.63.129.16/fhir",
    ],
)
def test_plain_http_elsewhere_and_metadata_addresses_cannot_be_registered(url: str) -> None:
    with pytest.raises(BadAddress):
        rule_for(url)


@pytest.mark.parametrize(
    ("address", "permitted"),
    [
        ("93.184.215.14", True),
        ("2606:2800:21f:cb07:6820:80da:af6b:8b2c", True),
        ("10.1.2.3", False),
        ("172.16.0.1", False),
        ("192.168.0.1", False),
        ("127.0.0.1", False),
        ("0.0.0.0", False),
        ("100.64.0.1", False),
        ("169.254.1.1", False),
        ("224.0.0.1", False),
        ("255.255.255.255", False),
        ("::1", False),
        ("::", False),
        ("fe80::1", False),
        ("fd12::1", False),
        ("ff02::1", False),
        ("::ffff:127.0.0.1", False),
        ("::ffff:10.0.0.1", False),
        ("::127.0.0.1", False),
        ("64:ff9b::7f00:1", False),
        ("64:ff9b::a00:1", False),
        ("64:ff9b:1::a9fe:a9fe", False),
        ("2002:7f00:1::", False),
        ("2002:a9fe:a9fe::", False),
        ("2001:0:7f00:1::", False),
        ("fec0::1", False),
        ("3fff::1", False),
        ("4000::1", False),
        ("2001:470:1:18:0:5efe:a9fe:a9fe", False),
        ("2001:470:1:18:200:5efe:a00:1", False),
    ],
)
def test_a_registered_name_may_stand_for_public_addresses_only(address: str, permitted: bool) -> None:
    assert rule_for(BASE).permits(ipaddress.ip_address(address)) is permitted


@pytest.mark.parametrize(
    ("address", "permitted"),
    [
        ("10.20.0.7", True),
        ("::ffff:10.20.0.7", False),  # the mapped form of an address is not what was registered
        ("10.21.0.7", False),
        ("127.0.0.1", False),
        ("169.254.169.254", False),
        ("93.184.215.14", True),
    ],
)
def test_a_name_may_stand_for_the_private_networks_that_are_registered_with_it(address: str, permitted: bool) -> None:
    rule = rule_for(BASE, (ipaddress.ip_network("10.20.0.0/16"), ipaddress.ip_network("169.254.0.0/16")))
    assert rule.permits(ipaddress.ip_address(address)) is permitted


def test_a_literal_address_is_registered_with_itself_alone() -> None:
    rule = rule_for("http://127.0.0.1:8095/fhir")
    assert rule == HostRule("http", "127.0.0.1", 8095, (ipaddress.ip_network("127.0.0.1"),))
    assert rule.permits(ipaddress.ip_address("127.0.0.1"))
    assert not rule.permits(ipaddress.ip_address("127.0.0.2"))


@pytest.mark.parametrize(
    ("written", "normal"),
    [
        ("https://FHIR.example.org:443/r4/", BASE),
        ("HTTPS://fhir.example.org/r4", BASE),
        ("https://fhir.example.org/R4", "https://fhir.example.org/R4"),
        ("https://fhir.example.org", "https://fhir.example.org"),
        ("http://[::1]:80/fhir", "http://[::1]/fhir"),
    ],
)
def test_base_addresses_are_compared_in_one_form(written: str, normal: str) -> None:
    assert normal_base(written) == normal


@pytest.mark.parametrize(
    "url",
    [f"{BASE}?x=1", f"{BASE}?", f"{BASE}#x", f"{BASE}/../other", f"{BASE}/%2e%2e/other", f"{BASE}//x", f"{BASE};x"],
)
def test_a_base_address_that_can_be_read_in_two_ways_is_none(url: str) -> None:
    with pytest.raises(BadAddress):
        normal_base(url)


@pytest.mark.parametrize(
    ("reference", "followed"),
    [
        ("Condition/12", "Condition/12"),
        (f"{BASE}/Condition/12", "Condition/12"),
        (f"{BASE}/Condition/12/_history/3", "Condition/12"),
        ("https://FHIR.example.org:443/r4/Condition/12", "Condition/12"),
        ("https://other.example.org/r4/Condition/12", ""),
        ("http://fhir.example.org/r4/Condition/12", ""),
        ("https://fhir.example.org:8443/r4/Condition/12", ""),
        ("https://fhir.example.org/stu3/Condition/12", ""),
        ("https://fhir.example.org/r4x/Condition/12", ""),
        (f"{BASE}/../stu3/Condition/12", ""),
        (f"{BASE}/%2e%2e/stu3/Condition/12", ""),
        ("https://fhir.example.org@other.example/r4/Condition/12", ""),
        ("Patient/12", ""),
        ("Condition/..", ""),
        ("Condition/12?_format=xml", ""),
        ("Condition/a%2Fb", ""),
        ("Condition/", ""),
        ("#c1", ""),
        ("urn:uuid:5f0c1d34-8a55-4a5e-9e8a-3a3d3f7b7a01", ""),
        ("urn:oid:1.2.3", ""),
        ("", ""),
    ],
)
def test_references_are_followed_on_the_same_server_only(reference: str, followed: str) -> None:
    assert reference_on(BASE, reference, TYPES) == followed


@pytest.mark.parametrize(
    ("link", "followed"),
    [
        (f"{BASE}?_getpages=1&_getpagesoffset=50", True),
        (f"{BASE}/?_getpages=1", True),
        (f"{BASE}/Condition?page=2", True),
        ("Condition?page=2", True),
        ("/r4/Condition?page=2", True),
        ("?_getpages=1", True),
        ("https://other.example.org/r4/Condition?page=2", False),
        ("https://other.example.org?_getpages=1", False),
        ("http://fhir.example.org/r4/Condition?page=2", False),
        ("https://fhir.example.org:444/r4?_getpages=1", False),
        ("https://fhir.example.org/stu3?_getpages=1", False),
        ("https://fhir.example.org/?_getpages=1", False),
        ("//other.example.org/r4/Condition?page=2", False),
        ("/Condition?page=2", True),  # as some servers write it, meaning below their base
        ("/../stu3/Condition?page=2", False),
        ("../stu3/Condition?page=2", False),
        (f"{BASE}/..%2fstu3/Condition?page=2", False),
        (f"{BASE}/%2E%2E/stu3?page=2", False),
        (f"{BASE}/..;/stu3?page=2", False),
        (f"{BASE}/%2e.;a=b/stu3?page=2", False),
        (f"{BASE}/..%3B/stu3?page=2", False),
        (f"{BASE};jsessionid=1?page=2", False),
        (f"{BASE}/Condition;jsessionid=1?page=2", True),
        ("https://fhir.example.org@other.example/r4?page=2", False),
        (f"{BASE}\\@other.example/?page=2", False),
        (f"{BASE}/Condition?page=2#x", False),
        ("javascript:alert(1)", False),
        ("file:///etc/passwd", False),
        ("", False),
    ],
)
def test_pages_are_followed_on_the_same_server_only(link: str, followed: bool) -> None:
    assert bool(page_on(BASE, link)) is followed
