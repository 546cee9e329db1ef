"""The code of {{name}} that its DAGs, tests and notebooks share.

Import it inside a task (`from {{name}} import ...`), not at the top of a DAG file: DAG files are parsed all the time.
"""
