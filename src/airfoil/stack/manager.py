"""The process that keeps the stack running: starts, watches, restarts, stops, and writes down what it sees.

One thread decides; probes run in a helper thread and report through a queue. Every rule stands in `supervision`, every
touch of a process in `process`; this module carries events one way and actions the other. It may be killed at any
moment: services run on, and the next manager takes them over from the state file.
"""

from __future__ import annotations

import argparse
import contextlib
import fcntl
import os
import selectors
import signal
import socket
import subprocess
import sys
import time
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from airfoil.stack import logs, plan, process, restart_requests
from airfoil.stack import state as states
from airfoil.stack.preload import PreloadedParent
from airfoil.stack.probing import Prober
from airfoil.stack.project import Project
from airfoil.stack.service import EXIT_UNSUPPORTED, Spec
from airfoil.stack.supervision import Action, Supervisor

if TYPE_CHECKING:
    from airfoil.stack.service import Service

EXIT_LOCKED = 75
QUICK_SECONDS = 0.1
CALM_SECONDS = 1.0
LOG_CHECK_SECONDS = 30.0


class Manager:
    """Runs one specification until told to stop."""

    def __init__(self, spec: Spec, project: Project) -> None:
        self.spec = spec
        self.project = project
        now = time.time()
        self.supervisor = Supervisor.of(spec.services, now)
        self.parent: PreloadedParent | None = None
        self.notices = list(spec.notices)
        self.began = now
        self.ready_at: float | None = None
        self._exits: dict[int, int] = {}
        self._children: dict[int, subprocess.Popen[bytes]] = {}
        self._next_log_check = 0.0
        self._sweep_due = False
        self._log_sizes: dict[str, int] = {}
        self._written: states.StackState | None = None
        self._mute = ""
        self._waves: list[list[str]] = []
        self._selector = selectors.DefaultSelector()
        self._wake, self._woken = socket.socketpair()
        self._prober = Prober(self._wake)
        self._identity = (os.getpid(), process.birth(os.getpid()) or 0.0)

    # -- life -----------------------------------------------------------------------------------------------------

    def run(self) -> int:
        """Until stopped; the exit code."""
        process.adopt_orphans()
        for end in (self._wake, self._woken):
            end.setblocking(False)
        signal.set_wakeup_fd(self._wake.fileno(), warn_on_full_buffer=False)
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP, signal.SIGCHLD):
            signal.signal(number, lambda *_: None)
        self._selector.register(self._woken, selectors.EVENT_READ)
        self._take_over()
        while True:
            self._collect()
            self._hear_requests()
            self._carry_out(self.supervisor.tick(time.time()))
            self._sweep_if_due()
            if self.supervisor.stopping and self._stopped():
                break
            self._prober.look_if_due(self.supervisor.watched.values(), time.time())
            self._tend_logs()
            self._write()
            self._sleep()
        process.sweep(self.spec.stack_id, [os.getpid()], below=[os.getpid()])
        self._write(force=True)
        return 0

    def _sleep(self) -> None:
        calm = not self.supervisor.stopping and all(
            one.state in {"ready", "done", "failed"} for one in self.supervisor.watched.values()
        )
        for key, _ in self._selector.select(CALM_SECONDS if calm else QUICK_SECONDS):
            if key.fileobj is self._woken:
                with contextlib.suppress(BlockingIOError):
                    numbers = set(self._woken.recv(4096))
                    if (
                        numbers & {signal.SIGTERM, signal.SIGINT, signal.SIGHUP}
                        and not self.supervisor.stopping
                    ):
                        self._begin_stop()

    def _take_over(self) -> None:
        """Adopt what an earlier manager left running; end what belongs to nobody."""
        restart_requests.forget_all(self.project)
        earlier = states.load(self.project.state_file)
        adopted = []
        if earlier is not None and earlier.stack_id == self.spec.stack_id:
            for old in earlier.services:
                known = old.name in self.supervisor.watched and old.name not in {"preload", "setup"}
                if known and process.is_alive(old.pid, old.pid_started):
                    assert old.pid is not None  # noqa: S101 - is_alive said so
                    self.supervisor.started(old.name, old.pid, old.pid_started, time.time())
                    self.supervisor.watched[old.name].restarts = old.restarts
                    adopted.append(old.name)
        if adopted and earlier is not None:
            if earlier.ready_at is not None:
                self.began, self.ready_at = earlier.started_at, earlier.ready_at
            setup = earlier.service("setup")
            if setup is not None and setup.state == "done" and "setup" in self.supervisor.watched:
                self.supervisor.watched["setup"].state = "done"
        self._sweep_due = True

    def _begin_stop(self) -> None:
        table = {
            one.service.name: (*one.service.needs, *one.service.uses)
            for one in self.supervisor.watched.values()
        }
        self._waves = plan.stop_order(table)
        self.supervisor.stopping = True

    def _stopped(self) -> bool:
        """Move through the waves; True when the last is over."""
        watched = self.supervisor.watched
        while self._waves:
            wave = self._waves[0]
            self._carry_out(self.supervisor.stop(wave, time.time()))
            if any(watched[name].state == "stopping" for name in wave):
                return False
            self._waves.pop(0)
        return True

    # -- events ---------------------------------------------------------------------------------------------------

    def _collect(self) -> None:
        process.reap(self._exits.__setitem__)
        if self.parent is not None:
            for answer in self.parent.answers():
                self._answered(answer)
        process.reap(self._exits.__setitem__)
        now = time.time()
        for name, one in self.supervisor.watched.items():
            if one.pid in self._exits or (
                one.pid is not None and not process.is_alive(one.pid, one.pid_started)
            ):
                self._gone(name, self._exits.get(one.pid or 0), now)
        self._forget_exits()
        for name, verdict in self._prober.verdicts():
            self.supervisor.probed(name, verdict.healthy, verdict.detail, now)

    def _forget_exits(self) -> None:
        for pid, code in self._exits.items():
            if child := self._children.pop(pid, None):
                child.returncode = code
        if (
            self.parent is None or not self.parent.asked
        ):  # else one may belong to a child we have yet to be told of
            self._exits.clear()

    def _hear_requests(self) -> None:
        for name in restart_requests.take(self.project, self.supervisor.watched):
            self._say(f"asked to restart {name}")
            self._carry_out(self.supervisor.restart(name, time.time()))

    def _answered(self, answer: dict[str, Any]) -> None:
        now = time.time()
        if name := answer.get("started"):
            pid = int(answer["pid"])
            self._say(f"started {name} ({pid})")
            self._carry_out(self.supervisor.started(name, pid, process.birth(pid) or 0.0, now))
        elif name := answer.get("refused"):
            self.supervisor.refused(name, str(answer.get("reason")), now)

    def _gone(self, name: str, code: int | None, now: float) -> None:
        one = self.supervisor.watched[name]
        if name == "preload":
            self._lose_parent(now)
        may_fall_back = bool(one.service.fallback_argv) and not one.plain
        if code == EXIT_UNSUPPORTED and may_fall_back and not self.supervisor.stopping:
            self.notices.append(
                f"{one.service.title} runs by its plain command: {self._last_word(one.service)}"
            )
            self._carry_out(self.supervisor.unsupported(name, now))
            return
        self._say(f"{name} ended ({code})")
        self._carry_out(self.supervisor.ended(name, code, logs.evidence(*self._log_mark(one.service)), now))
        if name == "preload" and one.state == "failed":
            self._do_without_parent(now)

    def _lose_parent(self, now: float) -> None:
        parent, self.parent = self.parent, None
        if parent is None:
            return
        self._selector.unregister(parent.channel)
        for name in parent.asked:
            self.supervisor.watched[name].state = "waiting"
            self.supervisor.watched[name].since = now
        parent.close()

    def _do_without_parent(self, now: float) -> None:
        helper = self.supervisor.watched["preload"]
        self.notices.append(
            f"The pre-loaded parent could not run, so services start plainly: {helper.detail}"
        )
        helper.state, helper.since = "done", now
        for one in self.supervisor.watched.values():
            one.plain = one.plain or bool(one.service.stage)

    # -- actions --------------------------------------------------------------------------------------------------

    def _carry_out(self, actions: list[Action]) -> None:
        for action in actions:
            one = self.supervisor.watched[action.name]
            if action.kind == "start":
                if not self._sweep_due:
                    self._start(action.name)
            elif action.kind == "sweep":
                self._sweep_due = True
            elif action.kind == "kill" and self.parent is not None and action.name in self.parent.asked:
                helper = self.supervisor.watched["preload"]  # it never answered: it is the one that hangs
                helper.killed_for = f"it did not start {action.name} in time"
                process.signal_process(self.parent.pid, helper.pid_started, signal.SIGKILL)
            elif one.pid is not None:
                wanted = "SIGKILL" if action.kind == "kill" else one.service.stop_signal
                self._say(f"{wanted} to {action.name} ({one.pid})")
                process.signal_process(one.pid, one.pid_started, getattr(signal, wanted))

    def _start(self, name: str) -> None:
        one = self.supervisor.watched[name]
        service = one.service
        self._log_sizes[name] = _size(service.log)
        now = time.time()
        try:
            if service.name == "preload":
                self.parent = PreloadedParent.launch(service, self.spec.preload, self._spawner(service))
                self._selector.register(self.parent.channel, selectors.EVENT_READ)
                pid = self.parent.pid
            elif service.stage and not one.plain:
                if self.parent is None or name in self.parent.asked or not self.parent.ask(service):
                    return
                one.state, one.since = "starting", now
                return
            else:
                argv = service.fallback_argv if one.plain and service.fallback_argv else service.argv
                pid = self._spawner(service)(argv, ())
        except OSError as error:
            self.supervisor.refused(name, f"could not be started: {error.strerror or error}", now)
            return
        self._say(f"started {name} ({pid})")
        self.supervisor.started(name, pid, process.birth(pid) or 0.0, now)
        if service.probe.kind == "channel":
            self.supervisor.probed(name, True, "", now)

    def _spawner(self, service: Service) -> Any:
        def spawn(argv: tuple[str, ...], keep: tuple[int, ...]) -> int:
            handle = os.open(service.log, os.O_CREAT | os.O_APPEND | os.O_WRONLY, 0o600)
            try:
                child = subprocess.Popen(
                    argv,
                    env={**self.spec.environment_in(os.environ), **service.env},
                    cwd=self.spec.project,
                    stdin=subprocess.DEVNULL,
                    stdout=handle,
                    stderr=handle,
                    start_new_session=True,
                    pass_fds=keep,
                )
            finally:
                os.close(handle)
            self._children[child.pid] = (
                child  # an object that is let go collects its exit code behind our back
            )
            return child.pid

        return spawn

    def _sweep_if_due(self) -> None:
        """End every process of this stack that belongs to no living service: workers and tasks of a dead parent."""
        if not self._sweep_due or (self.parent is not None and self.parent.asked):
            return
        ended = process.sweep(self.spec.stack_id, [os.getpid()], owned=self._owned, below=[os.getpid()])
        if ended:
            self._say(f"ended {len(ended)} process(es) left behind: {ended}")
        self._sweep_due = False

    def _owned(self) -> list[int]:
        """Every process of a living service."""
        return process.members(*(one.pid for one in self.supervisor.watched.values() if one.pid is not None))

    # -- looking --------------------------------------------------------------------------------------------------

    def _log_mark(self, service: Service) -> tuple[str, int]:
        return service.log, self._log_sizes.get(service.name, 0)

    def _last_word(self, service: Service) -> str:
        return next(iter(logs.last_lines(service.log, 1)), "")

    def _tend_logs(self) -> None:
        now = time.time()
        if now < self._next_log_check:
            return
        self._next_log_check = now + LOG_CHECK_SECONDS
        for path in self.project.logs.glob("*.log"):
            with contextlib.suppress(OSError):
                logs.rotate(path, self.spec.log_max_bytes, self.spec.log_backups)

    def _say(self, text: str) -> None:
        line = f"{time.strftime('%Y-%m-%d %H:%M:%S')} {text}\n"
        with contextlib.suppress(OSError):  # a full disk must not end the platform
            os.write(sys.stdout.fileno(), line.encode(errors="replace"))

    def _write(self, *, force: bool = False) -> None:
        phase = self.supervisor.phase(ready_before=self.ready_at is not None)
        if phase == "ready" and self.ready_at is None:
            self.ready_at = time.time()
        found = states.StackState(
            project=self.spec.project,
            stack_id=self.spec.stack_id,
            engine=self.spec.engine,
            phase=phase,
            started_at=self.began,
            updated_at=0.0,
            manager_pid=self._identity[0],
            manager_started=self._identity[1],
            ready_at=self.ready_at,
            notices=tuple(self.notices),
            budgets=self.spec.budgets,
            services=tuple(one.report() for one in self.supervisor.watched.values()),
            foreign=self.spec.foreign,
        )
        if found == self._written and not force:
            return
        try:
            states.save(self.project.state_file, replace(found, updated_at=time.time()))
            self._written, self._mute = found, ""
        except OSError as error:  # the next round tries again
            if self._mute != str(error.strerror):
                self._mute = str(error.strerror)
                self._say(f"could not write {self.project.state_file}: {error.strerror}")


def _size(path: str) -> int:
    try:
        return Path(path).stat().st_size
    except OSError:
        return 0


def main() -> None:
    """Entry point: `--project ROOT`; the specification lies in the project's run folder."""
    parser = argparse.ArgumentParser(prog="airfoil.stack.manager", description=__doc__)
    parser.add_argument("--project", type=Path, required=True)
    project = Project(parser.parse_args().project)
    with project.manager_lock.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise SystemExit(EXIT_LOCKED) from None
        spec = Spec.from_json(project.spec.read_text(encoding="utf-8"))
        sys.exit(Manager(spec, project).run())


if __name__ == "__main__":
    main()
