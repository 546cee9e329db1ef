"""The status page of a server, where nobody supervises: Compose or Kubernetes restarts things, this page asks them.

It knows every service by the name it has in the private network, asks each over that network, and shows what it heard
as a page, as JSON and as Prometheus metrics. It needs no login of its own, no Docker socket and no manager.
"""
