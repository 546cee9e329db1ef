"""The ledger: one entry after the other, an alias that follows, and a history that outlives its writers."""

from datetime import timedelta

import pytest
from tests.unit.clients.conversation import Conversation
from tests.unit.clients.wine_shop import ALIAS_PATH, START, Clock, WineShop, linear

from airfoil.clients import model_registry
from airfoil.clients.claims import Claims
from airfoil.clients.ledger import OUTSIDE, Ledger, check_alias
from airfoil.errors import ConfigurationError, MovedMeanwhileError, NotFoundError
from airfoil.records import GateDecision

pytestmark = pytest.mark.unit


@pytest.fixture
def server():
    server = WineShop()
    server.add_versions("wine", 9)
    return server


@pytest.fixture
def ledger():
    return Ledger(Claims(), Clock())


@pytest.fixture
def move(http, ledger):
    def move(to, alias="champion", **more):
        return http.do(ledger.move("wine", alias, to, **{"who": "ann", **more}))

    return move


@pytest.fixture
def entries(http, ledger):
    return lambda alias="champion": http.do(ledger.entries("wine", alias))


# -- one after the other


def test_a_move_is_written_down_and_the_alias_follows(server, move, entries):
    gate = GateDecision(passed=True, metric="accuracy", value=0.9, reason="better")
    made = move(3, reason="it is better", gate=gate, approver="bob", dag_run="train/1")
    assert server.alias("wine") == 3
    assert (made.number, made.kind, made.from_version, made.to_version) == (1, "promote", None, 3)
    assert entries() == (made,)
    assert entries()[0].gate["metric"] == "accuracy"
    assert (made.who, made.approver, made.dag_run, made.reason) == ("ann", "bob", "train/1", "it is better")


def test_a_steady_move_costs_seven_requests(server, move):
    move(1)
    server.calls.clear()
    move(2)
    assert server.calls == [
        "mlflow/model-versions/get",
        "mlflow/runs/get",
        "mlflow/registered-models/get",
        "mlflow/runs/log-parameter",
        ALIAS_PATH,
        "mlflow/runs/get",
        "mlflow/runs/log-parameter",
    ]


def test_moves_come_one_after_the_other(server, move, entries):
    for version in (1, 2, 5, 2):
        move(version)
    assert linear(entries())
    assert [entry.to_version for entry in entries()] == [1, 2, 5, 2]
    assert server.alias("wine") == 2


def test_an_alias_that_is_there_is_left_alone(server, move, entries):
    first = move(2)
    server.written.clear()
    assert move(2) == first
    assert server.written == []
    assert len(entries()) == 1


def test_a_key_moves_once_and_does_not_undo_a_later_move(server, move, entries):
    first = move(2, key="dag run 1")
    move(3, key="dag run 2")
    assert move(2, key="dag run 1") == first
    assert server.alias("wine") == 3
    assert len(entries()) == 2


def test_an_expected_version_that_is_not_there_is_told_with_who_moved_it(server, move, entries):
    move(1, expected=None)
    move(2, expected=1, who="eve")
    with pytest.raises(
        MovedMeanwhileError, match=r"is at version 2, not at version 1: eve moved it"
    ) as caught:
        move(3, expected=1)
    assert "models history wine" in caught.value.next_move
    with pytest.raises(MovedMeanwhileError, match="not at no version"):
        move(3, expected=None)
    with pytest.raises(MovedMeanwhileError, match="at no version, not at version 4: it was never set"):
        move(3, "challenger", expected=4)
    assert (server.alias("wine"), len(entries())) == (2, 2)


def test_an_alias_can_be_taken_away(server, move, entries):
    move(1)
    assert move(None).kind == "remove"
    assert server.alias("wine") is None
    assert entries()[-1].to_version is None
    with pytest.raises(NotFoundError, match="Nothing is known"):
        move(None, "never-there")


def test_a_version_that_does_not_exist_is_refused_before_anything_is_written(move, entries):
    with pytest.raises(NotFoundError, match="wine has no version 77"):
        move(77)
    assert entries() == ()


@pytest.mark.parametrize("alias", ["", "latest", "LATEST", "v7", "a/b", "a b", "x" * 256, "a\n"])
def test_a_name_that_mlflow_refuses_is_refused_first(alias):
    with pytest.raises(ConfigurationError, match="cannot be the name"):
        check_alias(alias)


def test_who_only_looks_leaves_nothing_behind(server, http, ledger, entries):
    assert entries() == ()
    assert http.do(ledger.at("wine", "champion", START)) is None
    assert http.do(ledger.reconcile("wine", "champion")) is None
    assert http.do(ledger.histories()) == {}
    assert not server.calls.count("mlflow/runs/create")


# -- back


