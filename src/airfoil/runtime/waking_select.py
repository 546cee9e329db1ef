"""A select() that ends as soon as a child does.

Airflow's task supervisor waits for its task's sockets and looks for its exit only when something happens on them.
Now and then the sockets close a moment before the exit can be seen, and it sleeps a whole heartbeat interval (5 s) with
its slot taken; a triggerer that is told to stop sleeps ten. Python restarts an interrupted wait unless the signal's
handler raises.
"""

from __future__ import annotations

import selectors
import signal
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from types import FrameType

_plain = selectors.DefaultSelector.select


def install() -> None:
    """From now on the end of a child ends this process's waits."""
    setattr(selectors.DefaultSelector, "select", _select)  # noqa: B010 - mypy takes the plain way for a mistake
    signal.signal(signal.SIGCHLD, wake)


def uninstall() -> None:
    """Give this process Python's own waits back: what runs a user's code has handlers of nobody's."""
    setattr(selectors.DefaultSelector, "select", _plain)  # noqa: B010 - as above
    signal.signal(signal.SIGCHLD, signal.SIG_DFL)


def wake(_number: int, frame: FrameType | None) -> None:
    """Interrupt a select(), and no other code: only its caller is ready for that."""
    if frame is not None and frame.f_code is _plain.__code__ and _is_called_by_ours(frame):
        raise InterruptedError


def _is_called_by_ours(frame: FrameType) -> bool:
    return frame.f_back is not None and frame.f_back.f_code is _select.__code__


def _select(self: selectors.DefaultSelector, timeout: float | None = None) -> Any:
    """Wait as Python does. Its own `except InterruptedError` covers the wait alone, not the lines around it."""
    try:
        return _plain(self, timeout)
    except InterruptedError:
        return []  # what was ready meanwhile is still ready at the next look
