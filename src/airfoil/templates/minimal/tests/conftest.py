"""Tests get an Airflow of their own, in a scratch folder; the running platform is left alone."""

import os
import tempfile

# Before anything imports Airflow: it reads these once.
os.environ["AIRFLOW_HOME"] = tempfile.mkdtemp(prefix="airflow-tests-")
os.environ["AIRFLOW__CORE__LOAD_EXAMPLES"] = "False"
