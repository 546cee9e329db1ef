"""The local runner: starts, watches and stops the services of one project.

Knows processes and ports; imports no ML or Airflow room and no library of theirs.
"""
