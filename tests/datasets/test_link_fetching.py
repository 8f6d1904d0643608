"""Links from strangers: only public addresses, only the address that was checked, bounded in every way."""

import shutil
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
from pytest_django.fixtures import Settings

from datasets.links import addresses, fetching
from datasets.links.addresses import is_public, may_be_fetched, place_of
from datasets.links.fetching import fetch
from datasets.reasons import NotAccepted
from tests.datasets.link_server import Served, serving
from tests.factories import picture


@pytest.fixture
def server(settings: Settings) -> Iterator[Served]:
    """A server that links may lead to, as an operator would open a network of their own."""
    with serving() as served:
        settings.LINK_NETWORKS, settings.LINK_PORTS = ["127.0.0.1/32"], [80, 443, served.port]
        yield served


@pytest.fixture
def hurry(monkeypatch: pytest.MonkeyPatch) -> None:
    """A second in all, so that slow servers do not make slow tests."""
    monkeypatch.setattr(fetching, "SECONDS", 1.0)


def code_of(url: str) -> str:
    """Why a link is refused; its sentence can be said too."""
    with pytest.raises(NotAccepted) as refusal:
        fetch(url, row=7)
    assert str(refusal.value.sentence)
    return refusal.value.code


def test_a_picture_is_fetched_byte_by_byte(server: Served) -> None:
    assert fetch(server.url("/1.png")) == server.pages["/1.png"][2]


def test_the_server_is_asked_by_its_name_at_the_address_that_was_checked(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "resolve", lambda host, port: ["127.0.0.1"])
    assert fetch(server.url("/1.png", "pictures.example.org"))
    assert list(server.hosts) == [f"pictures.example.org:{server.port}"]


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1", "127.9.9.9", "0.0.0.0", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254",
        "100.64.0.1", "192.0.0.8", "192.0.2.1", "198.18.0.1", "224.0.0.1", "240.0.0.1", "255.255.255.255",
        "::1", "::", "fe80::1", "fc00::1", "fec0::1", "ff02::1", "::ffff:127.0.0.1", "::ffff:8.8.8.8",
        "::127.0.0.1", "64:ff9b::7f00:1", "64:ff9b::808:808", "2002:7f00:1::", "2001:0:1::1", "2001:db8::1",
        "fe80::1%eth0", "not-an-address",
    ],
)  # fmt: skip
def test_what_is_not_the_public_internet_is_not_fetched(address: str) -> None:
    assert not may_be_fetched(address)


def test_public_addresses_are() -> None:
    import ipaddress

    for address in ("8.8.8.8", "93.184.216.34", "2606:4700::1111"):
        assert is_public(ipaddress.ip_address(address))


@pytest.mark.parametrize(
    "url",
    [
        "http://127.0.0.1/a.png", "http://localhost/a.png", "http://2130706433/a.png", "http://0x7f.1/a.png",
        "http://[::1]/a.png", "http://[::ffff:127.0.0.1]/a.png", "http://0/a.png", "http://127.1/",
    ],
)  # fmt: skip
def test_every_way_of_writing_this_machine_is_refused(url: str) -> None:
    assert code_of(url) == "link-private"


@pytest.mark.parametrize(
    "url",
    [
        "", "a.png", "ftp://example.org/a.png", "file:///etc/passwd", "gs://bucket/a.png", "http://", "http:///a",
        "http://user:pass@example.org/a.png", "//example.org/a.png", "http://[::1", "http://exa mple.org/",
        "javascript:alert(1)", "http://example.org:99999/", "http://" + "a" * 3000 + ".org/", "http://[fe80::1%25lo]/",
    ],
)  # fmt: skip
def test_what_is_no_plain_link_is_refused_with_its_row(url: str) -> None:
    with pytest.raises(NotAccepted) as refusal:
        place_of(url, row=7)
    assert refusal.value.code == "link-bad"
    assert "7" in str(refusal.value.sentence)


def test_other_ports_are_refused(settings: Settings) -> None:
    settings.LINK_NETWORKS = ["127.0.0.1/32"]
    for port in (22, 6379, 8000):
        assert code_of(f"http://127.0.0.1:{port}/a.png") == "link-port"


