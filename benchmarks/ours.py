"""Our side: `airfoil up` with default settings, in a project that holds nothing but the benchmark's DAGs."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from benchmarks.contender import BIN, LOOPBACK, BenchmarkError, Command, Contender, Endpoints
from benchmarks.running import Running

_UP_SECONDS = 300
_DOWN_SECONDS = 180


class Ours(Contender):
    """The platform as a user starts it."""

    key = "ours"
    label = "airfoil up"

    @property
    def dags(self) -> Path:
        """As `airfoil init` names it."""
        return self.folder / "dags"

    @property
    def commands(self) -> tuple[Command, ...]:
        """One command; it ends when everything is ready."""
        return (Command("airfoil", (str(BIN / "airfoil"), "up"), self.folder),)

    @property
    def described(self) -> str:
        """No setting differs from its default."""
        return "airfoil up"

    @property
    def endpoints(self) -> Endpoints:
        """As remembered by the project; a default port that is taken moves at a start."""
        path = self.folder / ".airfoil" / "run" / "ports.json"
        ports = json.loads(path.read_text(encoding="utf-8"))
        return Endpoints(*(f"http://{LOOPBACK}:{ports[name]}" for name in ("airflow", "mlflow", "page")))

    def password(self) -> str:
        """From the project's secrets."""
        found = json.loads((self.folder / ".airfoil" / "secrets.json").read_text(encoding="utf-8"))
        return str(found["admin_password"])

    def prepare(self) -> None:
        """A project, without the example DAGs that `airfoil init` would add."""
        self.folder.mkdir(parents=True, exist_ok=True)
        (self.folder / "airfoil.toml").write_text('[project]\nname = "bench"\n', encoding="utf-8")

    def learn(self, running: Running) -> None:
        """Wait until `airfoil up` has ended: then the ports are remembered."""
        running.wait_for_commands(_UP_SECONDS)

    def stop(self, running: Running) -> None:
        """As a user does."""
        try:
            done = subprocess.run(
                [BIN / "airfoil", "down"],
                cwd=self.folder,
                env=running.environment,
                stdin=subprocess.DEVNULL,
                capture_output=True,
                text=True,
                timeout=_DOWN_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired as error:
            raise BenchmarkError(f"`airfoil down` did not end in {_DOWN_SECONDS} s.") from error
        if done.returncode:
            raise BenchmarkError(f"`airfoil down` failed:\n{done.stdout[-2000:]}{done.stderr[-2000:]}")