def test_a_rollback_goes_back_step_by_step(server, http, ledger, move):
    for version in (1, 2, 3):
        move(version)
    back = http.do(ledger.rollback("wine", "champion", who="bob", reason="it was wrong"))
    assert (back.kind, back.from_version, back.to_version, back.reason) == ("rollback", 3, 2, "it was wrong")
    assert http.do(ledger.rollback("wine", "champion", who="bob", reason="also")).to_version == 1
    with pytest.raises(NotFoundError, match="no earlier version"):
        http.do(ledger.rollback("wine", "champion", who="bob", reason="more"))
    assert server.alias("wine") == 1


def test_a_rollback_with_a_key_is_made_once(http, ledger, move):
    for number in (1, 2, 3):
        move(number)
    given = {"who": "bob", "reason": "it was wrong", "key": "this task"}
    first = http.do(ledger.rollback("wine", "champion", **given))
    assert http.do(ledger.rollback("wine", "champion", **given)) == first
    assert http.do(ledger.rollback("wine", "champion", **given | {"key": "another task"})).to_version == 1
    assert http.do(ledger.rollback("wine", "champion", **given)) == first


def test_a_rollback_skips_versions_that_are_gone(server, http, ledger, move):
    for version in (1, 2, 3):
        move(version)
    http.do(model_registry.delete_version("wine", 2))
    assert http.do(ledger.rollback("wine", "champion", who="bob", reason="")).to_version == 1


def test_a_rollback_of_what_somebody_has_moved_meanwhile_is_refused(server, http, ledger, move):
    for version in (1, 2):
        move(version)
    back = Conversation(http, ledger.rollback("wine", "champion", who="bob", reason=""))
    back.step()
    move(5)
    with pytest.raises(MovedMeanwhileError, match="version 5, not at version 2"):
        back.finish()


# -- times


def test_the_entry_of_a_moment(http, ledger, move):
    first, second = move(1), move(2)
    at = lambda when: http.do(ledger.at("wine", "champion", when))  # noqa: E731 - said four times below
    assert at(first.at - timedelta(microseconds=1)) is None
    assert at(first.at) == first
    assert at(second.at - timedelta(microseconds=1)) == first
    assert at(second.at + timedelta(days=900)) == second


def test_a_clock_that_goes_back_does_not_reorder_history(http, ledger, move):
    move(1)
    slow = Ledger(Claims(), clock=lambda: START.timestamp() - 3600)
    second = http.do(slow.move("wine", "champion", 2, who="behind"))
    assert second.at == http.do(ledger.at("wine", "champion", START + timedelta(hours=1))).at
    assert http.do(ledger.at("wine", "champion", second.at)) == second


# -- outside


def test_a_move_from_outside_is_adopted(server, http, ledger, move, entries):
    move(1)
    http.do(model_registry.point_alias("wine", "champion", 7))
    assert http.do(ledger.unsettled()) == [("wine", "champion")]
    head = http.do(ledger.reconcile("wine", "champion"))
    assert (head.kind, head.who, head.from_version, head.to_version) == ("external", OUTSIDE, 1, 7)
    assert server.alias("wine") == 7
    assert http.do(ledger.unsettled()) == []
    assert http.do(ledger.reconcile("wine", "champion")) == head
    assert linear(entries())


def test_an_alias_that_was_there_before_us_is_where_history_begins(http, ledger, move, entries):
    http.do(model_registry.point_alias("wine", "champion", 7))
    assert http.do(ledger.unsettled()) == [("wine", "champion")]
    with pytest.raises(MovedMeanwhileError, match="outside Airfoil moved it"):
        move(3, expected=None)
    move(3, expected=7)
    assert [(entry.kind, entry.to_version) for entry in entries()] == [("external", 7), ("promote", 3)]


@pytest.mark.parametrize("what", ["alias", "version", "model"])
def test_an_alias_that_vanished_is_adopted_as_none(server, http, ledger, move, entries, what):
    move(1)
    if what == "alias":
        http.do(model_registry.point_alias("wine", "champion", None))
    elif what == "version":
        http.do(model_registry.delete_version("wine", 1))
    else:
        del server.registered["wine"]
    head = http.do(ledger.reconcile("wine", "champion"))
    assert (head.kind, head.from_version, head.to_version) == ("external", 1, None)
    assert http.do(ledger.unsettled()) == []


def test_moving_back_outside_is_not_taken_for_an_old_move_of_ours(server, http, ledger, move):
    for version in (1, 2, 3):
        move(version)
    http.do(model_registry.point_alias("wine", "champion", 2))
    assert http.do(ledger.reconcile("wine", "champion")).kind == "external"
    assert server.alias("wine") == 2


def test_all_ledgers_are_read_at_once(server, http, ledger, move):
    move(1)
    move(2, "challenger")
    server.calls.clear()
    histories = http.do(Ledger(Claims()).histories())
    assert {key: history.version for key, history in histories.items()} == {
        ("wine", "challenger"): 2,
        ("wine", "champion"): 1,
    }
    assert len(server.calls) == 2
    assert http.do(ledger.ledgers()) == sorted(histories)
