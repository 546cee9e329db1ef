"""Disk, certificate and backup of a server, as Prometheus sees them."""

from __future__ import annotations

import shutil
import socket
import ssl
import threading
from datetime import UTC, datetime, timedelta

import pytest

from airfoil.stack.backup import manifest
from airfoil.stack.server_page.exposition import exposition
from airfoil.stack.server_page.machine import (
    BACKUPS,
    BACKUPS_VARIABLE,
    CERTIFICATES_VARIABLE,
    KEPT_SECONDS,
    MachineCollector,
    Validity,
    certificate_of_proxy,
    last_backup,
)

pytestmark = pytest.mark.unit


NAME, BELOW = "ml.example.com", "mlflow.ml.example.com"
END = "airfoil_certificate_not_after_timestamp_seconds"


class Proxy:
    """What the proxy shows by name, and how often it was asked."""

    def __init__(self):
        self.shown = {NAME: Validity(100.0, 200.0), BELOW: Validity(100.0, 150.0)}
        self.asked = 0

    def __call__(self, host):
        self.asked += 1
        if host not in self.shown:
            raise ConnectionRefusedError
        return self.shown[host]


@pytest.fixture
def proxy():
    return Proxy()


@pytest.fixture
def made(proxy, tmp_path):
    now = [0.0]
    collector = MachineCollector(
        (NAME, BELOW), places={"data": tmp_path}, backups=tmp_path, ask=proxy, clock=lambda: now[0]
    )

    def scrape(later=0.0):
        now[0] += later
        exposition((), 0.0, [collector])
        collector.wait()
        return exposition((), 0.0, [collector]).decode()

    return scrape


def test_the_disk_is_measured(made, tmp_path):
    said = made()
    total = shutil.disk_usage(tmp_path).total
    assert f'airfoil_filesystem_size_bytes{{place="data"}} {float(total)!r}'[:40] in said
    free = float(said.partition('airfoil_filesystem_free_bytes{place="data"} ')[2].split()[0])
    assert 0 < free <= total


def test_the_certificate_is_asked_for_once_a_minute(made, proxy):
    assert f'{END}{{host="{NAME}"}} 200.0' in made()
    assert f'airfoil_certificate_not_before_timestamp_seconds{{host="{NAME}"}} 100.0' in made(30.0)
    assert proxy.asked == 2
    proxy.shown[NAME] = Validity(150.0, 300.0)
    assert f'{END}{{host="{NAME}"}} 300.0' in made(KEPT_SECONDS)
    assert proxy.asked == 4


def test_each_name_has_a_certificate_of_its_own(made, proxy):
    assert f'{END}{{host="{BELOW}"}} 150.0' in made()
    del proxy.shown[BELOW]
    said = made(KEPT_SECONDS)
    assert f'{END}{{host="{NAME}"}} 200.0' in said
    assert BELOW not in said


def test_a_proxy_that_is_away_has_no_certificate(made, proxy):
    made()
    proxy.shown.clear()
    assert "certificate" not in made(KEPT_SECONDS)


def test_a_proxy_that_does_not_answer_holds_up_no_scrape(tmp_path):
    answer = threading.Event()

    def ask(_host):
        answer.wait(60)
        return Validity(1.0, 2.0)

    collector = MachineCollector(["x"], places={}, backups=tmp_path, ask=ask, clock=lambda: 0.0)
    assert b"certificate" not in exposition((), 0.0, [collector])
    answer.set()
    collector.wait()
    assert b"certificate" in exposition((), 0.0, [collector])


def test_the_newest_backup_counts(tmp_path, made):
    assert last_backup(tmp_path) is None
    assert "backup" not in made()
    for name in ("20261121T010000123Z-ab12", "20261122T013000456Z-0f0f", "20261120T010000000Z-ffff"):
        path = tmp_path / manifest.place_of(name)
        path.parent.mkdir(exist_ok=True)
        path.write_text("{}")
    other = tmp_path / "platform" / manifest.place_of("20261122T023000456Z-0f0f")
    other.parent.mkdir(parents=True)
    other.write_text("{}")
    assert last_backup(tmp_path) == datetime(2026, 11, 22, 2, 30, tzinfo=UTC).timestamp()
    other.unlink()
    (tmp_path / manifest.place_of("notes")).write_text("{}")
    expected = datetime(2026, 11, 22, 1, 30, tzinfo=UTC).timestamp()
    assert last_backup(tmp_path) == expected
    said = made()
    assert float(said.partition("\nairfoil_backup_completed_timestamp_seconds ")[2].split()[0]) == expected


@pytest.mark.parametrize(
    ("variables", "hosts", "backups"),
    [
        ({}, ["localhost"], BACKUPS),
        (
            {CERTIFICATES_VARIABLE: f"{NAME} {BELOW}", BACKUPS_VARIABLE: "/backups/nas"},
            [NAME, BELOW],
            BACKUPS,
        ),
        ({CERTIFICATES_VARIABLE: NAME, BACKUPS_VARIABLE: "s3://backups/here"}, [NAME], None),
    ],
)
def test_the_variables_say_which_names_there_are_and_whether_the_volume_counts(variables, hosts, backups):
    made = MachineCollector.of(variables)
    assert (list(made._hosts), made._backups) == (hosts, backups)


def test_what_was_left_in_the_volume_says_nothing_of_backups_that_go_elsewhere(tmp_path, proxy):
    path = tmp_path / manifest.place_of("20261121T010000123Z-ab12")
    path.parent.mkdir()
    path.write_text("{}")
    here, elsewhere = (
        exposition((), 0.0, [MachineCollector([], places={}, backups=place, ask=proxy)]).decode()
        for place in (tmp_path, None)
    )
    assert "airfoil_backup_completed_timestamp_seconds 1.7" in here
    assert "backup" not in elsewhere


def test_the_certificate_of_a_real_tls_server_is_read_though_it_has_ended(tmp_path):
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "ml.example.com")])
    begins = datetime(2026, 1, 1, tzinfo=UTC)
    ends = begins + timedelta(days=1)
    certificate = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number(), begins, ends)
    ).sign(key, hashes.SHA256())
    (tmp_path / "both.pem").write_bytes(
        key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
        )
        + certificate.public_bytes(serialization.Encoding.PEM)
    )
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tmp_path / "both.pem")
    asked = []
    context.sni_callback = lambda _socket, wanted, _context: asked.append(wanted)
    with socket.create_server(("127.0.0.1", 0)) as listening:

        def serve():
            plain, _ = listening.accept()
            with context.wrap_socket(plain, server_side=True) as one:
                one.recv(1)

        server = threading.Thread(target=serve)
        server.start()
        found = certificate_of_proxy("ml.example.com", listening.getsockname())
        server.join()
    assert found == Validity(begins.timestamp(), ends.timestamp())
    assert asked == ["ml.example.com"]
