"""Heavy libraries imported at the top of a DAG file: seconds for every parse, and for every task of the file."""

from __future__ import annotations

import ast
from typing import TYPE_CHECKING

from airfoil.lint.fault import Fault, fault

if TYPE_CHECKING:
    from collections.abc import Iterator

    from airfoil.lint.source import Source

# Libraries that take 0.3 s and more to import. airfoil's own modules load theirs when they are used.
HEAVY = frozenset(
    {
        "catboost",
        "cudf",
        "dask",
        "datasets",
        "evidently",
        "feast",
        "jax",
        "keras",
        "lightgbm",
        "matplotlib",
        "mlflow",
        "optuna",
        "pandas",
        "plotly",
        "polars",
        "prophet",
        "pyspark",
        "pytorch_lightning",
        "ray",
        "scipy",
        "seaborn",
        "shap",
        "skimage",
        "sklearn",
        "spacy",
        "statsmodels",
        "tensorflow",
        "torch",
        "torchvision",
        "transformers",
        "xgboost",
    }
)
MEND = "Import it inside the task that uses it, or for annotations below `if TYPE_CHECKING:`."


def find_heavy_imports(source: Source) -> Iterator[Fault]:
    """AF206: imports that run while a DAG file is parsed."""
    if not source.is_dag_file:
        return
    for node in source.parse_nodes:
        if not isinstance(node, ast.Import | ast.ImportFrom):
            continue
        for name in _modules(node):
            if name.partition(".")[0] in HEAVY:
                message = f"`{name}` is imported whenever the file is parsed, and in each of its tasks."
                yield fault("AF206", source.name, node.lineno, message, MEND, subject=name)


def _modules(node: ast.Import | ast.ImportFrom) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module] if node.module and not node.level else []
