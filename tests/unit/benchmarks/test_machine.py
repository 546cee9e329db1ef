import pytest
from benchmarks import machine

pytestmark = pytest.mark.unit


def test_every_file_is_read_once_and_odd_ones_do_no_harm(tmp_path):
    below = tmp_path / "a" / "b"
    below.mkdir(parents=True)
    (below / "big").write_bytes(b"x" * 3_000_000)
    (tmp_path / "empty").touch()
    (tmp_path / "gone").symlink_to(tmp_path / "nowhere")
    assert machine.warm_files(tmp_path, tmp_path / "none") == 3_000_000
