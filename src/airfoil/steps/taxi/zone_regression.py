"""A linear model of minutes: one constant, one amount for each pickup zone and each drop-off zone, minutes a mile.

It takes raw columns, zones and miles. To be kept it becomes a pipeline of scikit-learn's own classes, which loads
anywhere without this package. Must not learn: that is `least_squares`.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from airfoil.steps.taxi.schema import DISTANCE, DROPOFF_ZONE, PICKUP_ZONE

if TYPE_CHECKING:
    import numpy as np
    import pandas as pd
    from numpy.typing import NDArray


@dataclass(frozen=True)
class ZoneRegression:
    """The coefficients; zones in rising order. A zone that was not seen adds nothing."""

    constant: float
    minutes_per_mile: float
    pickup_zones: NDArray[np.int64]
    pickup_minutes: NDArray[np.float64]
    dropoff_zones: NDArray[np.int64]
    dropoff_minutes: NDArray[np.float64]

    def constants(
        self, pickup_zones: NDArray[np.integer[Any]], dropoff_zones: NDArray[np.integer[Any]]
    ) -> NDArray[np.float64]:
        """Return the minutes of pairs of zones before the first mile."""
        return (
            self.constant
            + _looked_up(self.pickup_zones, self.pickup_minutes, pickup_zones)
            + _looked_up(self.dropoff_zones, self.dropoff_minutes, dropoff_zones)
        )

    def predict(
        self,
        pickup_zones: NDArray[np.integer[Any]],
        dropoff_zones: NDArray[np.integer[Any]],
        miles: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        """Return the minutes of trips."""
        return self.constants(pickup_zones, dropoff_zones) + self.minutes_per_mile * miles

    def to_pipeline(self) -> Any:
        """Return the same model as a pipeline of scikit-learn: one-hot zones and miles, then LinearRegression."""
        import numpy as np
        from sklearn.compose import ColumnTransformer
        from sklearn.linear_model import LinearRegression
        from sklearn.pipeline import Pipeline
        from sklearn.preprocessing import OneHotEncoder

        columns = ColumnTransformer(
            [
                (name, OneHotEncoder(categories=[zones], handle_unknown="ignore"), [name])
                for name, zones in ((PICKUP_ZONE, self.pickup_zones), (DROPOFF_ZONE, self.dropoff_zones))
            ]
            + [(DISTANCE, "passthrough", [DISTANCE])]
        ).fit(self.example())
        linear = LinearRegression()
        linear.coef_ = np.concatenate([self.pickup_minutes, self.dropoff_minutes, [self.minutes_per_mile]])
        linear.intercept_ = self.constant
        linear.n_features_in_ = len(linear.coef_)
        return Pipeline([("columns", columns), ("linear", linear)])

    def example(self) -> pd.DataFrame:
        """Return a few rows of the columns that the model takes."""
        import numpy as np
        import pandas as pd

        few = min(3, len(self.pickup_zones), len(self.dropoff_zones))
        return pd.DataFrame(
            {
                PICKUP_ZONE: self.pickup_zones[:few].astype(np.int64),
                DROPOFF_ZONE: self.dropoff_zones[:few].astype(np.int64),
                DISTANCE: np.arange(1, few + 1, dtype=np.float64),
            }
        )


def _looked_up(
    known: NDArray[np.int64], minutes: NDArray[np.float64], zones: NDArray[np.integer[Any]]
) -> NDArray[np.float64]:
    import numpy as np

    table = np.zeros(int(known[-1]) + 2)
    table[known] = minutes
    # Whoever is not on the list gets the last place, which holds nothing.
    return table[np.where((zones < 0) | (zones > known[-1]), len(table) - 1, zones)]
