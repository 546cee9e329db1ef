"""What containers of a server start: the worker, MLflow behind the proxy, and the question whether a service is well.

Everything they need stands in environment variables, which Compose and Kubernetes fill from the same secrets. No
module here reads airfoil.toml or writes outside the folders that a container may write to.
"""
