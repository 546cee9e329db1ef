"""A model of `airfoil new training` as a file: everything in it is trusted, and loaded it predicts the same."""

from __future__ import annotations

import subprocess
import sys

import pytest
from tests.tables import write_customers, write_houses

pytestmark = pytest.mark.integration
# A process of its own: skops, when it is imported, asks every loaded module, and beside Airflow that takes long.
SCENE = """
import sys
import pandas as pd
import skops.io
from airfoil.clients.model_files import TRUSTED_TYPES
from airfoil.steps.data_contract import infer_contract
from airfoil.steps.tabular_training import TableParameters, train_table

path, separator, target = sys.argv[1:]
frame = pd.read_csv(path, sep=separator)
trained = train_table(frame, infer_contract(frame, target, data=path, separator=separator), TableParameters(trees=5))
skops.io.dump(trained.estimator, path + ".skops")
unknown = set(skops.io.get_untrusted_types(file=path + ".skops")) - set(TRUSTED_TYPES)
assert not unknown, unknown
loaded = skops.io.load(path + ".skops", trusted=list(TRUSTED_TYPES))
assert list(loaded.predict(trained.example)) == list(trained.estimator.predict(trained.example))
print("SAME")
"""


@pytest.mark.parametrize(
    ("write", "separator", "target"), [(write_customers, ",", "churned"), (write_houses, ";", "price")]
)
def test_it_is_trusted_and_the_same_again(tmp_path, write, separator, target):
    write(tmp_path / "x.csv")
    command = [sys.executable, "-c", SCENE, str(tmp_path / "x.csv"), separator, target]
    said = subprocess.run(command, capture_output=True, text=True, check=False)
    assert said.stdout.strip() == "SAME", said.stderr
