"""Finding the line on which a value was written."""

from pathlib import Path

import pytest

from airfoil.settings.source import read_toml

pytestmark = pytest.mark.unit

TEXT = """\
# port = 1, says this comment
top = "port = 2"
[a]
port = 3          # port
"quoted key" = 4
long = [
  "port",
  'x',
]
text = '''
[b]
port = 5
'''

[b]
inline = { port = 6, y = 7 }
[[many]]
port = 8
"""


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (["top"], 2),
        (["a"], 3),
        (["a", "port"], 4),
        (["a", "quoted key"], 5),
        (["a", "long"], 6),
        (["a", "text"], 10),
        (["b"], 15),
        (["b", "inline", "port"], 16),
        (["many", "port"], 18),
        (["b", "port"], None),
        (["c"], None),
    ],
)
def test_the_line_of_a_key(tmp_path: Path, keys, line):
    path = tmp_path / "airfoil.toml"
    path.write_text(TEXT)
    toml = read_toml(path)
    assert toml.line_of(keys) == line
    assert toml.place(keys) == (f"{path}:{line}" if line else str(path))
