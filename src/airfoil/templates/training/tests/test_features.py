"""The features are plain functions; so are their tests."""

import pandas as pd
from NAME.features import add_ratios

WINES = pd.DataFrame({"color_intensity": [6.0, 5.0], "total_phenols": [3.0, 0.0]})


def test_the_colour_is_seen_beside_the_phenols():
    assert list(add_ratios(WINES)["colour_per_phenol"]) == [2.0, 5.0]


def test_what_was_there_is_kept():
    found = add_ratios(WINES)

    assert found[["color_intensity", "total_phenols"]].equals(WINES)
    assert list(WINES.columns) == ["color_intensity", "total_phenols"]
