"""One watched service and how patient we are with it: plain values that `supervision` decides upon."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from airfoil.stack.state import ServiceState

if TYPE_CHECKING:
    from airfoil.stack.service import Service
    from airfoil.stack.state import ServiceCondition


@dataclass(frozen=True)
class Rules:
    """How patient we are; figures in seconds."""

    first_delay_seconds: float = 0.1
    longest_delay_seconds: float = 30.0
    give_up_after: int = 5
    """Deaths without a healthy minute between them."""
    give_up_after_hangs: int = 2
    """Starts that used up their whole time-out: more of the same helps nobody, and each costs minutes."""
    healthy_seconds: float = 60.0
    misses_until_unhealthy: int = 3
    hung_seconds: float = 180.0


@dataclass
class Watched:
    """One service and what is known of it."""

    service: Service
    state: ServiceCondition = "waiting"
    since: float = 0.0
    pid: int | None = None
    pid_started: float | None = None
    restarts: int = 0
    deaths: int = 0
    """Since it was last healthy for a while."""
    hangs: int = 0
    """Of these deaths: ends of starts that took too long."""
    misses: int = 0
    next_start: float = 0.0
    stop_deadline: float = 0.0
    detail: str = ""
    killed_for: str = ""
    """Why we are ending it: a process that did not end by itself must not be reported as if it had."""
    wished: bool = False
    """A person asked for a restart: it ends in order to begin again."""
    plain: bool = False
    """The plain command replaces the one whose self-test failed."""

    def report(self) -> ServiceState:
        """What everybody else may know."""
        return ServiceState(
            name=self.service.name,
            title=self.service.title,
            kind=self.service.kind,
            state=self.state,
            since=self.since,
            pid=self.pid,
            pid_started=self.pid_started,
            restarts=self.restarts,
            detail=self.detail,
            url=self.service.url or None,
            port=self.service.port,
            version=self.service.version or None,
            memory_budget_mib=self.service.memory_budget_mib,
            log=self.service.log,
        )
