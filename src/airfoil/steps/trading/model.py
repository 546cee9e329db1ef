"""Parameters of the momentum strategy as a model: rows of prices in, the position of each row out.

Its state is five plain numbers, so a skops file of it holds data only; the class is among the types that
`clients.model_files` trusts. Any symbols and any length of history will do.
"""

from __future__ import annotations

from dataclasses import asdict, dataclass
from typing import TYPE_CHECKING, Any, Self

from airfoil.errors import TableError
from airfoil.steps.trading.momentum import MomentumParameters, positions
from airfoil.steps.trading.prices import PriceTable

if TYPE_CHECKING:
    import pandas as pd

COLUMNS = ("date", "symbol", "close")


@dataclass(frozen=True)
class MomentumModel:
    """Says for each row of `date, symbol, close` which position was decided at that close: 1, 0 or -1.

    It needs the `lookback_days` before; rows without them are 0.
    """

    lookback_days: int
    skip_days: int
    threshold: float
    rebalance_days: int
    long_only: bool

    @classmethod
    def of(cls, parameters: MomentumParameters) -> Self:
        """Make a model of parameters."""
        return cls(**parameters.model_dump())

    @property
    def parameters(self) -> MomentumParameters:
        """The parameters, checked again: a model may come from a file."""
        return MomentumParameters(**asdict(self))

    def predict(self, frame: pd.DataFrame) -> Any:
        """Return the position of each row, in the order of the rows."""
        import numpy as np
        import pandas as pd

        missing = [name for name in COLUMNS if name not in frame.columns]
        if missing:
            raise TableError(f"The prices have no column '{missing[0]}'", f"Give {', '.join(COLUMNS)}.")
        days = pd.to_datetime(frame["date"]).dt.tz_localize(None).to_numpy().astype("datetime64[D]")
        symbols = frame["symbol"].astype(str).to_numpy().astype(str)
        close = frame["close"].to_numpy(dtype=float, na_value=np.nan)
        prices = PriceTable.of_rows("the given prices", days, symbols, close)
        rows = np.searchsorted(prices.days, days)
        columns = np.searchsorted(np.array(prices.symbols), symbols)
        return positions(prices, self.parameters)[rows, columns]


def example_prices(prices: PriceTable, rows: int = 3) -> pd.DataFrame:
    """Return some rows as a caller would send them."""
    import pandas as pd

    frame = prices.to_arrow().slice(0, rows).to_pandas()
    return frame.assign(date=pd.to_datetime(frame["date"]))
