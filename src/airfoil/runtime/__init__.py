"""Code that lives inside server processes. Started only by module path from the stack; imported by nobody else.

Each module that leans on something private to a release of Airflow or MLflow proves at start that it is there and
ends with exit code 97 when it is not; the stack then starts the plain command instead.
"""

EXIT_UNSUPPORTED = 97
"""The one word a runtime module can say to the stack beside success and failure."""
