"""Which port each service listens on: the wished one, or the next free one, and the same again at the next start.

`choose` is pure; `Ports` joins it with the file that remembers, real sockets and claims that keep two projects apart
which start at the same moment. Must not know what listens on a port, and must not import pydantic or Airflow.
"""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.errors import ConfigurationError, PortTakenError
from airfoil.stack.port_claims import PortClaims
from airfoil.stack.port_probe import blocked_by, explain_taken, owned_by_stack
from airfoil.stack.storage import write_private

if TYPE_CHECKING:
    from pathlib import Path

    from airfoil.settings import Settings
    from airfoil.stack.project import Project

LAST_PORT = 65535
# How far a default may move; so many busy neighbours deserve a word to the machine's owner.
SEARCH_WIDTH = 200

IsFree = Callable[[str, int], bool]
Explain = Callable[[str, int], str]


@dataclass(frozen=True)
class PortWish:
    """Where a service would like to listen; `user_set` forbids to move it."""

    host: str
    port: int
    user_set: bool


def wishes_of(settings: Settings) -> dict[str, PortWish]:
    """Return what the settings wish for those of `airflow`, `mlflow`, `page` and `feast` that are started here."""
    airflow, mlflow, page, feast = settings.airflow, settings.mlflow, settings.page, settings.feast
    wishes = {"page": PortWish(page.host, page.port, user_set=settings.user_set("page.port"))}
    if feast.server:
        wishes["feast"] = PortWish(feast.host, feast.port, user_set=settings.user_set("feast.port"))
    if not mlflow.url:
        user_set = settings.user_set("mlflow.port")
        wishes = {"mlflow": PortWish(mlflow.host, mlflow.port, user_set), **wishes}
    if not airflow.url:
        user_set = settings.user_set("airflow.port")
        wishes = {"airflow": PortWish(airflow.host, airflow.port, user_set), **wishes}
    return wishes


def choose(
    wanted: Mapping[str, PortWish],
    remembered: Mapping[str, int],
    is_free: IsFree,
    explain: Explain = lambda _host, _port: "is in use",
) -> dict[str, int]:
    """Return a port for each service: what the user set, else what it had last time, else the next free one.

    A service never moves onto the port that another one wishes, so one busy port moves one service only.
    """
    chosen: dict[str, int] = {}
    for name, wish in wanted.items():
        if wish.user_set:
            _refuse_twin(name, wish, chosen)
            if not is_free(wish.host, wish.port):
                raise PortTakenError(
                    f"Port {wish.port}, which you set for {name}, {explain(wish.host, wish.port)}.",
                    f"Stop that program, or set another port as {name}.port in airfoil.toml.",
                )
            chosen[name] = wish.port
    for name, wish in wanted.items():
        if name in chosen:
            continue
        avoided = {other.port for other_name, other in wanted.items() if other_name != name}
        for port in _candidates(wish, remembered.get(name), avoided | set(chosen.values())):
            if is_free(wish.host, port):
                chosen[name] = port
                break
        else:
            raise PortTakenError(
                f"No port from {wish.port} upwards can be opened on {wish.host} for {name}: "
                f"{wish.port} {explain(wish.host, wish.port)}.",
                f"Set a free port as {name}.port in airfoil.toml.",
            )
    return {name: chosen[name] for name in wanted}


def _refuse_twin(name: str, wish: PortWish, chosen: Mapping[str, int]) -> None:
    """Refuse one port for two services that the user set both."""
    for other, port in chosen.items():
        if port == wish.port:
            raise ConfigurationError(
                f"{other} and {name} are both set to port {port}.",
                f"Set another port as {name}.port in airfoil.toml.",
            )


def _candidates(wish: PortWish, remembered: int | None, avoided: set[int]) -> Iterator[int]:
    """Yield the remembered port, then the default and those after it."""
    last = min(wish.port + SEARCH_WIDTH - 1, LAST_PORT)
    search = range(wish.port, last + 1)
    for port in search if remembered is None else (remembered, *search):
        if port not in avoided:
            yield port


class Ports:
    """The ports of one project: remembered in its ports file, claimed on this machine while it starts."""

    def __init__(self, project: Project, claims_folder: Path | None = None) -> None:
        self._path = project.ports_file
        self._claims_folder = claims_folder

    def remembered(self) -> dict[str, int]:
        """Return where defaults were at the last start; a damaged file remembers nothing."""
        try:
            known = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError, RecursionError):
            return {}
        if not isinstance(known, dict):
            return {}
        return {
            name: port
            for name, port in known.items()
            if isinstance(port, int) and not isinstance(port, bool) and 0 < port <= LAST_PORT
        }

    @contextlib.contextmanager
    def settle(self, wanted: Mapping[str, PortWish], stack_id: str = "") -> Iterator[dict[str, int]]:
        """Choose and remember the ports; inside the `with` block no other start can choose the same.

        Leave the block when the services listen. A port that a process of `stack_id` holds counts as free.
        """
        claims = PortClaims(self._claims_folder)

        def is_free(host: str, port: int) -> bool:
            # Claim before probing: the probe of another start would look like a server.
            if not claims.take(port):
                return False
            if blocked_by(host, port) is None or owned_by_stack(port, stack_id):
                return True
            claims.give_back(port)
            return False

        try:
            chosen = choose(wanted, self.remembered(), is_free, explain_taken)
            self._remember({name: port for name, port in chosen.items() if not wanted[name].user_set})
            yield chosen
        finally:
            claims.release()

    def _remember(self, defaults: Mapping[str, int]) -> None:
        """Keep where defaults are now; what the user set stands in the settings and needs no memory."""
        known = self.remembered()
        if known != (updated := {**known, **defaults}):
            write_private(self._path, json.dumps(updated, indent=2) + "\n")
