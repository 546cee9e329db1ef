"""Zones and their groups, as the city's list has them."""

from collections import Counter

import numpy as np
import pytest

from airfoil.steps.taxi.zones import LAST_ZONE, ZONE_GROUPS, group_numbers, zone_group

pytestmark = pytest.mark.unit


def test_the_boroughs_have_as_many_zones_as_on_the_city_s_list():
    found = Counter(zone_group(zone) for zone in range(1, LAST_ZONE + 1))
    assert LAST_ZONE == 265
    assert found == {
        "Manhattan": 69,
        "Queens": 67,  # and two airports
        "Brooklyn": 61,
        "Bronx": 43,
        "Staten Island": 20,
        "Airports": 3,
        "Unknown": 2,
    }


@pytest.mark.parametrize(
    ("zone", "group"),
    [
        (4, "Manhattan"), (263, "Manhattan"), (7, "Queens"), (255, "Brooklyn"), (3, "Bronx"), (5, "Staten Island"),
        (1, "Airports"), (132, "Airports"), (138, "Airports"), (264, "Unknown"), (0, "Unknown"), (-5, "Unknown"),
        (999, "Unknown"),
    ],
)  # fmt: skip
def test_a_zone_is_in_its_group(zone, group):
    assert zone_group(zone) == group
    assert ZONE_GROUPS[group_numbers(np.array([zone]))[0]] == group


def test_all_zones_at_once_are_as_one_by_one():
    zones = np.arange(-3, 300, dtype=np.int32)
    assert [ZONE_GROUPS[number] for number in group_numbers(zones)] == [zone_group(zone) for zone in zones]
