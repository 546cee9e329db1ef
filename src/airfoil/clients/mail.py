"""Sends one message through one mail server: plain, with STARTTLS, or over TLS from the first byte.

Written over the standard library; docs/adr/0022 says why not over Airflow's own hook. Errors of the server leave as a
sentence, without passwords. Must not know what a message is about, or where the address of the server is kept.
"""

from __future__ import annotations

import smtplib
import socket
import ssl
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from email.header import Header
from email.message import EmailMessage
from email.policy import EmailPolicy
from email.utils import formatdate, make_msgid, parseaddr
from typing import Literal

from airfoil.errors import (
    AirfoilError,
    ConfigurationError,
    NeighbourError,
    ServiceAnswerError,
    ServiceRefusedError,
    ServiceUnreachableError,
)

Security = Literal["none", "starttls", "tls"]
PORTS: dict[Security, int] = {"none": 25, "starttls": 587, "tls": 465}
ANSWER_CHARACTERS = 200
_CHECK_ENCRYPTION = "Check host, port and how the connection is encrypted."


class _WholeSubjects(EmailPolicy):
    """Writes subjects as `email.header` does: the newer way of Python 3.11 loses spaces between encoded words."""

    def fold(self, name: str, value: str) -> str:
        if name.lower() != "subject":
            return str(super().fold(name, value))
        charset = "us-ascii" if str(value).isascii() else "utf-8"
        text = Header(str(value), charset, header_name=name).encode(linesep=self.linesep)
        return f"{name}: {text}{self.linesep}"

    def fold_binary(self, name: str, value: str) -> bytes:
        if name.lower() != "subject":
            return super().fold_binary(name, value)
        return self.fold(name, value).encode("ascii")


_POLICY = _WholeSubjects(linesep="\r\n")


@dataclass(frozen=True)
class MailServer:
    """Where mail is handed in, and as whom."""

    host: str
    port: int = 0
    """0: the usual one."""
    security: Security = "none"
    login: str = ""
    password: str = field(default="", repr=False)
    token: str = field(default="", repr=False)
    """An OAuth2 access token, instead of a password."""
    check_certificate: bool = True
    ca_file: str = ""
    """Of the authority that signed the server's certificate; empty: those of the system."""
    timeout_seconds: float = 10.0
    """How long one answer may take."""

    @property
    def place(self) -> str:
        """Host and port, for sentences."""
        return f"{self.host}:{self.port or PORTS[self.security]}"


def compose(sender: str, to: Sequence[str], subject: str, plain: str, html: str) -> EmailMessage:
    """Return a message with a text for every reader and a page for those that show one."""
    message = EmailMessage(policy=_POLICY)
    try:
        message["From"] = sender
        message["To"] = ", ".join(to)
        message["Subject"] = subject
    except (
        ValueError,
        IndexError,
    ) as error:  # a line end in a header; IndexError: the parser's own, for odd addresses
        raise ConfigurationError(
            f"A mail from {sender!r} to {', '.join(map(repr, to))} cannot be written ({error})",
            "Give addresses such as team@example.com.",
        ) from error
    message["Date"] = formatdate(localtime=True)
    message["Message-ID"] = make_msgid(domain=parseaddr(sender)[1].rpartition("@")[2] or "localhost")
    message["Auto-Submitted"] = "auto-generated"  # out-of-office replies are not wanted
    message.set_content(plain)
    message.add_alternative(html, subtype="html")
    return message


def send_mail(server: MailServer, message: EmailMessage) -> dict[str, str]:
    """Hand a message in; who does not get it although others do, and what the server said about them."""
    try:
        client = _connect(server)
        try:
            refused = client.send_message(message)
        finally:
            with suppress(smtplib.SMTPException, OSError):
                client.quit()
    except (smtplib.SMTPException, OSError, ValueError) as error:
        raise _translated(error, server) from error
    return {address: _answer(code, text) for address, (code, text) in refused.items()}


