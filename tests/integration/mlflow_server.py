"""A plain MLflow server without login, on SQLite or another database: for tests of what any MLflow server does."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
from tests.integration.servers import free_port, wait_until


@contextmanager
def plain_mlflow(
    folder: Path, settings: Mapping[str, str] | None = None, *, database: str = "", workers: int = 1
) -> Iterator[str]:
    """Start one in a folder; its address. Webhooks may go to this machine."""
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
    log = folder / "log"
    with log.open("ab") as output:
        process = subprocess.Popen(
            argv, env=environment, cwd=folder, stdout=output, stderr=output, start_new_session=True
        )
    try:
        wait_until(lambda: _is_well(url), process, log)
        yield url
    finally:
        with suppress(ProcessLookupError):
            os.killpg(process.pid, signal.SIGTERM)
        process.wait(30)


def _is_well(url: str) -> bool:
    with suppress(httpx.TransportError):
        return httpx.get(f"{url}/health", trust_env=False, timeout=2).is_success
    return False
