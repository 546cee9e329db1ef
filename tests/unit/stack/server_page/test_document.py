"""A server's page: one sentence, a table, and what to do about what is wrong."""

from __future__ import annotations

import pytest

from airfoil.stack.server_page import document
from airfoil.stack.server_page.rounds import Heard
from airfoil.stack.server_page.watched import SERVICES

pytestmark = pytest.mark.unit


def heard(*wrong: str, detail: str = "no answer") -> tuple[Heard, ...]:
    return tuple(
        Heard(one, one.name not in wrong, detail if one.name in wrong else "", 90.0, 0.02)
        for one in SERVICES[:4]
    )


NAMES = [one.name for one in SERVICES[:4]]


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ((), "Everything is running"),
        (NAMES[:1], "Airflow is not well"),
        (NAMES[:2], "Airflow and MLflow are not well"),
        (NAMES[:3], "3 of 4 services are not well"),
        (NAMES, "Nothing answers"),
    ],
)
def test_the_sentence_says_how_things_are(wrong, said):
    found = heard(*wrong)
    assert document.headline(found) == said
    assert document.level(found) == ("bad" if wrong else "good")
    assert f"<title>{said} · Airfoil</title>" in document.document(found, 100.0, "1.0")


def test_nothing_watched_is_not_called_well():
    assert document.headline(()) == "Nothing is watched"
    assert document.level(()) == "bad"


def test_each_service_has_a_row_and_those_for_people_come_first():
    text = document.document(heard(), 100.0, "1.0")
    places = [text.index(f'id="service-{name}"') for name in NAMES]
    assert places == sorted(places)
    assert 'href="../mlflow/"' in text


def test_what_is_wrong_is_told_with_the_command_that_shows_why():
    text = document.document(heard("mlflow", detail="<b>silent</b>"), 100.0, "1.0")
    assert "MLflow: &lt;b&gt;silent&lt;/b&gt;." in text
    assert "<code>docker compose logs mlflow</code>" in text


def test_every_address_is_relative():
    text = document.document(heard(), 100.0, "1.0")
    assert 'href="/' not in text
    assert "http://" not in text
