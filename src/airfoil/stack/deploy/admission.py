"""Lets a worker on another host into a server, or out of it: the list, the switch, and the file for that host.

Works on a folder that `airfoil deploy compose` has written. Must not start anything, and must not know what the file
says.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError
from airfoil.stack.deploy import authority, compose, env_file, owned_files, remote_workers

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from pathlib import Path

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

_LOOPBACK = ("localhost", "127.")


@dataclass(frozen=True)
class Admitted:
    """What was written for a worker, and whether the server has to be told."""

    file: Path
    url: str
    image: str
    queues: tuple[str, ...]
    is_first: bool
    """Whether workers on other hosts are let in by this."""
    changes_alerts: bool
    """Whether the server's files tell people of runs in another way than before: the shell says something else."""


def admit(
    project: Project,
    settings: Settings,
    target: Path,
    environ: Mapping[str, str],
    *,
    name: str,
    queues: Sequence[str] = (),
    concurrency: int = 4,
    days: int = remote_workers.DAYS,
) -> Admitted:
    """Put a worker on the server's list, and write the file for its host."""
    before = _spoken(target)
    _refuse_unreachable(before["AIRFOIL_HOST"])
    certificate = _authority(target, before)
    served = tuple(one.strip() for one in before.get("EDGE_QUEUES", "edge").split(",") if one.strip())
    for queue in queues:
        if queue not in served:
            raise ConfigurationError(
                f'The queue "{queue}" is not one of those that workers on other hosts serve.',
                f"Add it to EDGE_QUEUES in {target / env_file.NAME}; there now: {', '.join(served)}.",
            )
    worker = remote_workers.Worker(name, tuple(queues) or served, concurrency, days)
    remote_workers.check(worker)
    # Nothing is written before all of it is known to be right: a switch that is on alone opens a door to nobody.
    rendering = compose.rendered(
        project, settings, target, environ, changed={remote_workers.SWITCH: remote_workers.ON}
    )
    given = env_file.spoken_values(rendering.private[env_file.NAME])
    number = remote_workers.new_number()
    text = remote_workers.compose_file(
        worker, remote_workers.token(worker, number, given), given, certificate
    )
    admitted = remote_workers.admitted(_list(target), worker, number)
    alerting = _alerting(target)
    compose.write(rendering, target)
    file = target / remote_workers.file_name(worker)
    owned_files.put_private(file, text)
    _write_list(target, admitted)
    image = given["AIRFLOW_IMAGE"] or f"airfoil/airflow:{given['AIRFOIL_TAG']}"
    return Admitted(
        file,
        given["AIRFOIL_URL"],
        image,
        worker.queues,
        is_first=not before.get("EDGE_EXECUTOR"),
        changes_alerts=_alerting(target) != alerting,
    )


def dismiss(target: Path, name: str) -> None:
    """Take a worker off the list: its token is refused from now on."""
    _write_list(target, remote_workers.dismissed(_list(target), name))
    (target / remote_workers.file_name(remote_workers.Worker(name, ()))).unlink(missing_ok=True)


def _spoken(target: Path) -> dict[str, str]:
    file = target / env_file.NAME
    if not file.is_file():
        raise ConfigurationError(
            f"There is no server in {target}.", "`airfoil deploy compose` writes its files."
        )
    return env_file.spoken_values(file.read_text(encoding="utf-8"))


def _alerting(target: Path) -> list[object]:
    """Return the connections by which people hear of runs, as setup.json has them; install.sh looks, too."""
    file = target / compose.SETUP
    found = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
    connections = found.get("connections", {})
    return [connections.get(name) for name in ("smtp_default", "alerts_webhook")]


def _refuse_unreachable(host: str) -> None:
    if host.startswith(_LOOPBACK):
        raise ConfigurationError(
            f"Another host cannot reach {host}, which is the name of this server.",
            "Set AIRFOIL_HOST in .env to a name that both know, and start the server again.",
        )


def _authority(target: Path, given: Mapping[str, str]) -> str:
    file = authority.place(target, given)
    if file is None:
        return ""
    if file.is_file():
        return file.read_text(encoding="utf-8")
    if given["AIRFOIL_TLS"] == authority.INTERNAL:
        raise ConfigurationError(
            f"There is no {file}, by which another host knows this server.",
            "Start the server once with `sh install.sh`, which writes it.",
        )
    return ""


def _list(target: Path) -> str:
    file = target / remote_workers.FOLDER / remote_workers.LIST
    return file.read_text(encoding="utf-8") if file.is_file() else ""


def _write_list(target: Path, text: str) -> None:
    owned_files.put_shared(target / remote_workers.FOLDER / remote_workers.LIST, text)
