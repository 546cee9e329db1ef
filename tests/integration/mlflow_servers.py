"""Real MLflow servers for tests, with TLS and logins as asked for, and a server that only ever fails."""

from __future__ import annotations

import contextlib
import datetime as dt
import ipaddress
import os
import ssl
import subprocess
import sys
import threading
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

from tests.integration.servers import free_port, serving

PASSWORD = "a-long-enough-secret"


@dataclass(frozen=True)
class RunningMlflow:
    """Where it answers, who signed its certificate, and its process."""

    uri: str
    authority: Path | None
    process: subprocess.Popen[bytes]


@contextlib.contextmanager
def mlflow_server(home: Path, *, tls: bool = False, login: bool = False) -> Iterator[RunningMlflow]:
    """Start an MLflow on SQLite in a folder, and end it with all its processes."""
    home.mkdir(parents=True, exist_ok=True)
    port = free_port()
    command = [sys.executable, "-m", "mlflow", "server", "--workers", "1", "--port", str(port)]
    command += [
        "--backend-store-uri",
        f"sqlite:///{home}/mlflow.db",
        "--artifacts-destination",
        str(home / "files"),
    ]
    environment = os.environ | {"MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false"}
    authority = None
    if tls:
        authority, certificate, key = write_certificates(home)
        command += ["--uvicorn-opts", f"--ssl-keyfile={key} --ssl-certfile={certificate}"]
    if login:
        settings = home / "auth.ini"
        settings.write_text(
            "[mlflow]\ndefault_permission = READ\n"
            f"database_uri = sqlite:///{home}/auth.db\nauth_cache_ttl_seconds = 300\n"
        )
        command += ["--app-name", "basic-auth"]
        environment |= {
            "MLFLOW_AUTH_CONFIG_PATH": str(settings),
            "MLFLOW_AUTH_ADMIN_USERNAME": "admin",
            "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "for this test only",
        }
    uri = f"{'https' if tls else 'http'}://127.0.0.1:{port}"
    verify = ssl.create_default_context(cafile=str(authority)) if authority else False
    with serving(
        command, folder=home, environment=environment, log=home / "log", health=f"{uri}/health", verify=verify
    ) as process:
        yield RunningMlflow(uri, authority, process)


@contextlib.contextmanager
def plain_mlflow(
    folder: Path, settings: Mapping[str, str] | None = None, *, database: str = "", workers: int = 1
) -> Iterator[str]:
    """Start one without login, on SQLite or another database; its address. Webhooks may go to this machine."""
    port = free_port()
    url = f"http://127.0.0.1:{port}"
    environment = {
        **os.environ,
        "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        "MLFLOW_WEBHOOK_ALLOWED_SCHEMES": "http,https",
        "MLFLOW_WEBHOOK_ALLOW_PRIVATE_IPS": "true",
        **(settings or {}),
    }
    argv = [sys.executable, "-m", "mlflow", "server", "--workers", str(workers), "--port", str(port)]
    argv += ["--backend-store-uri", database or f"sqlite:///{folder / 'mlflow.db'}"]
    argv += ["--artifacts-destination", str(folder / "artifacts")]
    with serving(argv, folder=folder, environment=environment, log=folder / "log", health=f"{url}/health"):
        yield url


def write_certificates(home: Path) -> tuple[Path, Path, Path]:
    """Make an authority of our own and a certificate for this machine; their files, and the key's."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    now = dt.datetime.now(dt.UTC)

    def certificate(
        name: str, key: ec.EllipticCurvePrivateKey, issuer: str, signer: ec.EllipticCurvePrivateKey
    ):
        is_authority = name == issuer
        usage = x509.KeyUsage(
            digital_signature=True,
            key_cert_sign=is_authority,
            crl_sign=is_authority,
            content_commitment=False,
            key_encipherment=False,
            data_encipherment=False,
            key_agreement=False,
            encipher_only=False,
            decipher_only=False,
        )
        here = [x509.IPAddress(ipaddress.ip_address("127.0.0.1")), x509.DNSName("localhost")]
        return (
            x509.CertificateBuilder()
            .subject_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]))
            .issuer_name(x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, issuer)]))
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(now - dt.timedelta(hours=1))
            .not_valid_after(now + dt.timedelta(days=1))
            .add_extension(x509.BasicConstraints(ca=is_authority, path_length=None), critical=True)
            .add_extension(x509.SubjectAlternativeName(here), critical=False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), critical=False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(signer.public_key()), critical=False
            )
            .add_extension(usage, critical=True)
            .sign(signer, hashes.SHA256())
        )

    authority_key, key = (ec.generate_private_key(ec.SECP256R1()) for _ in range(2))
    files = home / "authority.pem", home / "server.pem", home / "server.key"
    pem = serialization.Encoding.PEM
    files[0].write_bytes(certificate("Test CA", authority_key, "Test CA", authority_key).public_bytes(pem))
    files[1].write_bytes(certificate("mlflow", key, "Test CA", authority_key).public_bytes(pem))
    files[2].write_bytes(
        key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    )
    return files


@contextlib.contextmanager
def failing_server() -> Iterator[str]:
    """Serve an address below which `/STATUS/...` answers with that status, and `/slow/...` not in time."""
    closing = threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def answer(self) -> None:
            word = self.path.split("/")[1]
            if word == "slow":
                closing.wait(20)
                self.close_connection = True
                return
            body = b"Token expired" if word == "401" else b"said by a test"
            self.send_response(int(word))
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        do_GET = do_POST = answer  # noqa: N815 - http.server looks for these names

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class names it so
            """Keep the test output quiet."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.server_address[1]}"
    closing.set()
    server.shutdown()
    server.server_close()
    thread.join()
