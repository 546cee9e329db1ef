"""The model server's room: an ASGI app that answers predictions from registered models.

It will hold aliases, the A/B split, hot swap and the prediction log. It may use `clients` and `records`, reads its
settings as given, and knows no Airflow. Nothing is served yet; `airfoil up` starts no model server.
"""
