"""Features of {{name}}: plain functions, values in and values out.

They know nothing of Airflow, files or servers, so `pytest` checks them in no time.
"""

from collections.abc import Sequence


# Next edit 1: change what is computed here, save, and run the DAG again. No restart: the next task runs the new code.
def moving_average(values: Sequence[float], window: int) -> list[float]:
    """Average each value with up to `window - 1` values before it."""
    if window < 1:
        raise ValueError(f"a window holds at least one value, not {window}")
    averages = []
    for end in range(1, len(values) + 1):
        part = values[max(0, end - window) : end]
        averages.append(sum(part) / len(part))
    return averages
