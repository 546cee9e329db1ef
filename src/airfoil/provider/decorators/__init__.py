"""Task decorators: `@task.mlflow`."""
