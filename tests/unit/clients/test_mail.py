"""Mail arrives at a real server, encrypted and logged in as it asks; what goes wrong is one sentence."""

from __future__ import annotations

from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.mail_server import MailServerForTests, make_certificate, serving

from airfoil.clients.mail import MailServer, compose, send_mail
from airfoil.errors import (
    ConfigurationError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)

pytestmark = pytest.mark.unit

TO = ("ana@example.com", "bo@example.com")


def mail(to=TO, subject="churn failed: Größe ✗"):
    return compose("airfoil@example.com", to, subject, "plain ü\n.\n", "<p>html ü</p>")


@pytest.fixture(scope="module")
def certificate(tmp_path_factory) -> tuple[Path, Path]:
    return make_certificate(tmp_path_factory.mktemp("certificate"))


@pytest.fixture
def start(certificate):
    """How to start a server: `start(security="starttls")`; the client's view of it."""
    with ExitStack() as stack:

        def make(**what):
            if what.get("security", "none") != "none":
                what["certificate"] = certificate[0]
            return stack.enter_context(serving(MailServerForTests(**what), certificate[1]))

        yield make


def client(server, **what):
    return MailServer("127.0.0.1", server.port, timeout_seconds=5, **what)


def test_a_mail_has_both_forms_and_its_headers(start):
    server = start()
    assert send_mail(client(server), mail()) == {}
    (mail_,) = server.mails
    assert (mail_.sender, mail_.to) == ("airfoil@example.com", [*TO])
    assert mail_.message["Subject"] == "churn failed: Größe ✗"
    assert mail_.message["Auto-Submitted"] == "auto-generated"
    assert mail_.message["Date"]
    assert mail_.message["Message-ID"].endswith("@example.com>")
    assert mail_.part("plain").splitlines() == ["plain ü", "."]
    assert mail_.part("html").strip() == "<p>html ü</p>"


@pytest.mark.parametrize("subject", ["late is late: " + "x y" * 40, "late: Größe " + "✗ z" * 40])
def test_a_long_subject_arrives_as_it_was_written(start, subject):
    server = start()
    send_mail(client(server), mail(subject=subject))
    assert server.mails[0].message["Subject"] == subject


@pytest.mark.parametrize("security", ["starttls", "tls"])
def test_an_encrypted_server_with_a_login(start, certificate, security):
    server = start(security=security, password="gehe:im u")
    us = {"security": security, "ca_file": str(certificate[0]), "login": "ana", "password": "gehe:im u"}
    send_mail(client(server, **us), mail())
    assert [(one.encrypted, one.login) for one in server.mails] == [(True, "ana")]


def test_a_token_instead_of_a_password(start):
    server = start(password="t0ken")
    send_mail(client(server, login="ana@example.com", token="t0ken"), mail())
    assert server.mails[0].login == "ana@example.com"


def test_a_wrong_password_is_told_without_it(start):
    with pytest.raises(ServiceRefusedError, match=r"'ana' .535") as caught:
        send_mail(client(start(password="right"), login="ana", password="wr0ng"), mail())
    assert "wr0ng" not in caught.value.in_full
    assert "wr0ng" not in repr(MailServer("h", password="wr0ng"))


def test_a_certificate_that_nobody_vouches_for_is_refused_unless_one_says_so(start):
    server = start(security="starttls")
    with pytest.raises(ConfigurationError, match="not trusted"):
        send_mail(client(server, security="starttls"), mail())
    send_mail(client(server, security="starttls", check_certificate=False), mail())
    assert len(server.mails) == 1


@pytest.mark.parametrize(
    ("offered", "wanted", "kind"),
    [
        ("none", "starttls", ConfigurationError),
        ("none", "tls", ConfigurationError),
        ("tls", "none", ServiceUnreachableError),
    ],
)
def test_the_wrong_encryption_is_a_sentence(start, offered, wanted, kind):
    us = MailServer("127.0.0.1", start(security=offered).port, security=wanted, timeout_seconds=0.5)
    with pytest.raises(kind):
        send_mail(us, mail())


def test_one_of_two_recipients_is_refused(start):
    server = start(refused=frozenset({TO[1]}))
    assert send_mail(client(server), mail()) == {TO[1]: "550 5.1.1 no such user here"}
    assert server.mails[0].to == [TO[0]]


def test_all_recipients_are_refused(start):
    with pytest.raises(ServiceAnswerError, match=r"refuses all recipients .*ana@example.com: 550 5.1.1"):
        send_mail(client(start(refused=frozenset(TO))), mail())


def test_a_server_that_wants_a_login(start):
    with pytest.raises(ServiceAnswerError, match="530 who are you"):
        send_mail(client(start(password="x")), mail())


def test_nobody_there():
    with pytest.raises(ServiceUnreachableError, match=r"127.0.0.1:1 is not reached"):
        send_mail(MailServer("127.0.0.1", 1), mail())


def test_a_slow_server_is_given_up(start):
    us = MailServer("127.0.0.1", start(slow_seconds=3).port, timeout_seconds=0.2)
    with pytest.raises(ServiceUnreachableError, match="no answer in time"):
        send_mail(us, mail())


@pytest.mark.parametrize("verb", ["EHLO", "MAIL", "DATA"])
def test_a_server_that_hangs_up(start, verb):
    with pytest.raises(ServiceUnreachableError, match="ends the connection"):
        send_mail(client(start(hangs_up_at=verb)), mail())


def test_a_ca_file_that_is_not_there(start, tmp_path):
    server = client(start(security="tls"), security="tls", ca_file=str(tmp_path / "none.pem"))
    with pytest.raises(ConfigurationError, match="TLS"):
        send_mail(server, mail())


@pytest.mark.parametrize("field", ["sender", "to", "subject"])
def test_a_line_end_makes_no_header(field):
    evil = "a@example.com\r\nBcc: all@example.com"
    values = {"sender": "a@example.com", "to": ("b@example.com",), "subject": "s"}
    values[field] = (evil,) if field == "to" else evil
    with pytest.raises(ConfigurationError):
        compose(**values, plain="p", html="h")
