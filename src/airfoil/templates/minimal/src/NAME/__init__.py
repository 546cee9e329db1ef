"""The code of {{name}} that its DAGs, tests and notebooks share.

Import it inside a task (`from {{name}}.features import ...`): the next task then runs what you saved last, without a
restart, and DAG files stay quick to parse.
"""
