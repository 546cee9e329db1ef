"""The edge: the only home of MLflow, Feast and object stores outside server processes.

Foreign errors end here and leave as ours. A client is built from plain arguments (a hook reads them from an Airflow
connection) and touches no environment variable and no process-wide state.
Now: MLflow tracking. The registry, the feature store, the object store and their fakes arrive with their issues.
"""
