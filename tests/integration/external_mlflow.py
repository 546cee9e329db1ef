"""An MLflow server as somebody else runs it: with basic auth, its own folder, its own administrator."""

from __future__ import annotations

import contextlib
import os
import subprocess
import sys
import urllib.error
import urllib.request
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tests.integration.servers import free_port, wait_until

USERNAME = "boss"
PASSWORD = "an-external-Passw0rd"


@dataclass
class ExternalMlflow:
    """A server that can be taken away and brought back."""

    folder: Path
    port: int
    process: subprocess.Popen[bytes] | None = None

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Start it and wait until it answers."""
        login = self.folder / "auth.ini"
        login.write_text(
            f"[mlflow]\ndefault_permission = READ\ndatabase_uri = sqlite:///{self.folder / 'auth.db'}\n"
            "auth_cache_ttl_seconds = 300\n"
        )
        environment = {
            **os.environ,
            "MLFLOW_AUTH_CONFIG_PATH": str(login),
            "MLFLOW_AUTH_ADMIN_USERNAME": USERNAME,
            "MLFLOW_AUTH_ADMIN_PASSWORD": PASSWORD,
            "MLFLOW_FLASK_SERVER_SECRET_KEY": "a-key-of-their-own-for-forms",
            "MLFLOW_SERVER_ENABLE_JOB_EXECUTION": "false",
        }
        argv = [sys.executable, "-m", "mlflow", "server", "--app-name", "basic-auth", "--workers", "1"]
        argv += ["--backend-store-uri", f"sqlite:///{self.folder / 'mlflow.db'}"]
        argv += ["--artifacts-destination", str(self.folder / "artifacts")]
        argv += ["--host", "127.0.0.1", "--port", str(self.port)]
        log = self.folder / "log"
        with log.open("ab") as output:
            self.process = subprocess.Popen(
                argv, env=environment, cwd=self.folder, stdout=output, stderr=output, start_new_session=True
            )
        wait_until(self._answers, self.process, log)

    def _answers(self) -> bool:
        with contextlib.suppress(OSError), urllib.request.urlopen(f"{self.url}/health", timeout=2) as answer:  # noqa: S310 - our own server
            return bool(answer.status == 200)
        return False

    def stop(self) -> None:
        """End it with its worker."""
        if self.process is not None:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(self.process.pid, 15)
            self.process.wait(30)
            self.process = None


def run_external_mlflow(folder: Path) -> Iterator[ExternalMlflow]:
    """Run one for as long as it is needed."""
    server = ExternalMlflow(folder, free_port())
    try:
        server.start()
        yield server
    finally:
        server.stop()
