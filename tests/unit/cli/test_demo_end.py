"""What the demo prints at its end."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import httpx
import pytest
from tests.unit.clients.wine_shop import WineShop

from airfoil.cli import demo_end
from airfoil.cli.app import app
from airfoil.cli.demo_crash import Aftermath
from airfoil.clients.claims import Claims
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.model_registry import ModelVersion
from airfoil.clients.run_info import RunInfo

pytestmark = pytest.mark.unit
SERVER = "http://mlflow.test"


def run(status="FINISHED"):
    return RunInfo("abc", "7", "mlflow-artifacts:/7", status, {"airflow.try_number": "2"})


def version(number=1):
    return ModelVersion("wine", number, "abc", "models:/m-1")


@pytest.mark.parametrize(
    ("runs", "versions", "good"),
    [
        ([run()], [version()], True),
        ([run()], [], True),
        ([run("RUNNING")], [version()], False),
        ([run(), run()], [version()], False),
        ([run()], [version(), version(2)], False),
        ([], [], False),
    ],
)
def test_one_finished_run_and_at_most_one_version_is_good(capsys, runs, versions, good):
    left = Aftermath(tuple(runs), tuple(versions))
    assert demo_end.show_aftermath(left, "train", "wine", SERVER) is good
    said = capsys.readouterr().out
    assert said.count("/#/experiments/7/runs/abc") == len(runs)
    assert ("no better than the champion" in said) is not bool(versions)


def test_who_was_champion_a_minute_ago_and_who_is_now(capsys):
    now = datetime(2026, 11, 20, 12, tzinfo=UTC)
    server = WineShop()
    server.add_versions("wine", 2)
    with MlflowHttp(MlflowServer(SERVER), transport=httpx.MockTransport(server)) as http:
        for number, ago in ((1, timedelta(hours=1)), (2, timedelta(seconds=10))):
            then = (now - ago).timestamp()
            http.do(Ledger(Claims(), lambda: then).move("wine", "champion", number, who="ann"))  # noqa: B023
        demo_end.show_champions(http, Ledger(Claims()), now)
    before, after = capsys.readouterr().out.split("And now")
    assert 'airfoil models at "2026-11-20 11:59:00"' in before
    assert ["wine", "champion", "1"] in [line.split()[:3] for line in before.splitlines()]
    assert ["wine", "champion", "2"] in [line.split()[:3] for line in after.splitlines()]


def test_the_memory_is_that_of_real_processes(capsys, a_state, a_service):
    demo_end.show_memory(a_state(a_service("scheduler")))
    words = capsys.readouterr().out.split()
    assert float(words[-2].replace(",", "")) > 10
    assert words[-1] == "MiB"


def test_each_next_command_exists():
    import typer

    root = typer.main.get_command(app)
    for line in demo_end.NEXT:
        command = root
        for word in line.split()[1:]:
            if word.startswith("-") or not hasattr(command, "commands"):
                break
            command = command.commands[word]
        options = {name for parameter in command.params for name in parameter.opts}
        assert {word for word in line.split() if word.startswith("--")} <= options, line
