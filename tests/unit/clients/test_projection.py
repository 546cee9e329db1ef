"""The projection: what is sent for each state of an alias, and that nobody sets one without having said so first."""

import httpx
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.clients.conversation import Conversation
from tests.unit.clients.wine_shop import ALIAS_PATH, Clock, WineShop, linear

from airfoil.clients import model_registry
from airfoil.clients.claims import Claims
from airfoil.clients.history import DONE, LATE, SET, Verdict, entry_cell
from airfoil.clients.ledger import Ledger
from airfoil.clients.mlflow_http import MlflowHttp
from airfoil.clients.mlflow_server import MlflowServer
from airfoil.clients.projection import Projection, alias_version
from airfoil.errors import ServiceRefusedError, ServiceUnreachableError

pytestmark = pytest.mark.unit


@pytest.fixture
def server():
    server = WineShop()
    server.add_versions("wine", 9)
    return server


@pytest.fixture
def claims():
    return Claims()


@pytest.fixture
def place(http, claims):
    """The alias after a move to version 1."""
    http.do(Ledger(claims).move("wine", "champion", 1, who="ann"))
    return Projection(http.do(claims.anchor_id("ledger/wine/champion")), "wine", "champion")


@pytest.fixture
def ledger():
    return Ledger(Claims(), Clock())


@pytest.fixture
def move(http, ledger):
    return lambda to: http.do(ledger.move("wine", "champion", to, who="ann"))


@pytest.fixture
def entries(http, ledger):
    return lambda: http.do(ledger.entries("wine", "champion"))


@pytest.fixture
def appended(http, claims, place):
    """And after a move to version 2 that was written down and not carried out."""
    killed = Conversation(http, Ledger(claims).move("wine", "champion", 2, who="bob"))
    while not killed.next_step.path.endswith("alias"):
        killed.step()
    return http.do(place.history()).entries[-1]


def test_where_an_alias_stands(http, place):
    assert http.do(alias_version("wine", "champion")) == 1
    assert http.do(alias_version("wine", "challenger")) is None
    assert http.do(alias_version("beer", "champion")) is None


def test_the_cells_are_read_before_the_alias(server, http, place):
    server.calls.clear()
    history, stands = http.do(place.look())
    assert server.calls == ["mlflow/runs/get", "mlflow/registered-models/get"]
    assert history.judge(stands) is Verdict.SETTLED


def test_an_entry_is_carried_out_and_closed(server, http, place, appended):
    http.do(place.carry_out(appended))
    history, stands = http.do(place.look())
    assert (stands, history.cells[entry_cell(2) + DONE]) == (2, SET)


def test_a_repair_is_declared_and_the_head_read_again_before_the_set(server, http, place, appended):
    history, stands = http.do(place.look())
    assert history.judge(stands) is Verdict.PENDING
    server.calls.clear()
    http.do(place.repair(history, stands))
    assert server.calls[:4] == [
        "mlflow/runs/get",
        "mlflow/runs/log-parameter",
        "mlflow/runs/get",
        ALIAS_PATH,
    ]
    assert http.do(alias_version("wine", "champion")) == 2


def test_an_alias_that_got_there_is_only_noted(server, http, place, appended):
    http.do(model_registry.point_alias("wine", "champion", 2))
    server.written.clear()
    http.do(place.repair(*http.do(place.look())))
    assert server.written == []
    assert http.do(place.look())[0].judge(2) is Verdict.SETTLED


def test_a_late_set_is_undone_and_explained_once(server, http, claims, place, appended):
    http.do(Ledger(claims).move("wine", "champion", 3, who="eve"))
    http.do(model_registry.point_alias("wine", "champion", 2))
    history, stands = http.do(place.look())
    assert history.judge(stands) is Verdict.LATE
    http.do(place.repair(history, stands))
    history, stands = http.do(place.look())
    assert (stands, history.cells[entry_cell(2) + DONE]) == (3, LATE)
    assert history.judge(2) is Verdict.OUTSIDE


def test_what_is_settled_or_came_from_outside_is_not_touched(server, http, place):
    http.do(model_registry.point_alias("wine", "champion", 4))
    server.written.clear()
    http.do(place.repair(*http.do(place.look())))
    assert server.written == []


def test_a_refusal_goes_through(server, http, place, appended):
    server.fail[ALIAS_PATH] = httpx.Response(401, json={"message": "who are you"})
    with pytest.raises(ServiceRefusedError, match="who are you"):
        http.do(place.carry_out(appended))


# -- at the same time, and interrupted


