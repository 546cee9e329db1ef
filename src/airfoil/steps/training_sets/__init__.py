"""Training sets: what was known about an entity at a moment, joined to the rows that say what came of it.

`join_features` gives one row for each row in, in the same order, whatever the feature tables hold. Knows tables only:
which store they belong to, where they lie and where the result goes is the caller's business.
"""

from airfoil.steps.training_sets.feature_table import FeatureTable
from airfoil.steps.training_sets.point_in_time import join_features

__all__ = ["FeatureTable", "join_features"]
