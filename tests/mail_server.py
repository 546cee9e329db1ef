"""A real mail server on a free port, small enough to say no in every way that real ones do.

It speaks SMTP, STARTTLS and TLS from the first byte, asks for a login where it is told to, and keeps what it was given.
"""

from __future__ import annotations

import base64
import contextlib
import datetime as dt
import email
import email.policy
import ipaddress
import socketserver
import ssl
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from email.message import EmailMessage
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec


@dataclass
class Delivered:
    """One mail as the server took it."""

    sender: str
    to: list[str]
    message: EmailMessage
    encrypted: bool
    login: str

    def part(self, kind: str) -> str:
        """The text of its plain or html part."""
        body = self.message.get_body((kind,))
        assert body is not None
        return body.get_content()


@dataclass
class MailServerForTests:
    """What it does, and what it was given."""

    security: str = "none"
    password: str = ""
    refused: frozenset[str] = frozenset()
    slow_seconds: float = 0.0
    hangs_up_at: str = ""
    certificate: Path | None = None
    port: int = 0
    mails: list[Delivered] = field(default_factory=list)
    connections: int = 0

    def until_mail(self, count: int = 1, seconds: float = 30) -> list[Delivered]:
        """Wait for mails."""
        end = time.monotonic() + seconds
        while len(self.mails) < count:
            assert time.monotonic() < end, f"{len(self.mails)} of {count} mails after {seconds} s"
            time.sleep(0.02)
        return self.mails


def make_certificate(folder: Path) -> tuple[Path, Path]:
    """Make a certificate for this machine; certificate and key as files."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "127.0.0.1")])
    now = dt.datetime.now(dt.UTC)
    names = [x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - dt.timedelta(days=1))
        .not_valid_after(now + dt.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName(names), critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    certificate, private = folder / "mail.pem", folder / "mail.key"
    certificate.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    form = serialization.PrivateFormat.PKCS8
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, form, plain))
    return certificate, private


class _Conversation(socketserver.StreamRequestHandler):
    """One client, line by line."""

    state: MailServerForTests
    tls: ssl.SSLContext | None

    def setup(self) -> None:
        self.encrypted = self.state.security == "tls"
        if self.encrypted:
            assert self.tls
            plain = self.request
            try:
                self.request = self.tls.wrap_socket(plain, server_side=True)
            except OSError:
                plain.close()
                raise
        self.login = ""
        super().setup()

    def finish(self) -> None:
        """Close what speaks TLS: the server itself closes only what it accepted."""
        with contextlib.suppress(OSError):
            super().finish()
        for one in (self.rfile, self.wfile, self.request):
            with contextlib.suppress(OSError):
                one.close()

    def say(self, line: str) -> None:
        self.wfile.write(f"{line}\r\n".encode())

    def handle(self) -> None:
        self.state.connections += 1
        with contextlib.suppress(OSError, ValueError):
            time.sleep(self.state.slow_seconds)
            self.say("220 mail.test ready")
            sender, to = "", []
            while line := self.rfile.readline().decode().strip():
                verb = line.split(maxsplit=1)[0].upper()
                if verb == self.state.hangs_up_at:
                    return
                if verb == "MAIL":
                    sender, to = line[10:].partition(">")[0].lstrip("<"), []
                    asked = self.state.password and not self.login
                    self.say("530 who are you?" if asked else "250 ok")
                elif verb == "RCPT":
                    address = line[8:].partition(">")[0].lstrip("<")
                    known = address not in self.state.refused
                    to += [address] if known else []
                    self.say("250 ok" if known else "550 5.1.1 no such user here")
                elif verb == "DATA":
                    self.take(sender, to)
                elif not self.other(verb, line):
                    return

    def other(self, verb: str, line: str) -> bool:
        """Everything that is not about one mail; False at the end."""
        if verb == "EHLO":
            offers = ["mail.test", "8BITMIME", "SMTPUTF8"]
            offers += ["STARTTLS"] if self.state.security == "starttls" and not self.encrypted else []
            offers += ["AUTH PLAIN LOGIN XOAUTH2"] if self.state.password else []
            for offer in offers[:-1]:
                self.say(f"250-{offer}")
            self.say(f"250 {offers[-1]}")
        elif verb == "STARTTLS":
            assert self.tls
            self.say("220 go on")
            self.request = self.tls.wrap_socket(self.request, server_side=True)
            self.rfile.close()
            self.rfile, self.wfile = self.request.makefile("rb"), self.request.makefile("wb", 0)
            self.encrypted = True
        elif verb == "AUTH":
            words = base64.b64decode(line.rsplit(maxsplit=1)[-1]).decode().replace("\x01", "\0").split("\0")
            good = words[-1] == self.state.password or f"auth=Bearer {self.state.password}" in words
            self.login = next(word for word in words if word).removeprefix("user=") if good else ""
            self.say("235 welcome" if good else "535 5.7.8 wrong password")
        elif verb == "QUIT":
            self.say("221 bye")
            return False
        else:
            self.say("250 ok")
        return True

    def take(self, sender: str, to: list[str]) -> None:
        self.say("354 go on")
        lines = []
        while (line := self.rfile.readline()) not in {b".\r\n", b""}:
            lines.append(line.removeprefix(b".") if line.startswith(b"..") else line)
        message = email.message_from_bytes(b"".join(lines), policy=email.policy.default)
        self.state.mails.append(Delivered(sender, to, message, self.encrypted, self.login))
        self.say("250 taken")


@contextlib.contextmanager
def serving(state: MailServerForTests, key: Path | None = None) -> Iterator[MailServerForTests]:
    """Run a mail server for the length of a block."""
    tls = None
    if state.certificate is not None:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(state.certificate, key)
    handler = type("Conversation", (_Conversation,), {"state": state, "tls": tls})
    server = socketserver.ThreadingTCPServer(("127.0.0.1", 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    server.handle_error = lambda *_: None  # type: ignore[method-assign] # a client that does not trust us is no news
    state.port = server.server_address[1]
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01}, daemon=True)
    thread.start()
    try:
        yield state
    finally:
        server.shutdown()
        server.server_close()
        thread.join()
