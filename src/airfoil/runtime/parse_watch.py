"""Watches one parse: refuses network and databases, answers for connections and Variables, times imports.

Everything is noted with the line of the user's own code that led to it. Meant for a process of its own: an audit hook
cannot be taken away again, so a watch that is over only looks away.
"""

from __future__ import annotations

import builtins
import os
import sys
from typing import TYPE_CHECKING, Any, Self

from airfoil.runtime.own_time import own_seconds

if TYPE_CHECKING:
    from collections.abc import Callable
    from types import FrameType

CONNECTION, VARIABLE, NETWORK, DATABASE, PROCESS, FILE = (
    "connection",
    "variable",
    "network",
    "database",
    "process",
    "file",
)
EVENTS = {
    "socket.connect": NETWORK,
    "socket.getaddrinfo": NETWORK,
    "socket.gethostbyname": NETWORK,
    "socket.gethostbyaddr": NETWORK,
    "socket.sendto": NETWORK,
    "urllib.Request": NETWORK,
    "sqlite3.connect": DATABASE,
    "subprocess.Popen": PROCESS,
    "os.system": PROCESS,
    "os.posix_spawn": PROCESS,
    "os.exec": PROCESS,
    "os.mkdir": FILE,
    "os.remove": FILE,
    "os.rename": FILE,
    "os.rmdir": FILE,
    "shutil.rmtree": FILE,
}
REFUSED = {NETWORK, DATABASE, PROCESS}
LEAST_IMPORT_SECONDS = 0.1
_WRITES = os.O_WRONLY | os.O_RDWR | os.O_CREAT | os.O_TRUNC | os.O_APPEND


class NotWhileParsedError(OSError):
    """What a DAG file gets when it reaches outside while it is parsed."""


class ParseWatch:
    """A block under watch."""

    def __init__(self, file: str, roots: tuple[str, ...]) -> None:
        self.asked: list[dict[str, Any]] = []
        self._file = file
        self._folders = tuple(f"{root.rstrip(os.sep)}{os.sep}" for root in roots)
        self._imports: list[dict[str, Any]] = []
        self._depth = 0
        self._active = False
        self._import = builtins.__import__
        self._kept: list[tuple[Any, str, Any]] = []

    def __enter__(self) -> Self:
        sys.addaudithook(self._hear)
        builtins.__import__ = self._timed_import
        self._answer_for_airflow()
        self._active = True
        return self

    def __exit__(self, *_: object) -> None:
        self._active = False
        builtins.__import__ = self._import
        for owner, name, value in reversed(self._kept):
            setattr(owner, name, value)

    def slowest(self) -> dict[str, Any] | None:
        """Give the user's import statement that took longest by itself, if any took long."""
        best: dict[str, Any] | None = None
        for one in self._imports:
            own = one["seconds"] - one["below"]
            if own >= LEAST_IMPORT_SECONDS and (best is None or own > best["seconds"]):
                best = {
                    "module": one["module"],
                    "file": one["file"],
                    "line": one["line"],
                    "seconds": round(own, 2),
                }
        return best

    # -- who asked ------------------------------------------------------------------------------------------------

    def _mine(self, name: str) -> bool:
        return name == self._file or name.startswith(self._folders)

    def _place(self) -> tuple[str, int] | None:
        """Give the innermost line of the user's own code that is being run."""
        frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - the only way to ask who is calling
        while frame is not None:
            if self._mine(frame.f_code.co_filename):
                return frame.f_code.co_filename, frame.f_lineno
            frame = frame.f_back
        return None

    def _note(self, kind: str, what: str) -> bool:
        place = self._place()
        if place is not None:
            row = {"kind": kind, "what": what, "file": place[0], "line": place[1]}
            if row not in self.asked:
                self.asked.append(row)
        return place is not None

    # -- sockets, databases, processes, files -----------------------------------------------------------------------

    def _hear(self, event: str, arguments: tuple[Any, ...]) -> None:
        if not self._active:
            return
        kind = EVENTS.get(event)
        if event == "open" and isinstance(arguments[2], int) and arguments[2] & _WRITES:
            kind = None if str(arguments[0]).endswith(".pyc") or "__pycache__" in str(arguments[0]) else FILE
            if arguments[0] == os.devnull or not isinstance(arguments[0], str | bytes | os.PathLike):
                return
        if kind is None or (kind == FILE and self._importing_bytecode()):
            return
        if self._note(kind, event) and kind in REFUSED:
            raise NotWhileParsedError(f"{kind} is closed while a DAG file is parsed")

    @staticmethod
    def _importing_bytecode() -> bool:
        frame: FrameType | None = sys._getframe(2)  # noqa: SLF001 - as above
        return frame is not None and frame.f_code.co_filename.startswith("<frozen importlib")

    # -- imports ----------------------------------------------------------------------------------------------------

    def _timed_import(self, name: str, *arguments: Any, **named: Any) -> Any:
        given = arguments[0] if arguments else named.get("globals")
        file = str((given or {}).get("__file__", ""))
        if not self._active or not self._mine(file):
            return self._import(name, *arguments, **named)
        row = {"module": name, "file": file, "line": sys._getframe(1).f_lineno, "seconds": 0.0, "below": 0.0}  # noqa: SLF001 - as above
        before = len(self._imports)
        self._imports.append(row)
        began = own_seconds()
        self._depth += 1
        try:
            return self._import(name, *arguments, **named)
        finally:
            self._depth -= 1
            row["seconds"] = own_seconds() - began
            row["below"] = sum(
                one["seconds"] for one in self._imports[before + 1 :] if one.get("depth") == self._depth + 1
            )
            row["depth"] = self._depth

    # -- connections and Variables ------------------------------------------------------------------------------------

    def _answer_for_airflow(self) -> None:
        """Answer without asking anybody, so that the file is parsed to its end and all its faults are found."""
        import airflow.sdk
        from airflow.models import connection as connections
        from airflow.models import variable as variables

        def connection(what: str) -> Callable[..., Any]:
            def answer(conn_id: str = "", *_: Any, **__: Any) -> Any:
                self._note(CONNECTION, what)
                return airflow.sdk.Connection(
                    conn_id=conn_id or "none", conn_type="generic", host="localhost"
                )

            return answer

        def variable(_key: str = "", *given: Any, deserialize_json: bool = False, **named: Any) -> Any:
            self._note(VARIABLE, "Variable.get")
            for name in ("default", "default_var"):
                if name in named:
                    return named[name]
            return given[0] if given else {} if deserialize_json else ""

        self._replace(airflow.sdk.Connection, "get", connection("Connection.get"))
        self._replace(airflow.sdk.BaseHook, "get_connection", connection("BaseHook.get_connection"))
        self._replace(connections.Connection, "get_connection_from_secrets", connection("Connection.get"))
        self._replace(airflow.sdk.Variable, "get", variable)
        self._replace(variables.Variable, "get", variable)

    def _replace(self, owner: Any, name: str, answer: Callable[..., Any]) -> None:
        self._kept.append((owner, name, owner.__dict__[name]))
        setattr(owner, name, staticmethod(answer))
