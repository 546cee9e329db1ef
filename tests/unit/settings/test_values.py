"""What a single value may be."""

import datetime as dt
from typing import Any

import pytest
from pydantic import TypeAdapter, ValidationError

from airfoil.settings.values import (
    ArtifactsPlace,
    Cpu,
    DatabaseUrl,
    Folder,
    Host,
    MailAddress,
    MailAddresses,
    MailServerUrl,
    Memory,
    Modules,
    Name,
    PlainName,
    Pod,
    Port,
    Seconds,
    WebhookUrl,
)

pytestmark = pytest.mark.unit


def accepts(kind: Any, value: object) -> bool:
    try:
        TypeAdapter(kind).validate_python(value)
    except ValidationError:
        return False
    return True


@pytest.mark.parametrize(
    "host", ["127.0.0.1", "::1", "192.168.0.0", "localhost", "my-host.example.com", "db_1", "a."]
)
def test_hosts(host):
    assert accepts(Host, host)


@pytest.mark.parametrize(
    "host",
    [
        *("", " ", "a b", "a\n", "a..b", "-x", "x" * 254, "ä.de"),
        *("http://x", "x/y", "127.0.0.1:80", "[::1]", "127.0.0.300", "1.2.3"),
    ],
)
def test_what_is_no_host(host):
    assert not accepts(Host, host)


@pytest.mark.parametrize(
    "url",
    [
        "",
        "sqlite:///a.db",
        "sqlite:////abs/ä b.db?timeout=3",
        "postgresql://u:p@h:5432/n",
        "postgresql+psycopg2://h/n",
        "postgresql+psycopg://u:p%40@h/n?sslmode=require",
        "postgresql:///n?host=/var/run/postgresql",
    ],
)
def test_database_addresses(url):
    assert accepts(DatabaseUrl, url)


@pytest.mark.parametrize(
    "url",
    [
        "a.db",
        "sqlite://",
        "sqlite:///",
        "sqlite:///?x=1",
        "sqlite:///:memory:",
        "sqlite://a.db",
        "mysql://u:p@h/n",
        "postgres://u:p@h/n",
        "postgresql://h",
        "postgresql://h:99999/n",
        "postgresql://h:x/n",
        "postgresql://u:p@[::1/n",
        "postgresql+://h/n",
        "postgresql://h/n\nx",
        "://",
    ],
)
def test_what_is_no_database_address(url):
    assert not accepts(DatabaseUrl, url)


def test_a_password_that_needs_escaping_is_explained():
    with pytest.raises(ValidationError, match="%2F"):
        TypeAdapter(DatabaseUrl).validate_python("postgresql://u:p:x/y@h/n")


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Port, [1, 65535], [0, 65536, -1]),
        (Seconds, [0.1, 86400], [0, -1, 86401, float("nan"), float("inf")]),
        (
            ArtifactsPlace,
            ["", "/ä b", "s3://bucket/x y"],
            ["s3://", "s3://-x", "gs://b/x", "file:///x", "a\0b"],
        ),
        (Folder, ["a", "/ä b"], ["", ".", "a\nb"]),
        (Name, ["a", "mein Projekt ä"], ["", "  ", "a\nb", "x" * 101]),
        (Modules, [(), ("a.b", "c_d")], [("a b",), ("",), ("a..b",), ("1a",), (1,)]),
    ],
)
def test_other_values(kind, good, bad):
    assert [value for value in good if not accepts(kind, value)] == []
    assert [value for value in bad if accepts(kind, value)] == []


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (Cpu, [1, 0.5, "500m", 64], [0, -1, "1", "m", "0m", "1.5m", float("nan"), float("inf"), 5000, ""]),
        (Memory, ["512Mi", "4Gi", "1.5G", "100k"], ["", "4", "4GB", "0Gi", "-1Gi", "4 Gi", "Gi", "4gi"]),
        (PlainName, ["a", "3d", "my-env_2"], ["", "-a", "a b", "ä", "a/b", "..", "a\n", "x" * 101]),
        (Pod, [{}, {"spec": {"nodeSelector": {"a": "b"}}}, {"metadata": {"labels": {}}, "kind": "Pod"}], []),
    ],
)
def test_what_a_profile_may_ask_for(kind, good, bad):
    assert [value for value in good if not accepts(kind, value)] == []
    assert [value for value in bad if accepts(kind, value)] == []


@pytest.mark.parametrize(
    ("kind", "good", "bad"),
    [
        (
            MailAddress,
            ["", "a@b", "müller+ml@exämple.com"],
            ["a", "@b", "a@", "a b@c", "A <a@b>", "a@b\nBcc: c@d"],
        ),
        (MailAddresses, [(), ("a@b", "c@d.e")], [("a",), ("a@b, c@d",), ("a@b", ""), "a@b"]),
        (
            MailServerUrl,
            ["", "smtp://h", "smtps://u%40x:p%2F@h:465", "smtp+starttls://u@h:587"],
            [
                "h",
                "http://h",
                "smtp://",
                "smtp://h/x",
                "smtp://h:x",
                "smtp://u:p/w@h",
                "smtp://h h",
                "smtp://h?a=b",
            ],
        ),
        (
            WebhookUrl,
            ["", "https://hooks.test/T/B/x", "http://127.0.0.1:8065/hooks/x?y=z"],
            ["x", "ftp://h", "https://", "https://h:x/", "https://h/a b", "https://h/\n"],
        ),
    ],
)
def test_what_alerts_may_be_sent_over(kind, good, bad):
    assert [value for value in good if not accepts(kind, value)] == []
    assert [value for value in bad if accepts(kind, value)] == []


@pytest.mark.parametrize(
    "pod", [{"spce": {}}, {"spec": {"at": dt.date(2026, 1, 2)}}, {"spec": {"x": float("nan")}}, "spec", []]
)
def test_what_is_no_pod(pod):
    assert not accepts(Pod, pod)