def _connect(server: MailServer) -> smtplib.SMTP:
    """Open a connection, encrypted and logged in as the server asks."""
    port = server.port or PORTS[server.security]
    # Without a name of ours smtplib asks the DNS for one, which takes seconds where there is none.
    name = socket.gethostname()
    us = name if "." in name else "[127.0.0.1]"
    patience = server.timeout_seconds
    client: smtplib.SMTP
    if server.security == "tls":
        client = smtplib.SMTP_SSL(server.host, port, us, timeout=patience, context=_tls(server))
    else:
        client = smtplib.SMTP(server.host, port, us, timeout=patience)
    try:
        if server.security == "starttls":
            client.starttls(context=_tls(server))
        if server.token:
            client.ehlo()
            client.auth(
                "XOAUTH2", lambda _=None: f"user={server.login}\x01auth=Bearer {server.token}\x01\x01"
            )
        elif server.login and server.password:
            client.login(server.login, server.password)
    except BaseException:
        client.close()
        raise
    return client


def _tls(server: MailServer) -> ssl.SSLContext:
    context = ssl.create_default_context(cafile=server.ca_file or None)
    if not server.check_certificate:
        context.check_hostname = False
        context.verify_mode = ssl.CERT_NONE
    return context


def _translated(error: Exception, server: MailServer) -> AirfoilError:
    """Return what went wrong as a sentence with a next move."""
    place = f"The mail server {server.place}"
    match error:
        case smtplib.SMTPException():
            return _declined(error, place, server.login)
        case ssl.SSLCertVerificationError():
            return ConfigurationError(
                f"{place} has a certificate that is not trusted ({error.verify_message})",
                "Name its authority in the extra field ca_file of the connection.",
            )
        case ssl.SSLError() | FileNotFoundError():
            return ConfigurationError(f"{place} cannot be spoken to over TLS ({error})", _CHECK_ENCRYPTION)
        case OSError():
            why = "no answer in time" if isinstance(error, TimeoutError) else error
            return ServiceUnreachableError(f"{place} is not reached ({why})", "Check host and port.")
    return ConfigurationError(f"A mail for {place} cannot be written ({error})", "Check the addresses.")


def _declined(error: smtplib.SMTPException, place: str, login: str) -> AirfoilError:
    """Return what the server said, or that it said nothing usable."""
    match error:
        case smtplib.SMTPAuthenticationError():
            said = _answer(error.smtp_code, error.smtp_error)
            return ServiceRefusedError(
                f"{place} does not accept the login {login!r} ({said})", "Check user name and password."
            )
        case smtplib.SMTPNotSupportedError():
            return ConfigurationError(f"{place} cannot do what it is asked for: {error}", _CHECK_ENCRYPTION)
        case smtplib.SMTPRecipientsRefused():
            refused = "; ".join(
                f"{name}: {_answer(code, text)}" for name, (code, text) in error.recipients.items()
            )
            return ServiceAnswerError(f"{place} refuses all recipients ({refused})", "Correct the addresses.")
        case smtplib.SMTPServerDisconnected():
            # smtplib says it of a server that does not answer, too.
            is_slow = "timed out" in str(error)
            what = "is not reached (no answer in time)" if is_slow else f"ends the connection ({error})"
            return ServiceUnreachableError(f"{place} {what}", _CHECK_ENCRYPTION)
        case smtplib.SMTPResponseException():
            said = _answer(error.smtp_code, error.smtp_error)
            return ServiceAnswerError(f"{place} does not take the mail ({said})", "Its operator knows why.")
    return NeighbourError(f"{place} cannot be used ({error})", _CHECK_ENCRYPTION)


def _answer(code: int, text: bytes | str) -> str:
    said = text.decode(errors="replace") if isinstance(text, bytes) else str(text)
    return f"{code} {' '.join(said.split())}"[:ANSWER_CHARACTERS]
