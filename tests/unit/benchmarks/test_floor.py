from pathlib import Path

import pytest
from benchmarks import __main__ as entry
from benchmarks import chain, contender, floor
from benchmarks.airflow_api import unhealthy
from benchmarks.chain import ChainTimes, MappedTimes
from benchmarks.measurement import Measurement
from benchmarks.meter import Share
from benchmarks.ours import Ours
from benchmarks.peers import Peer, TunedPeer
from benchmarks.size import Size, scale_from

pytestmark = pytest.mark.unit

SIZE = Size.of(0.2)


def measured(seconds: float, mib: float, successes: int = 30) -> Measurement:
    return Measurement(
        load_before=0.1,
        milestones={"airflow_healthy": seconds, "mlflow_healthy": seconds / 2},
        idle_memory=[Share("scheduler", mib / 2), Share("api", mib / 2)],
        idle_cpu_percent=4.0,
        foreign_cpu_percent=0.5,
        chains=ChainTimes(9.0, (seconds, seconds + 2), successes),
        mapped=MappedTimes(10.0, 40),
        server_errors=0,
        memory_after=[Share("all", mib * 1.1)],
        stop_seconds=2.0,
        processes_left=[],
        ports_left=[],
    )


def contenders(folder: Path) -> list[contender.Contender]:
    found: list[contender.Contender] = [
        Ours(folder / "a b"),
        Peer(folder / "peer"),
        TunedPeer(folder / "tuned", idle_sleep_seconds=0.3),
    ]
    for one in found[1:]:
        assert isinstance(one, Peer)
        one._ports = {"airflow": 8080, "mlflow": 5000, "worker_logs": 8793, "trigger_logs": 8794}
    return found


def test_result_of_the_floor(tmp_path):
    every = {"ours": [measured(6, 600)], "peer": [measured(24, 3000)], "peer_tuned": [measured(12, 1000)]}
    found = floor.assemble(contenders(tmp_path), every, SIZE)
    line = found.line()
    assert line["ratio"]["seconds"] == 0.25
    assert line["ratio_tuned"]["peak_mib"] == 0.6
    assert line["ours"]["chain_seconds"] == 7
    assert line["equal"] is True
    assert all(goal.is_met for goal in found.goals)
    assert set(line["ours"]) == {figure.key for figure in floor.FIGURES}


def test_less_work_is_not_equal(tmp_path):
    every = {"ours": [measured(6, 600)], "peer": [measured(24, 3000, 29)], "peer_tuned": [measured(12, 1000)]}
    assert floor.assemble(contenders(tmp_path), every, SIZE).line()["equal"] is False


def test_missed_goals_are_told(tmp_path):
    every = {"ours": [measured(20, 1100)], "peer": [measured(24, 3000)], "peer_tuned": [measured(12, 1000)]}
    missed = [
        goal.text for goal in floor.assemble(contenders(tmp_path), every, SIZE).goals if not goal.is_met
    ]
    assert "Time until ready, against the peer" in missed
    assert "Memory at rest" in missed
    assert "Memory at rest, against the tuned peer" in missed
    assert "CPU at rest, of one core" not in missed


def test_plain_peer_is_started_as_documented_when_its_ports_are_free(tmp_path):
    peer = contenders(tmp_path)[1]
    assert [command.text for command in peer.commands] == ["airflow standalone", "mlflow server"]
    assert dict(peer.commands[0].environment) == {
        "AIRFLOW_HOME": str(tmp_path / "peer" / "airflow"),
        "AIRFLOW__CORE__LOAD_EXAMPLES": "False",
    }
    assert not peer.commands[1].environment


def test_taken_ports_move_the_peer(tmp_path):
    peer = contenders(tmp_path)[1]
    assert isinstance(peer, Peer)
    peer._ports |= {"airflow": 18080, "mlflow": 15000}
    assert peer.commands[0].environment["AIRFLOW__API__PORT"] == "18080"
    assert peer.commands[0].environment["AIRFLOW__CORE__EXECUTION_API_SERVER_URL"] == (
        "http://localhost:18080/execution/"
    )
    assert peer.commands[1].text == "mlflow server --port 15000"
    assert peer.endpoints.airflow == "http://127.0.0.1:18080"