def test_of_two_who_move_at_any_moment_both_are_written_and_the_later_one_counts(server, http):
    """The second does everything between any two requests of the first."""
    total = len(run_to_end(server, http, None))
    for moment in range(total):
        conversation = run_to_end(server, http, moment)
        assert conversation, moment
        entries = http.do(Ledger(Claims()).entries("wine", "champion"))
        assert linear(entries)
        assert sorted(entry.to_version for entry in entries) == [1, 2], moment
        assert server.alias("wine") == entries[-1].to_version, moment
        assert http.do(Ledger(Claims()).unsettled()) == [], moment


def test_who_is_killed_at_any_moment_leaves_a_ledger_that_others_finish(server, http):
    total = len(run_to_end(server, http, None))
    for moment in range(total + 1):
        fresh(server)
        first = Conversation(http, Ledger(Claims()).move("wine", "champion", 1, who="killed"))
        for _ in range(moment):
            first.step()
        ledger = Ledger(Claims())
        head = http.do(ledger.reconcile("wine", "champion"))
        assert server.alias("wine") == (head.to_version if head else None), moment
        assert http.do(ledger.unsettled()) == [], moment
        # The same again, as a task is tried again.
        assert http.do(ledger.move("wine", "champion", 1, who="killed")).number == 1, moment
        assert server.alias("wine") == 1
        assert http.do(ledger.unsettled()) == []


def test_one_who_pauses_before_the_set_does_not_undo_a_later_move(server, http, ledger, move):
    paused = Conversation(http, Ledger(Claims()).move("wine", "champion", 1, who="paused"))
    while not at_alias(paused):
        paused.step()
    move(2)
    move(3)
    paused.step()
    assert server.alias("wine") == 1, "it came late"
    paused.finish()
    assert server.alias("wine") == 3
    assert http.do(ledger.unsettled()) == []


def test_one_who_pauses_before_the_set_and_dies_after_it_is_repaired(server, http, ledger, move, entries):
    paused = Conversation(http, Ledger(Claims()).move("wine", "champion", 1, who="paused"))
    while not at_alias(paused):
        paused.step()
    move(2)
    paused.step()
    assert server.alias("wine") == 1
    assert http.do(ledger.reconcile("wine", "champion")).to_version == 2
    assert server.alias("wine") == 2
    assert [entry.kind for entry in entries()] == ["promote", "promote"]
    # A declaration explains one late set: a person who now wants version 1 is heard.
    http.do(model_registry.point_alias("wine", "champion", 1))
    assert http.do(ledger.reconcile("wine", "champion")).kind == "external"


def test_one_who_repairs_late_is_repaired_too(server, http, ledger, move, entries):
    """Who repairs the head may itself be paused before the set, while the head moves on."""
    killed = Conversation(http, Ledger(Claims()).move("wine", "champion", 1, who="killed"))
    while not at_alias(killed):
        killed.step()
    repairer = Conversation(http, Ledger(Claims()).reconcile("wine", "champion"))
    while not at_alias(repairer):
        repairer.step()
    move(2)
    repairer.step()
    assert server.alias("wine") == 1
    assert http.do(ledger.reconcile("wine", "champion")).to_version == 2
    assert server.alias("wine") == 2
    assert {entry.kind for entry in entries()} == {"promote"}


def test_what_mlflow_refuses_does_not_stay_the_truth(server, http, ledger, move, entries):
    move(1)
    server.fail[ALIAS_PATH] = httpx.Response(403, json={"message": "Permission denied"})
    with pytest.raises(Exception, match="Permission denied"):
        move(2)
    server.fail.clear()
    assert [(entry.kind, entry.to_version) for entry in entries()] == [
        ("promote", 1),
        ("promote", 2),
        ("rollback", 1),
    ]
    assert "MLflow refused" in entries()[-1].reason
    assert http.do(ledger.unsettled()) == []


def test_a_set_that_nobody_answers_is_declared_again_and_may_come_late(server, http, ledger, move, entries):
    move(1)
    server.fail[ALIAS_PATH] = httpx.Response(500, json={"message": "gone"})
    with pytest.raises(ServiceUnreachableError, match="did not say"):
        move(2)
    server.fail.clear()
    move(3)
    for _ in range(3):  # each of the unanswered sets
        http.do(model_registry.point_alias("wine", "champion", 2))
        assert http.do(ledger.reconcile("wine", "champion")).to_version == 3
    assert server.alias("wine") == 3
    assert {entry.kind for entry in entries()} == {"promote"}


def test_a_head_whose_version_was_deleted_before_it_was_reached_is_given_up(server, http, ledger, move):
    move(1)
    killed = Conversation(http, Ledger(Claims()).move("wine", "champion", 2, who="killed"))
    while not at_alias(killed):
        killed.step()
    http.do(model_registry.delete_version("wine", 2))
    head = http.do(ledger.reconcile("wine", "champion"))
    assert (head.kind, head.to_version) == ("external", 1)
    assert http.do(ledger.unsettled()) == []


