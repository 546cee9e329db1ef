"""Where the files of one project are, and how its private folders come to be.

A `Project` is nothing but its root folder: every path is derived here and nowhere else. Must not read what the
files hold, and must not import pydantic or Airflow: the manager process keeps this module loaded for weeks.
"""

import contextlib
import os
from dataclasses import dataclass
from pathlib import Path

from airfoil.errors import ProjectError, StorageError
from airfoil.stack.storage import (
    belongs_to_another,
    make_private_folder,
    remove_abandoned,
    storage_error,
    write_private,
)

__all__ = ["SETTINGS_FILE", "Project", "write_private"]

SETTINGS_FILE = "airfoil.toml"
# One block of most file systems: a full disk often still has room for an empty folder, but not for this.
_PROBE_BYTES = 4096


def refuse_letters(root: Path) -> None:
    """Refuse a folder whose path cannot stand in the address of a database."""
    if "?" in str(root) or not str(root).isprintable():
        raise ProjectError(
            f"The path {str(root)!r} holds a question mark or a control character; database addresses cannot.",
            "Rename that folder, or choose another one.",
        )


@dataclass(frozen=True)
class Project:
    """The folder that holds airfoil.toml."""

    root: Path

    @classmethod
    def find(cls, start: Path) -> "Project":
        """Return the project that `start` lies in: the nearest folder upwards with an airfoil.toml."""
        try:
            here = start.resolve()
            for folder in (here, *here.parents):
                if os.path.lexists(folder / SETTINGS_FILE):
                    return cls(folder)
        except OSError as error:
            raise storage_error(start, error) from error
        except RuntimeError as error:  # what Python before 3.13 raises for links that lead in a circle
            raise ProjectError(
                f"{start} is a link that leads in a circle.", "Name another folder."
            ) from error
        raise ProjectError(
            f"{here} is not in an Airfoil project: there is no {SETTINGS_FILE} in it or above it.",
            "Go to your project, or make one: `airfoil init DIR`.",
        )

    @property
    def toml(self) -> Path:
        """The settings file."""
        return self.root / SETTINGS_FILE

    @property
    def dags(self) -> Path:
        """The folder of DAG files, unless the settings name another."""
        return self.root / "dags"

    @property
    def sources(self) -> Path:
        """The folder of the user's package: importable in every task, test and notebook."""
        return self.root / "src"

    def lock_file(self, environment: str | None = None) -> Path:
        """Return the exact versions of the packages that the project needs, or one of its environments."""
        return self.root / (f"airfoil.{environment}.lock" if environment else "airfoil.lock")

    def locks(self) -> tuple[Path, ...]:
        """Return the locks that there are: without one, the project manages its packages by itself."""
        return tuple(sorted(self.root.glob("airfoil*.lock")))

    @property
    def state(self) -> Path:
        """The private folder for everything the platform itself writes."""
        return self.root / ".airfoil"

    @property
    def airflow_home(self) -> Path:
        """AIRFLOW_HOME."""
        return self.state / "airflow"

    @property
    def airflow_database(self) -> Path:
        """Airflow's SQLite database, used while no other database is set."""
        return self.airflow_home / "airflow.db"

    @property
    def mlflow_home(self) -> Path:
        """The folder of the MLflow server."""
        return self.state / "mlflow"

    @property
    def mlflow_database(self) -> Path:
        """MLflow's SQLite database, used while no other database is set."""
        return self.mlflow_home / "mlflow.db"

    @property
    def artifacts(self) -> Path:
        """MLflow's artifacts, while no other place is set."""
        return self.mlflow_home / "artifacts"

    @property
    def logs(self) -> Path:
        """One log file per service, and the logs of tasks."""
        return self.state / "logs"

    def service_log(self, name: str) -> Path:
        """Return the log file of the service `name`."""
        return self.logs / f"{name}.log"

    @property
    def task_logs(self) -> Path:
        """Airflow's base_log_folder."""
        return self.logs / "tasks"

    @property
    def secrets(self) -> Path:
        """The generated secrets (0600)."""
        return self.state / "secrets.json"

    @property
    def versions(self) -> Path:
        """The versions that last ran the project."""
        return self.state / "versions.json"

    @property
    def snapshots(self) -> Path:
        """Databases as they were before upgrades."""
        return self.state / "snapshots"

    @property
    def metrics_token(self) -> Path:
        """What a Prometheus on this machine shows to read verdicts."""
        return self.state / "metrics.token"

    @property
    def passwords(self) -> Path:
        """The password file of Airflow's SimpleAuthManager (0600)."""
        return self.airflow_home / "passwords.json"

    @property
    def run(self) -> Path:
        """What lives only while the stack runs: state, locks, chosen ports."""
        return self.state / "run"

    @property
    def spec(self) -> Path:
        """What the manager was asked to run."""
        return self.run / "spec.json"

    @property
    def state_file(self) -> Path:
        """What the manager reports."""
        return self.run / "state.json"

    @property
    def ports_file(self) -> Path:
        """The ports chosen at the last start."""
        return self.run / "ports.json"

    @property
    def up_lock(self) -> Path:
        """Held by the one `airfoil up` or `down` that is at work."""
        return self.run / "up.lock"

    @property
    def manager_lock(self) -> Path:
        """Held by the manager as long as it lives."""
        return self.run / "manager.lock"

    @property
    def manager_pid(self) -> Path:
        """The manager's process id, for systemd."""
        return self.run / "manager.pid"

    @property
    def work(self) -> Path:
        """Intermediate data of runs."""
        return self.state / "work"

    @property
    def packages_file(self) -> Path:
        """What we have installed for this project."""
        return self.state / "packages.json"

    @property
    def environments(self) -> Path:
        """Virtualenvs apart from the platform, one folder each."""
        return self.state / "environments"

    def environment_python(self, name: str) -> Path:
        """Return the interpreter of such a virtualenv."""
        return self.environments / name / "bin" / "python"

    def folders(self) -> tuple[Path, ...]:
        """Return every folder that `prepare` makes, parents first."""
        return (
            self.state,
            self.run,
            self.logs,
            self.task_logs,
            self.airflow_home,
            self.mlflow_home,
            self.artifacts,
            self.work,
        )

    def foreign_owner(self) -> tuple[Path, int] | None:
        """Return the first of our folders and files that belongs to another user, with that user's id."""
        me = os.geteuid()
        secret = (self.secrets, self.passwords, self.metrics_token)
        for path in (
            *self.folders(),
            *secret,
            self.airflow_database,
            self.mlflow_database,
            self.state_file,
        ):
            try:
                owner = path.stat().st_uid
            except OSError:
                continue
            if owner != me:
                return path, owner
        return None

    def prepare(self) -> None:
        """Make the private folders and prove that they can be written to.

        Says in one sentence what stands in the way: a read-only or full disk, a file in place of a folder, or
        folders of another user (made by root, say). Safe to call again and again.
        """
        if not self.root.is_dir():
            what = "is not a folder" if os.path.lexists(self.root) else "does not exist"
            raise ProjectError(f"The project {self.root} {what}.", "Make a project: `airfoil init DIR`.")
        refuse_letters(self.root)
        foreign = self.foreign_owner()
        if foreign is not None:
            _, owner = foreign
            raise belongs_to_another(self.state, owner)
        for folder in self.folders():
            make_private_folder(folder)
        for folder in (self.state, self.run, self.airflow_home):
            remove_abandoned(folder)
        probe = self.run / f".probe.{os.getpid()}.tmp"
        try:
            write_private(probe, "\0" * _PROBE_BYTES)
        except StorageError as error:
            raise StorageError(error.message.replace(str(probe), str(self.state)), error.next_move) from error
        finally:
            with contextlib.suppress(OSError):  # a read-only disk refuses even to remove what is not there
                probe.unlink()
