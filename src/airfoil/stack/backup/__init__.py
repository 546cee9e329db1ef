"""Backups of a project: everything that only this project has, in one place, proven to be restorable.

`sources` says what belongs in, `creation` copies it, `objects` keeps each content once in a `place`, `manifest` is the
seal of a whole backup, `verification` tries one out, `restoration` puts it back. Databases of any kind become SQLite
files. Like the rest of the stack this must not import Airflow, MLflow or Feast; an S3 place is handed in.
"""