def test_one_who_looks_while_others_move_takes_no_move_of_ours_for_a_strangers(server, http):
    """Somebody moves between any two requests of one who looks."""
    looks = 0
    for moment in range(9):
        fresh(server)
        claims = Claims()
        http.do(Ledger(claims).move("wine", "champion", 1, who="ann"))
        looking = Conversation(http, Ledger(claims).reconcile("wine", "champion"))
        while not looking.over and len(looking.steps) < moment:
            looking.step()
        looks = len(looking.steps)
        http.do(Ledger(claims).move("wine", "champion", 2, who="bob"))
        looking.finish()
        entries = http.do(Ledger(claims).entries("wine", "champion"))
        assert [entry.kind for entry in entries] == ["promote", "promote"], moment
        assert server.alias("wine") == 2
    assert looks >= 3


def test_who_repairs_reads_the_head_again_after_saying_so(server, http):
    """Else its set could be of a head that is not one any more, and nobody who has read the cells would know of it."""
    claims = Claims()
    owner = Conversation(http, Ledger(claims).move("wine", "champion", 1, who="owner"))
    while not at_alias(owner):
        owner.step()
    repairer = Conversation(http, Ledger(claims).reconcile("wine", "champion"))
    while not repairer.next_step.path.endswith("log-parameter"):
        repairer.step()
    owner.finish()
    http.do(Ledger(claims).move("wine", "champion", 2, who="other"))
    looking = Conversation(http, Ledger(claims).reconcile("wine", "champion"))
    while not looking.next_step.path.endswith("registered-models/get"):
        looking.step()
    server.written.clear()
    while not (repairer.over or server.written):
        repairer.step()
    looking.finish()
    repairer.finish()
    entries = http.do(Ledger(claims).entries("wine", "champion"))
    assert [entry.kind for entry in entries] == ["promote", "promote"]
    assert server.alias("wine") == 2


ACTS = st.lists(
    st.tuples(
        st.sampled_from(["begin", "look", "run", "run", "run", "run", "kill", "outside"]),
        st.integers(0, 5),
        st.integers(1, 9),
    ),
    min_size=10,
    max_size=60,
)


@settings(max_examples=60, deadline=None)
@given(ACTS, st.booleans())
def test_whatever_happens_history_is_linear_and_the_alias_ends_at_its_head(acts, with_outside):
    server = WineShop()
    server.add_versions("wine", 9)
    address = MlflowServer("http://mlflow.test", tries=1)
    with MlflowHttp(address, transport=httpx.MockTransport(server)) as http:
        running, finished, outside = [], [], []
        claims, clock = Claims(), Clock()
        http.do(claims.anchor_id("ledger/wine/champion"))
        for act, which, number in acts:
            if act in {"begin", "look"}:
                ledger = Ledger(claims, clock)
                begun = ledger.move("wine", "champion", number, who="x") if act == "begin" else None
                running.append(Conversation(http, begun or ledger.reconcile("wine", "champion")))
            elif act == "outside" and with_outside:
                http.do(model_registry.point_alias("wine", "champion", number))
                outside.append(number)
            elif act in {"run", "kill"} and running:
                chosen = running[which % len(running)]
                for _ in range(number if act == "run" else 0):
                    if not chosen.over:
                        chosen.step()
                if act == "kill" or chosen.over:
                    running.remove(chosen)
                    finished += [chosen] if chosen.over else []
        for one in running:
            one.finish()
        ledger = Ledger(claims, clock)
        head = http.do(ledger.reconcile("wine", "champion"))
        entries = http.do(ledger.entries("wine", "champion"))
        assert all(one.error is None for one in finished)
        assert linear(entries)
        assert server.alias("wine") == (head.to_version if head else None)
        assert http.do(ledger.unsettled()) == []
        assert all(one.result in {*entries, None} for one in [*finished, *running])
        # Nothing of ours is ever taken for a stranger's move.
        assert {entry.to_version for entry in entries if entry.kind == "external"} <= set(outside)


def fresh(server):
    server.forget()
    server.add_versions("wine", 9)


def run_to_end(server, http, moment):
    """Move to 1, and at one moment let somebody else move to 2; the steps that were made."""
    fresh(server)
    first = Conversation(http, Ledger(Claims()).move("wine", "champion", 1, who="first"))
    while not first.over:
        if len(first.steps) == moment:
            http.do(Ledger(Claims()).move("wine", "champion", 2, who="second"))
        first.step()
    assert first.error is None
    return first.steps


def at_alias(conversation):
    """Is a set of the alias what it does next?"""
    return conversation.next_step.path.endswith("registered-models/alias")
