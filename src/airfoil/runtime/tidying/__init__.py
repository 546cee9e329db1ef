"""Removes what nobody needs any more: Airflow's history, deleted MLflow runs, data and logs of old DAG runs.

A process of its own, because it works on databases that tasks may not open: started by `airfoil clean`, told where
things are by Airflow's and MLflow's own variables, answers with one JSON object. Must not decide how long things stay.
"""
