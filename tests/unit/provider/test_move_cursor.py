"""The place moves with the event, in one transaction; an event that is recorded already is taken out again."""

from __future__ import annotations

import json

import pytest
from airflow.models.asset import AssetEvent
from airflow.models.asset_state_store import AssetStateStoreModel
from sqlalchemy import create_engine, event
from sqlalchemy.orm import Session

from airfoil.provider import move_cursor
from airfoil.provider.move_cursor import CURSOR_KEY, move_number

pytestmark = pytest.mark.unit


@pytest.fixture
def session():
    engine = create_engine("sqlite://")
    for table in (AssetEvent.__table__, AssetStateStoreModel.__table__):
        table.create(engine)
    with engine.begin() as connection:  # without the table of DAGs that it points to
        connection.exec_driver_sql(
            "create table asset_dag_run_queue (asset_id integer, target_dag_id text, created_at timestamp)"
        )
    event.listen(AssetEvent, "after_insert", move_cursor.keep)
    with Session(engine) as opened:
        yield opened
    event.remove(AssetEvent, "after_insert", move_cursor.keep)


def begin(session, value, asset_id=1):
    session.add(AssetStateStoreModel(asset_id=asset_id, key=CURSOR_KEY, value=value))
    session.commit()


def tell(session, number, asset_id=1, **payload):
    payload = {"model": "wine", "alias": "champion", "number": number, **payload}
    session.add(AssetEvent(asset_id=asset_id, extra={"from_trigger": True, "payload": payload}))
    session.flush()


def place(session, asset_id=1):
    return session.get(AssetStateStoreModel, (asset_id, CURSOR_KEY), populate_existing=True).value


def told(session):
    return [row.extra["payload"]["number"] for row in session.query(AssetEvent).order_by(AssetEvent.id)]


def test_the_place_moves_with_the_event(session):
    begin(session, "4")
    tell(session, 5)
    tell(session, 6)
    session.commit()
    assert (place(session), told(session)) == ("6", [5, 6])


def test_what_is_not_committed_was_neither_told_nor_counted(session):
    begin(session, "4")
    tell(session, 5)
    session.rollback()
    assert (place(session), told(session)) == ("4", [])


def test_an_event_is_told_once_however_often_it_is_sent(session):
    begin(session, "4")
    for number in (5, 5, 4, 6, 5, 6):
        tell(session, number)
        session.commit()
    assert (place(session), told(session)) == ("6", [5, 6])


def test_each_asset_has_its_own_place(session):
    begin(session, "4", asset_id=1)
    begin(session, "0", asset_id=2)
    tell(session, 5, asset_id=1)
    tell(session, 1, asset_id=2)
    session.commit()
    assert (place(session, 1), place(session, 2)) == ("5", "1")


@pytest.mark.parametrize("value", ["null", "not json", '{"__ref": "s3://elsewhere/1"}', '"4"', "1.5"])
def test_a_place_that_is_kept_elsewhere_or_damaged_is_left_alone(session, value):
    begin(session, value)
    tell(session, 5)
    session.commit()
    assert (place(session), told(session)) == (value, [5])


def test_an_asset_that_nobody_watches_gets_no_place(session):
    tell(session, 5)
    session.commit()
    assert told(session) == [5]
    assert session.query(AssetStateStoreModel).count() == 0


def test_what_fails_here_does_not_fail_the_event(session, monkeypatch):
    begin(session, "4")
    monkeypatch.setattr(move_cursor, "_keep", lambda *_: 1 / 0)
    tell(session, 5)
    session.commit()
    assert (place(session), told(session)) == ("4", [5])


@pytest.mark.parametrize(
    "extra",
    [
        None,
        {},
        {"from_trigger": True},
        {"from_trigger": True, "payload": "text"},
        {"from_trigger": True, "payload": {"number": 5}},
        {"from_trigger": True, "payload": {"model": "m", "alias": "a", "number": "5"}},
        {"payload": {"model": "m", "alias": "a", "number": 5}},
    ],
)
def test_events_of_others_are_not_ours(extra):
    assert move_number(extra) is None


def test_an_event_of_ours_has_its_number():
    extra = json.loads('{"from_trigger": true, "payload": {"model": "m", "alias": "a", "number": 7}}')
    assert move_number(extra) == 7
