"""The live display of `up` and `down`: one line per service on a terminal, one line per change elsewhere.

Deciding what to say (`changes`, `rows`) is pure; `Progress` draws it.
"""

from __future__ import annotations

import time
from typing import TYPE_CHECKING, Any, Self

from airfoil.cli import console

if TYPE_CHECKING:
    from collections.abc import Callable

    from rich.live import Live

    from airfoil.stack.state import ServiceState, StackState

REDRAWS_PER_SECOND = 8
NAME_WIDTH = 14
STATE_WIDTH = 10
QUIET_STATES = frozenset({"waiting"})
SETTLED_STATES = frozenset({"ready", "done", "stopped"})
EXPECTED_STATES = SETTLED_STATES | {"waiting", "starting", "stopping"}
# A service that starts for longer than this should say on a live display what it waits for.
SLOW_SECONDS = 15.0
IDLE_PHASES = frozenset({"ready", "stopped"})


def changes(before: StackState | None, now: StackState, began: float) -> list[str]:
    """Say which services changed state (or the reason for it), in the table's order."""
    lines = []
    for service in now.services:
        old = before.service(service.name) if before else None
        same = old is not None and (old.state, _reason(old)) == (service.state, _reason(service))
        if same or service.state in QUIET_STATES or (old is None and _settled_before(service, began)):
            continue
        lines.append(_change_line(service, began))
    return lines


def rows(now: StackState, began: float, clock: float) -> list[tuple[str, str, str, str]]:
    """Give mark, name, state and seconds (with the reason, when something is wrong) of each service."""
    return [
        (console.mark(service.state), service.name, service.state, _time_text(service, began, clock))
        for service in now.services
    ]


def _change_line(service: ServiceState, began: float) -> str:
    seconds = max(service.since - began, 0.0)
    text = (
        f"{seconds:6.1f} s  {service.name:<{NAME_WIDTH}} {service.state:<{STATE_WIDTH}}  {_reason(service)}"
    )
    return text.rstrip()


def _reason(service: ServiceState) -> str:
    """Say why, where a state needs a reason: that nothing answers yet is what starting means."""
    return "" if service.state in EXPECTED_STATES else service.detail


def _time_text(service: ServiceState, began: float, clock: float) -> str:
    if service.state in QUIET_STATES or _settled_before(service, began):
        return ""
    end = service.since if service.state in SETTLED_STATES else clock
    start = began if service.state in SETTLED_STATES else service.since
    slow = service.state not in SETTLED_STATES and end - start > SLOW_SECONDS
    detail = service.detail if slow else _reason(service)
    return f"{max(end - start, 0.0):.1f} s  {detail}".rstrip()


def _settled_before(service: ServiceState, began: float) -> bool:
    return service.state in SETTLED_STATES and service.since < began


class Progress:
    """Shows the states it is called with; silent while there is nothing to wait for."""

    def __init__(
        self, idle_phase: str, *, clock: Callable[[], float] = time.time, terminal: bool | None = None
    ) -> None:
        """`idle_phase` is the phase before which nothing has to be shown (a stack that is ready already)."""
        self._idle_phase = idle_phase
        self._clock = clock
        self._terminal = console.is_terminal() if terminal is None else terminal
        self._state: StackState | None = None
        self._live: Live | None = None
        self.began = clock()

    @property
    def seconds(self) -> float:
        """How long this display has been watching."""
        return self._clock() - self.began

    @property
    def has_shown(self) -> bool:
        """Whether there was anything to wait for."""
        return self._state is not None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        if self._live is not None:
            self._live.stop()

    def __call__(self, state: StackState) -> None:
        """Take note of a new state."""
        # The file may still hold the end of an earlier life until the manager has written its first state.
        if self._state is None and state.phase in IDLE_PHASES and state.updated_at < self.began:
            return
        if self._state is None and state.phase == self._idle_phase:
            return
        before, self._state = self._state, state
        if not self._terminal:
            for line in changes(before, state, self.began):
                console.out(line)
        elif self._live is None:
            self._live = self._start()

    def _start(self) -> Live:
        from rich.live import Live

        live = Live(
            get_renderable=self._render,
            console=console.rich_console(),
            refresh_per_second=REDRAWS_PER_SECOND,
            transient=False,
        )
        live.start()
        return live

    def _render(self) -> Any:
        from rich.table import Table
        from rich.text import Text

        table = Table.grid(padding=(0, 2, 0, 0))
        if self._state is not None:
            for sign, name, state, seconds in rows(self._state, self.began, self._clock()):
                style = console.STATE_STYLES.get(state, "dim")
                table.add_row(Text(sign, style), Text(name), Text(state, style), Text(seconds, "dim"))
        return table
