import pytest

from airfoil.errors import ServiceFailed

pytestmark = pytest.mark.unit


@pytest.fixture
def up(project, stack, a_service, a_state):
    """A platform that runs."""
    services = (
        a_service("setup", "done", kind="job"),
        a_service("api-server", url="http://127.0.0.1:8080"),
        a_service("scheduler"),
    )
    stack.state = a_state(*services)
    return stack


def test_one_service_is_restarted_and_that_is_shown(airfoil, up, a_service, a_state):
    import time

    now = time.time() + 5
    up.steps = [
        a_state(a_service("scheduler", "stopping", since=now), phase="degraded"),
        a_state(a_service("scheduler", "starting", since=now), phase="degraded"),
        a_state(a_service("scheduler", since=now)),
    ]

    outcome = airfoil("restart", "scheduler")

    assert (outcome.code, outcome.err) == (0, "")
    assert up.calls == ["restart scheduler"]
    assert [line.split(" s  ", 1)[1].split() for line in outcome.out.splitlines()[:3]] == [
        ["scheduler", "stopping"],
        ["scheduler", "starting"],
        ["scheduler", "ready"],
    ]
    assert outcome.out.splitlines()[3].startswith("scheduler is ready again after ")


def test_its_address_is_said(airfoil, up):
    up.steps = [up.state]

    assert airfoil("restart", "api-server").out.rstrip().endswith(": http://127.0.0.1:8080.")


@pytest.mark.parametrize(
    ("name", "move"),
    [
        ("schedular", "Did you mean scheduler?"),
        ("x", "Services: api-server, scheduler."),
        ("setup", "Services:"),
    ],
)
def test_what_is_no_service(airfoil, up, name, move):
    outcome = airfoil("restart", name)

    assert outcome.code == 1
    assert f"There is no service {name} to restart." in outcome.err
    assert move in outcome.err
    assert up.calls == []


def test_one_that_does_not_come_back(airfoil, up):
    up.steps = [up.state]
    up.error = ServiceFailed("Scheduler did not start: it ended.", "See `airfoil logs scheduler`.")

    outcome = airfoil("restart", "scheduler")

    assert (outcome.code, outcome.err.splitlines()[0]) == (1, "Error: Scheduler did not start: it ended.")


def test_without_a_name_everything_stops_and_starts(airfoil, up, a_state, a_service):
    up.steps = [a_state(a_service("page", url="http://127.0.0.1:8081"))]

    outcome = airfoil("restart")

    assert outcome.code == 0
    assert up.calls == ["down", "up"]
    assert "http://127.0.0.1:8081" in outcome.out


def test_what_does_not_run_cannot_be_restarted_in_part(airfoil, project):
    assert airfoil("restart", "scheduler").err.startswith("Error: The platform is not running.")
