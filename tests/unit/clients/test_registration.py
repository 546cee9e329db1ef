"""Registration: one version for a source, whoever asks at the same time and whoever dies on the way."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.clients.conversation import Conversation
from tests.unit.clients.wine_shop import WineShop

from airfoil.clients.claims import Claims
from airfoil.clients.exchange import Pause
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.model_registry import delete_version, point_alias
from airfoil.clients.registration import KEY_TAG, LEASE_SECONDS, register
from airfoil.errors import NotFoundError, ServiceAnswerError, ServiceRefusedError

pytestmark = pytest.mark.unit

CREATE = "mlflow/model-versions/create"


@pytest.fixture
def server():
    return WineShop()


@pytest.fixture
def http(server):
    """Waiting costs nothing."""
    with MlflowHttp(
        MlflowServer("http://mlflow.test", tries=1),
        transport=httpx.MockTransport(server),
        pause=lambda _: None,
    ) as client:
        yield client


def ask(server, name="model", **more):
    """Somebody asks for the version of a source."""
    return register(Claims(), "wine", server.source(name), **more)


def test_the_first_makes_the_model_and_the_version(server, http):
    made = http.do(ask(server, tags={"team": "red"}))
    assert (made.name, made.version, made.source) == ("wine", 1, server.source().uri)
    assert made.tags["team"] == "red"
    assert server.alive("wine") == [1]


def test_who_asks_again_gets_the_same_version_for_two_requests(server, http):
    claims = Claims()
    made = http.do(register(claims, "wine", server.source()))
    server.calls.clear()
    assert http.do(register(claims, "wine", server.source())) == made
    assert server.calls == ["mlflow/runs/get", "mlflow/model-versions/get"]


def test_another_source_is_another_version(server, http):
    http.do(ask(server))
    assert http.do(ask(server, "other")).version == 2


def test_a_version_that_somebody_deleted_is_made_anew(server, http):
    http.do(ask(server))
    http.do(delete_version("wine", 1))
    assert http.do(ask(server)).version == 2
    assert http.do(ask(server)).version == 2
    assert server.alive("wine") == [2]


def test_two_at_any_moment_end_with_one_version(server, http):
    """The second begins at any moment of the first, and waits for it."""
    total = steps_of(http, server)
    for moment in range(total + 1):
        server.forget()
        first = Conversation(http, ask(server))
        for _ in range(moment):
            first.step()
        second = Conversation(http, ask(server))
        while not second.over:
            second.step()
            if not first.over:
                first.step()
        assert second.result.version == first.finish().version, moment
        assert server.alive("wine") == [first.result.version], moment


def test_a_killed_holder_is_waited_for_once_and_no_version_is_left_over(server, http):
    total = steps_of(http, server)
    for moment in range(total):
        server.forget()
        first = Conversation(http, ask(server))
        for _ in range(moment):
            first.step()
        second = Conversation(http, ask(server))
        made = second.finish()
        assert server.alive("wine") == [made.version], moment
        waited = sum(step.seconds for step in second.steps if isinstance(step, Pause))
        assert waited in (0, pytest.approx(LEASE_SECONDS, abs=1.01)), moment
        assert http.do(ask(server)) == made


def test_a_holder_who_comes_late_removes_its_own(server, http):
    first = Conversation(http, ask(server))
    while not at_create(first):
        first.step()
    second = http.do(ask(server))
    assert second.version == 1
    assert first.finish() == second
    assert server.alive("wine") == [1]


def test_a_holder_who_comes_late_and_dies_is_tidied_up_by_the_next(server, http):
    first = Conversation(http, ask(server))
    while not at_create(first):
        first.step()
    http.do(ask(server))
    first.step()
    assert server.alive("wine") == [1, 2]
    http.do(ask(server))
    assert server.alive("wine") == [1]


def test_a_copy_of_a_version_is_nobodys_leftover(server, http):
    first = Conversation(http, ask(server))
    while not at_create(first):
        first.step()
    made = http.do(ask(server))
    tags = [{"key": key, "value": value} for key, value in made.tags.items()]
    for name in ("wine", "prod.wine"):
        server.add_versions(name, 0)
        http.post(
            "api/2.0/mlflow/model-versions/create", {"name": name, "source": "models:/wine/1", "tags": tags}
        )
    http.do(ask(server))
    assert server.alive("wine") == [1, 2]
    assert server.alive("prod.wine") == [1]


def test_an_answer_that_got_lost_is_looked_up(server, http):
    server.add_versions("wine", 0)
    server.faults.lose_answer(CREATE)
    assert http.do(ask(server)).version == 1
    assert server.alive("wine") == [1]


def test_a_server_that_fails_is_asked_three_times_and_nobody_waits_for_us(server, http):
    server.fail[CREATE] = httpx.Response(500, json={"message": "out of order"})
    with pytest.raises(ServiceAnswerError, match="out of order"):
        http.do(ask(server))
    assert server.calls.count(CREATE) == 3
    server.fail.clear()
    second = Conversation(http, ask(server))
    assert second.finish().version == 1
    assert not any(isinstance(step, Pause) for step in second.steps)


@pytest.mark.parametrize(
    ("answer", "error"),
    [
        (httpx.Response(403, json={"message": "no"}), ServiceRefusedError),
        (httpx.Response(404, json={"message": "no such run"}), NotFoundError),
    ],
)
def test_a_refusal_is_told_at_once(server, http, answer, error):
    server.add_versions("wine", 0)
    server.fail[CREATE] = answer
    with pytest.raises(error):
        http.do(ask(server))
    server.fail.clear()
    assert http.do(ask(server)).version == 1


def test_the_cell_is_named_on_the_version(server, http):
    made = http.do(ask(server))
    assert made.tags[KEY_TAG].endswith(".0")


@settings(max_examples=50, deadline=None)
@given(
    st.lists(
        st.tuples(st.sampled_from(["begin", "step", "step", "step", "kill"]), st.integers(0, 5)), max_size=120
    )
)
def test_whatever_happens_one_version_is_left_and_all_get_it(acts):
    server = WineShop()
    address = MlflowServer("http://mlflow.test", tries=1)
    with MlflowHttp(address, transport=httpx.MockTransport(server), pause=lambda _: None) as http:
        running, finished = [], []
        for act, number in acts:
            if act == "begin":
                running.append(Conversation(http, ask(server)))
            elif running:
                chosen = running[number % len(running)]
                if act == "step":
                    chosen.step()
                if act == "kill" or chosen.over:
                    running.remove(chosen)
                    finished += [chosen] if chosen.over else []
        for one in running:
            one.finish()
        made = http.do(ask(server))
        http.do(point_alias("wine", "champion", made.version))
        assert server.alive("wine") == [made.version]
        assert {one.result.version for one in [*finished, *running]} <= {made.version}


def steps_of(http, server):
    server.forget()
    alone = Conversation(http, ask(server))
    alone.finish()
    return len(alone.steps)


def at_create(conversation):
    return conversation.next_step.path.endswith("model-versions/create") and "wine" in str(
        conversation.next_step.body
    )
