"""Faults of the machine below a server: its disk is full, its Docker daemon starts anew.

The disk that is filled is never the machine's own: what the server stores is moved to a small one in memory before.
"""

from __future__ import annotations

import json
import os
import shutil
import signal
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import TYPE_CHECKING

from tests.deploy import engine

if TYPE_CHECKING:
    from tests.deploy.compose_server import Server

STORES = ("postgres", "redis", "s3")
SIZE = "1500m"
CHUNK_BYTES = 2**16
DAEMON = Path("/var/run/docker.pid")
STOP_SECONDS = 420
"""Docker ends everything at once, and a worker is given 300 seconds for its tasks, whose servers are gone then."""


@contextmanager
def small_disk(server: Server, folder: Path) -> Iterator[Path]:
    """All that is stored lies on one small disk meanwhile."""
    folder.mkdir()
    engine.run("mount", "-t", "tmpfs", "-o", f"size={SIZE}", "tmpfs", str(folder))
    homes = {name: _mountpoint(server, name) for name in STORES}
    server.compose("stop", "--timeout", "30", *STORES)
    for name, home in homes.items():
        engine.run("cp", "-a", str(home), str(folder / name))
        engine.run("mount", "--bind", str(folder / name), str(home))
    server.compose("start", *STORES)
    try:
        yield folder
    finally:
        server.compose("stop", "--timeout", "30", *STORES)
        for name, home in homes.items():
            engine.run("umount", str(home))
            engine.run("sh", "-c", f"rm -rf {home}/* && cp -a {folder / name}/. {home}/")
        engine.run("umount", str(folder))
        server.compose("start", *STORES)


@contextmanager
def full(folder: Path) -> Iterator[None]:
    """Not a byte is left meanwhile."""
    filler = folder / "filler"
    try:
        with filler.open("wb", buffering=0) as stream, suppress(OSError):  # others write meanwhile
            while shutil.disk_usage(folder).free:
                stream.write(bytes(CHUNK_BYTES))
        assert shutil.disk_usage(folder).free < CHUNK_BYTES
        yield
    finally:
        filler.unlink()


def _mountpoint(server: Server, name: str) -> Path:
    volume = f"{server.variables['COMPOSE_PROJECT_NAME']}_{name}"
    return Path(json.loads(engine.docker("volume", "inspect", volume))[0]["Mountpoint"])


def restart_engine(log: Path) -> None:
    """End the Docker daemon, and start it as it was started, as nobody's child."""
    pid = int(DAEMON.read_text())
    argv = Path(f"/proc/{pid}/cmdline").read_bytes().decode().split("\0")[:-1]
    lines = Path(f"/proc/{pid}/environ").read_bytes().decode().split("\0")
    environment = dict(line.split("=", 1) for line in lines if "=" in line)
    os.kill(pid, signal.SIGTERM)
    deadline = time.monotonic() + STOP_SECONDS
    while _runs(pid):
        assert time.monotonic() < deadline, "the Docker daemon does not end"
        time.sleep(0.2)
    with log.open("ab") as stream:
        subprocess.run(["setsid", "--fork", *argv], env=environment, stdout=stream, stderr=stream, check=True)
    while not engine.answers():
        assert time.monotonic() < deadline + engine.START_SECONDS, log.read_text()[-3000:]
        time.sleep(0.5)


def _runs(pid: int) -> bool:
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
