"""What follows from profiles and pools: the table for the provider, and Airflow's pools."""

import json
from pathlib import Path

import pytest

from airfoil.settings import AirflowSettings, PoolSettings, ProfileSettings, Settings
from airfoil.stack import profiles
from airfoil.stack.project import Project

pytestmark = pytest.mark.unit

PROJECT = Project(Path("/home/ä b/shop"))


def test_profiles_travel_with_what_was_given_and_the_interpreter_of_their_environment():
    settings = Settings(
        profiles={
            "b": ProfileSettings(environment="heavy", retries=0),
            "a": ProfileSettings(cpu="500m", pod={"spec": {"x": "ä"}}),
        }
    )
    text = profiles.tables_json(settings, PROJECT)
    assert json.loads(text) == {
        "a": {"cpu": "500m", "pod": {"spec": {"x": "ä"}}},
        "b": {"environment": "/home/ä b/shop/.airfoil/environments/heavy/bin/python", "retries": 0},
    }
    assert text.index('"a"') < text.index('"b"'), "sorted, so that the same settings are the same text"
    assert profiles.tables_json(Settings(), PROJECT) == "{}"


def test_pools_that_profiles_need_are_made_with_a_sensible_size():
    settings = Settings(
        airflow=AirflowSettings(parallelism=6),
        profiles={
            "fit": ProfileSettings(gpu=1),
            "fit_more": ProfileSettings(gpu=2),
            "call": ProfileSettings(pool="api", gpu=1),
            "wide": ProfileSettings(pool="wide", pool_slots=9),
            "known": ProfileSettings(pool="known"),
            "plain": ProfileSettings(pool="default_pool"),
            "none": ProfileSettings(gpu=0),
        },
        pools={"known": PoolSettings(slots=3)},
    )
    implied = profiles.implied_pools(settings)
    assert {name: pool.slots for name, pool in implied.items()} == {"gpu": 1, "api": 6, "wide": 9}
    assert {name: pool["slots"] for name, pool in json.loads(profiles.pools_json(settings)).items()} == {
        "api": 6,
        "gpu": 1,
        "known": 3,
        "wide": 9,
    }


def test_the_slots_of_gpus_are_the_users_when_he_says_so():
    settings = Settings(profiles={"a": ProfileSettings(gpu=1)}, pools={"gpu": PoolSettings(slots=2)})
    assert profiles.implied_pools(settings) == {}
    assert json.loads(profiles.pools_json(settings)) == {
        "gpu": {"slots": 2, "description": "", "include_deferred": False}
    }


def test_no_profiles_no_pools():
    assert profiles.pools_json(Settings()) == "{}"
