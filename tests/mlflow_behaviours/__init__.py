"""What we rely on an MLflow server for, endpoint by endpoint; the fake and a real server are held to the same.

A behaviour is a public function of a module here that takes a `Talk`. Unit tests run them against the fake, and
tests/integration/test_fake_is_real.py against both, where every answer of the two must be equal as well.
"""