def test_a_name_that_turns_private_between_two_looks_is_never_followed(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Rebinding: the first answer is allowed, every later one is this machine."""
    asked: list[str] = []

    def turning(host: str, port: int) -> list[str]:
        asked.append(host)
        return ["127.0.0.1"] if len(asked) == 1 else ["10.0.0.1"]

    monkeypatch.setattr(addresses, "resolve", turning)
    assert fetch(server.url("/1.png", "turning.example.org"))
    assert asked == ["turning.example.org"], "the name was looked up again after the check"


def test_a_name_with_one_private_address_among_others_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "resolve", lambda host, port: ["8.8.8.8", "10.0.0.1"])
    assert code_of("http://mixed.example.org/a.png") == "link-private"


def test_a_redirect_is_checked_as_if_it_were_a_link(server: Served, settings: Settings) -> None:
    for target in ("http://127.0.0.2/a.png", "http://169.254.169.254/latest/meta-data/", "http://[::1]/"):
        server.pages["/away"] = (302, {"Location": target}, b"")
        assert code_of(server.url("/away")) == "link-private"
    server.pages["/away"] = (302, {"Location": "file:///etc/passwd"}, b"")
    assert code_of(server.url("/away")) == "link-bad"
    server.pages["/away"] = (302, {"Location": "http://127.0.0.1:22/"}, b"")
    assert code_of(server.url("/away")) == "link-port"


def test_a_redirect_to_a_name_that_turned_private_is_refused(
    server: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    turns = iter([["127.0.0.1"], ["10.0.0.1"]])
    monkeypatch.setattr(addresses, "resolve", lambda host, port: next(turns))
    server.pages["/away"] = (302, {"Location": "/1.png"}, b"")
    assert code_of(server.url("/away", "turning.example.org")) == "link-private"
    assert server.hits["/1.png"] == 0


def test_redirects_are_followed_a_few_times(server: Served) -> None:
    server.pages["/a"] = (301, {"Location": "/b"}, b"")
    server.pages["/b"] = (307, {"Location": server.url("/2.png")}, b"")
    assert fetch(server.url("/a")) == server.pages["/2.png"][2]
    server.pages["/round"] = (302, {"Location": "/round"}, b"")
    assert code_of(server.url("/round")) == "link-hops"
    assert server.hits["/round"] == fetching.MOST_HOPS + 1


@pytest.mark.parametrize("path", ["/silent", "/trickle", "/slow-headers"])
def test_a_server_that_takes_its_time_is_given_up(server: Served, hurry: None, path: str) -> None:
    began = time.monotonic()
    assert code_of(server.url(path)) == "link-too-slow"
    assert time.monotonic() - began < 3


def test_a_body_without_end_stops_at_the_limit(server: Served, settings: Settings) -> None:
    settings.MAX_FILE_BYTES = 200_000
    assert code_of(server.url("/endless")) == "too-many-bytes"
    server.pages["/large"] = (200, {}, b"x" * 200_001)
    assert code_of(server.url("/large")) == "too-many-bytes"


@pytest.mark.parametrize(
    ("status", "code"),
    [
        (404, "link-gone"), (410, "link-gone"), (401, "link-forbidden"), (403, "link-forbidden"),
        (429, "link-busy"), (503, "link-busy"), (500, "link-failed"), (418, "link-failed"), (206, "link-failed"),
    ],
)  # fmt: skip
def test_an_error_of_the_server_has_its_own_word(server: Served, status: int, code: str) -> None:
    server.pages["/x"] = (status, {}, b"")
    assert code_of(server.url("/x")) == code


def test_a_web_page_is_told_from_a_picture(server: Served) -> None:
    server.pages["/x"] = (200, {"Content-Type": "text/html; charset=utf-8"}, b"<html>")
    assert code_of(server.url("/x")) == "link-is-a-page"


def test_what_breaks_off_and_what_speaks_no_http_is_refused(server: Served) -> None:
    assert code_of(server.url("/short")) == "link-cut-short"
    assert code_of(server.url("/garbage")) == "link-cut-short"


def test_a_server_that_is_not_there_is_said_so(server: Served, settings: Settings) -> None:
    settings.LINK_PORTS = [1]
    assert code_of("http://127.0.0.1:1/a.png") == "link-no-answer"
    settings.LINK_PORTS = [80]
    assert code_of("http://no-such-server.invalid/a.png") == "link-unknown-host"


def test_proxies_of_the_environment_are_not_used(server: Served, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("http_proxy", "http://127.0.0.1:1")
    assert fetch(server.url("/1.png"))


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A key and a certificate for pictures.example.org alone."""
    openssl = shutil.which("openssl")
    if not openssl:
        pytest.skip("no openssl on this machine")
    folder = tmp_path_factory.mktemp("tls")
    key, cert = folder / "key.pem", folder / "cert.pem"
    names = ["-subj", "/CN=pictures.example.org", "-addext", "subjectAltName=DNS:pictures.example.org"]
    command = [
        openssl,
        "req",
        "-x509",
        "-newkey",
        "rsa:2048",
        "-nodes",
        "-keyout",
        str(key),
        "-out",
        str(cert),
    ]
    subprocess.run([*command, "-days", "2", *names], check=True, capture_output=True)
    cert.write_bytes(key.read_bytes() + cert.read_bytes())
    return cert


def test_over_tls_the_name_of_the_link_must_be_the_servers_own(
    certificate: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(addresses, "resolve", lambda host, port: ["127.0.0.1"])
    with serving(certificate=certificate) as server:
        settings.LINK_NETWORKS, settings.LINK_PORTS = ["127.0.0.1/32"], [server.port]
        assert code_of(server.url("/1.png", "pictures.example.org")) == "link-not-secure"  # nobody vouches
        monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
        assert fetch(server.url("/1.png", "pictures.example.org")) == server.pages["/1.png"][2]
        assert code_of(server.url("/1.png", "other.example.org")) == "link-not-secure"
        assert code_of(server.url("/1.png", "127.0.0.1")) == "link-not-secure"


def test_an_html_body_without_a_type_is_left_to_the_decoder(server: Served) -> None:
    server.pages["/x"] = (200, {"Content-Type": "image/png"}, b"<html>")
    assert fetch(server.url("/x")) == b"<html>"
    assert picture()
