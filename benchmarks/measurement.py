"""One contender, measured once from start to stop: when it is ready, what it takes, how fast it works."""

from __future__ import annotations

import sys
import time
from dataclasses import dataclass
from pathlib import Path

from benchmarks import chain, machine, readiness
from benchmarks.airflow_api import AirflowApi
from benchmarks.contender import Contender
from benchmarks.machine import Say
from benchmarks.meter import Share, machine_busy_seconds
from benchmarks.running import Running
from benchmarks.size import Size

_LOAD_PATIENCE_SECONDS = 180.0


@dataclass(frozen=True)
class Measurement:
    """What was seen. Judging it is `floor`'s business."""

    load_before: float
    milestones: dict[str, float]
    idle_memory: list[Share]
    idle_cpu_percent: float
    foreign_cpu_percent: float
    """What everybody else on the machine used meanwhile: the noise of this measurement."""
    chains: chain.ChainTimes
    mapped: chain.MappedTimes
    server_errors: int
    """How many of our requests Airflow answered with an error of its own, or not at all."""
    memory_after: list[Share]
    stop_seconds: float
    processes_left: list[str]
    ports_left: list[int]

    @property
    def ready_seconds(self) -> float:
        """Until the last of all questions was answered well."""
        return max(self.milestones.values())

    def figures(self) -> dict[str, float]:
        """The numbers by name."""
        return {
            "seconds": self.ready_seconds,
            "peak_mib": _total(self.idle_memory),
            "after_tasks_mib": _total(self.memory_after),
            "idle_cpu_percent": self.idle_cpu_percent,
            "chain_seconds": self.chains.median_seconds,
            "first_chain_seconds": self.chains.first_seconds,
            "mapped_seconds": self.mapped.seconds,
            "unfinished_runs": self.mapped.unfinished_runs,
            "server_errors": self.server_errors,
            "processes": len(self.idle_memory),
            "stop_seconds": self.stop_seconds,
            "left_processes": len(self.processes_left),
            "left_ports": len(self.ports_left),
        }

    def details(self) -> dict[str, object]:
        """Everything behind the numbers."""
        return {
            "load_before": round(self.load_before, 2),
            "foreign_cpu_percent": round(self.foreign_cpu_percent, 1),
            "milestones": {name: round(value, 2) for name, value in self.milestones.items()},
            "chain_samples": [round(value, 3) for value in self.chains.seconds],
            "idle_memory": _rounded(self.idle_memory),
            "memory_after": _rounded(self.memory_after),
            "successes": {"chain": self.chains.successes, "mapped": self.mapped.successes},
            "processes_left": self.processes_left,
            "ports_left": self.ports_left,
        }


def initialise(contender: Contender, logs: Path, size: Size, say: Say) -> None:
    """Bring a contender into the state all start from: set up, started once, stopped."""
    contender.prepare()
    chain.write_dags(contender.dags, size.mapped_tasks)
    with Running(contender, logs) as running:
        contender.learn(running)
        readiness.wait(contender, running, chain.CHAIN)
        say(f"initialised (first start took {running.seconds:.1f} s)")
        running.stop()


def measure(contender: Contender, logs: Path, size: Size, say: Say) -> Measurement:
    """Start it, look at it at rest, let it work, look again, stop it."""
    load_before = machine.wait_for_quiet(_LOAD_PATIENCE_SECONDS * size.scale, say)
    machine.warm_files(Path(sys.prefix), contender.folder)
    with Running(contender, logs) as running:
        milestones = readiness.wait(contender, running, chain.CHAIN)
        say(f"ready after {max(milestones.values()):.1f} s")
        with AirflowApi(contender.endpoints.airflow, contender.password, timeout_seconds=60) as api:
            for dag_id in (chain.CHAIN, chain.MAPPED):
                api.unpause(dag_id)
            idle_memory = _rested_memory(running, size, say)
            idle_cpu, foreign_cpu = _idle_cpu(running, size.idle_seconds)
            say(f"at rest: {idle_cpu:.1f} % of one core (others on this machine: {foreign_cpu:.1f} %)")
            chains = chain.run_chains(api, size.chain_runs)
            say(
                f"chain of {chain.CHAIN_TASKS}: first {chains.first_seconds:.1f} s, then {chains.median_seconds:.2f} s"
            )
            mapped = chain.run_mapped(api, size.mapped_runs)
            say(f"{size.mapped_runs} x {size.mapped_tasks} tasks: {mapped.seconds:.1f} s")
            if mapped.unfinished_runs:
                say(f"WARNING: {mapped.unfinished_runs} of these runs never ended\n{running.tails()}")
        memory_after = _rested_memory(running, size, say)
        running.check()
        stop_seconds, processes_left, ports_left = running.stop()
        say(
            f"stopped in {stop_seconds:.1f} s; left: {len(processes_left)} processes, {len(ports_left)} ports"
        )
    return Measurement(
        load_before=load_before,
        milestones=milestones,
        idle_memory=idle_memory,
        idle_cpu_percent=idle_cpu,
        foreign_cpu_percent=foreign_cpu,
        chains=chains,
        mapped=mapped,
        server_errors=api.server_errors,
        memory_after=memory_after,
        stop_seconds=stop_seconds,
        processes_left=processes_left,
        ports_left=ports_left,
    )


def _rested_memory(running: Running, size: Size, say: Say) -> list[Share]:
    time.sleep(size.rest_seconds)
    running.check()
    found = running.meter.memory()
    say(f"{_total(found):.0f} MiB in {len(found)} processes")
    return found


def _idle_cpu(running: Running, seconds: float) -> tuple[float, float]:
    """Percent of one core: the contender's, and everybody else's."""
    began, own, whole = time.monotonic(), running.meter.cpu_seconds(), machine_busy_seconds()
    time.sleep(seconds)
    own, whole = running.meter.cpu_seconds() - own, machine_busy_seconds() - whole
    took = time.monotonic() - began
    return 100 * own / took, max(0.0, 100 * (whole - own) / took)


def _total(shares: list[Share]) -> float:
    return sum(share.pss_mib for share in shares)


def _rounded(shares: list[Share]) -> list[dict[str, object]]:
    return [{"title": share.title, "pss_mib": round(share.pss_mib, 1)} for share in shares]
