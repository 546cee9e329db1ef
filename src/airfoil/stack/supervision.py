"""What to do when something happens to a service. Pure: events and the time in, actions out; no process is touched.

The manager tells this module what it saw (started, ended, probed, time passed) and carries out what it answers, so
that every rule of restarting, patience and giving up can be tested with written histories.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from airfoil.stack.service import EXIT_CONFIGURATION, EXIT_UNAVAILABLE
from airfoil.stack.watched import Rules, Watched

if TYPE_CHECKING:
    from collections.abc import Iterable

    from airfoil.stack.service import Service
    from airfoil.stack.state import Phase, ServiceCondition

ActionKind = Literal["start", "terminate", "kill", "sweep"]
RUNNING: frozenset[ServiceCondition] = frozenset({"starting", "ready", "unhealthy"})
SETTLED: frozenset[ServiceCondition] = frozenset({"ready", "done", "failed"})
OUT_OF_MEMORY = "as the system does when memory runs out"
_KILLED = -9


@dataclass(frozen=True)
class Action:
    """One thing for the manager to do."""

    kind: ActionKind
    name: str


@dataclass
class Supervisor:
    """Decides for the whole table."""

    watched: dict[str, Watched]
    rules: Rules = field(default_factory=Rules)
    stopping: bool = False

    @classmethod
    def of(cls, services: Iterable[Service], now: float, rules: Rules | None = None) -> Supervisor:
        """Begin with everything waiting."""
        return cls({row.name: Watched(row, since=now) for row in services}, rules or Rules())

    # -- events ---------------------------------------------------------------------------------------------------

    def started(self, name: str, pid: int, pid_started: float | None, now: float) -> list[Action]:
        """A process now runs for this service."""
        one = self.watched[name]
        one.pid, one.pid_started, one.misses, one.detail, one.killed_for = pid, pid_started, 0, "", ""
        self._enter(one, "starting", now)
        return [Action("terminate", name)] if self.stopping else []

    def refused(self, name: str, reason: str, now: float) -> list[Action]:
        """It could not even be started."""
        one = self.watched[name]
        one.pid = one.pid_started = None
        return self._died(one, reason, now)

    def ended(self, name: str, code: int | None, evidence: str, now: float) -> list[Action]:
        """Its process is gone; code is None when nobody could collect it, evidence a line of its log."""
        one = self.watched[name]
        one.pid = one.pid_started = None
        if one.state == "stopping" or self.stopping:
            self._enter(one, "waiting" if one.wished and not self.stopping else "stopped", now)
            one.wished = False
            one.detail = ""
            return [Action("sweep", name)]
        if one.service.kind == "job" and code == 0:
            one.detail = ""
            self._enter(one, "done", now)
            return []
        why = _how(code, evidence)
        if code == _KILLED and not evidence and not one.killed_for:
            why += f", {OUT_OF_MEMORY}"
        final = code == EXIT_CONFIGURATION  # trying again changes nothing before a person has
        return [Action("sweep", name), *self._died(one, why, now, final=final)]

    def unsupported(self, name: str, now: float) -> list[Action]:
        """Its self-test says this release is unknown: use the plain command from now on, at once."""
        one = self.watched[name]
        one.pid = one.pid_started = None
        if one.plain or not one.service.fallback_argv:
            return self._died(one, "its self-test failed and there is no plain command to fall back to", now)
        one.plain = True
        self._enter(one, "waiting", now)
        return []

    def probed(self, name: str, healthy: bool, detail: str, now: float) -> list[Action]:  # noqa: FBT001 - the verdict
        """What it said of itself."""
        one = self.watched[name]
        if one.state not in RUNNING:
            return []
        if healthy:
            one.misses = 0
            if one.state != "ready":
                one.detail = ""
                self._enter(one, "ready", now)
            return []
        if one.state == "starting":
            one.detail = detail
            return []
        one.misses += 1
        if one.state == "ready" and one.misses >= self.rules.misses_until_unhealthy:
            one.detail = detail
            self._enter(one, "unhealthy", now)
        return []

    def tick(self, now: float) -> list[Action]:
        """Time has passed: start what may start, end what hangs."""
        found: list[Action] = []
        for one in self.watched.values():
            if one.state == "ready" and one.deaths and now - one.since > self.rules.healthy_seconds:
                one.deaths = one.hangs = 0
            if one.state == "starting" and now - one.since > one.service.start_timeout_seconds:
                found.append(self._kill(one, f"not ready after {one.service.start_timeout_seconds:.0f} s"))
            elif one.state == "unhealthy" and now - one.since > self.rules.hung_seconds:
                found.append(self._kill(one, f"unhealthy for {self.rules.hung_seconds:.0f} s"))
            elif one.state == "stopping" and now > one.stop_deadline:
                one.stop_deadline = now + 5
                found.append(Action("kill", one.service.name))
            elif not self.stopping and one.state in {"waiting", "restarting"} and self._may_start(one, now):
                found.append(Action("start", one.service.name))
        return found

    def stop(self, names: Iterable[str], now: float) -> list[Action]:
        """End these services; the manager waits for them and then asks for the next wave."""
        self.stopping = True
        found = []
        for name in names:
            one = self.watched[name]
            if one.pid is None:
                if one.state not in {"done", "failed"}:
                    one.detail = ""
                    self._enter(one, "stopped", now)
            elif one.state != "stopping":
                one.stop_deadline = now + one.service.stop_timeout_seconds
                self._enter(one, "stopping", now)
                found.append(Action("terminate", name))
        return found

    def restart(self, name: str, now: float) -> list[Action]:
        """End one service in its own way and start it again; one that was given up is tried anew."""
        one = self.watched[name]
        if self.stopping or one.service.kind != "service" or one.state == "stopping":
            return []
        one.deaths, one.next_start = 0, now
        if one.pid is None:
            if one.state in {"failed", "restarting"}:
                one.detail = ""
                self._enter(one, "waiting", now)
            return []
        one.wished = True
        one.stop_deadline = now + one.service.stop_timeout_seconds
        self._enter(one, "stopping", now)
        return [Action("terminate", name)]

    # -- verdicts -------------------------------------------------------------------------------------------------

    def phase(self, *, ready_before: bool) -> Phase:
        """One word for the whole stack."""
        states = [one.state for one in self.watched.values()]
        if self.stopping:
            return (
                "stopped" if all(state in {"stopped", "done", "failed"} for state in states) else "stopping"
            )
        if any(state == "failed" for state in states):
            return "failed"
        if all(state in {"ready", "done"} for state in states):
            return "ready"
        return "degraded" if ready_before else "starting"

    # -- inside ---------------------------------------------------------------------------------------------------

    def _enter(self, one: Watched, state: ServiceCondition, now: float) -> None:
        one.state, one.since = state, now

    def _kill(self, one: Watched, why: str) -> Action:
        if not one.killed_for:
            one.killed_for = one.detail = f"{why}: {one.detail or 'no answer'}"
        return Action("kill", one.service.name)

    def _died(self, one: Watched, why: str, now: float, *, final: bool = False) -> list[Action]:
        hung = one.state == "starting" and bool(one.killed_for)
        one.detail, one.killed_for = f"{one.killed_for}; {why}" if one.killed_for else why, ""
        one.deaths += 1
        one.hangs += hung
        final = final or one.service.kind == "job"
        if (
            final
            or one.deaths >= self.rules.give_up_after
            or (hung and one.hangs >= self.rules.give_up_after_hangs)
        ):
            if not final:
                one.detail = f"gave up after {one.deaths} tries: {one.detail}"
            self._enter(one, "failed", now)
            return []
        one.restarts += 1
        one.next_start = now + min(
            self.rules.longest_delay_seconds, self.rules.first_delay_seconds * 4 ** (one.deaths - 1)
        )
        self._enter(one, "restarting", now)
        return []

    def _may_start(self, one: Watched, now: float) -> bool:
        if now < one.next_start:
            return False
        for need in one.service.needs:
            other = self.watched[need]
            if other.state not in {"ready", "done"}:
                return False
        if one.service.stage and not one.plain:
            parent = self.watched.get("preload")
            return parent is not None and parent.state == "ready"
        return True


def _how(code: int | None, evidence: str) -> str:
    if code in {EXIT_CONFIGURATION, EXIT_UNAVAILABLE} and evidence:
        return evidence  # a whole sentence of our own
    if code is None:
        how = "it ended"
    elif code < 0:
        import signal

        try:
            how = f"it was ended by {signal.Signals(-code).name}"
        except ValueError:
            how = f"it was ended by signal {-code}"
    else:
        how = f"it ended with exit code {code}"
    return f"{how}: {evidence}" if evidence else how