def test_tuned_peer_has_every_component_and_names_its_settings(tmp_path):
    peer = contenders(tmp_path)[2]
    assert [command.name for command in peer.commands] == [
        "api-server",
        "scheduler",
        "dag-processor",
        "triggerer",
        "mlflow",
    ]
    assert peer.commands[1].environment["AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME"] == "0.3"
    assert "AIRFLOW__SCHEDULER__SCHEDULER_IDLE_SLEEP_TIME=0.3" in peer.described
    assert str(tmp_path) not in peer.described


def test_environment_of_the_person_does_not_reach_the_contenders():
    found = contender.clean_environment(
        {
            "PATH": "/bin",
            "HOME": "/h",
            "AIRFLOW_HOME": "/x",
            "AIRFOIL_PAGE_PORT": "1",
            "MLFLOW_TRACKING_URI": "y",
        }
    )
    assert "HOME" in found
    assert not {"AIRFLOW_HOME", "AIRFOIL_PAGE_PORT", "MLFLOW_TRACKING_URI"} & set(found)
    assert found["PATH"].endswith(":/bin")


def test_dag_files_are_valid_and_equal_for_all(tmp_path):
    chain.write_dags(tmp_path, 7)
    for name in (chain.CHAIN, chain.MAPPED):
        compile((tmp_path / f"{name}.py").read_text(), name, "exec")
    assert "range(7)" in (tmp_path / f"{chain.MAPPED}.py").read_text()


def healthy(at: str) -> dict[str, dict[str, str]]:
    parts = {name: {"status": "healthy", f"latest_{name}_heartbeat": at} for name in chain_components()}
    return {"metadatabase": {"status": "healthy"}, **parts}


def chain_components() -> tuple[str, ...]:
    return ("scheduler", "triggerer", "dag_processor")


def test_heartbeat_of_an_earlier_start_does_not_count():
    document = healthy("2026-11-20T10:00:00+00:00")
    assert unhealthy(document, 1795168799.0) == ""
    assert unhealthy(document, 1795168801.0).startswith("scheduler")


@pytest.mark.parametrize("part", ["metadatabase", "scheduler", "triggerer", "dag_processor"])
def test_every_part_has_to_be_healthy(part):
    document = healthy("2026-11-20T10:00:00+00:00")
    document[part] = {"status": "unhealthy"}
    assert unhealthy(document, 0) == part


@pytest.mark.parametrize("document", [None, [], {}, {"metadatabase": None}])
def test_odd_health_documents_are_not_healthy(document):
    assert unhealthy(document, 0)


def test_sizes_shrink_with_scale():
    full, quick = Size.of(1), Size.of(0.1)
    assert (full.chain_runs, full.mapped_tasks, full.rest_seconds, full.idle_seconds) == (10, 100, 30, 60)
    assert (quick.chain_runs, quick.mapped_tasks, quick.rest_seconds, quick.idle_seconds) == (2, 10, 3, 6)
    assert full.is_full
    assert not quick.is_full


@pytest.mark.parametrize("scale", [0, -1, 2])
def test_impossible_scales_are_refused(scale):
    with pytest.raises(ValueError, match="SCALE is"):
        Size.of(scale)


def test_scale_is_read_from_the_environment():
    assert scale_from({}) == 1
    assert scale_from({"SCALE": ""}) == 1
    assert scale_from({"SCALE": "0.1"}) == 0.1
    with pytest.raises(ValueError, match="must be a number"):
        scale_from({"SCALE": "a bit"})


def test_unknown_benchmark_is_named(capsys):
    assert entry.main(["flor"]) == 2
    assert "There are: floor" in capsys.readouterr().err
