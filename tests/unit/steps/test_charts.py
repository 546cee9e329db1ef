"""Charts: figures as objects, without pyplot's process-wide state."""

import io

import pytest

from airfoil.steps.charts import draw_confusion

pytestmark = pytest.mark.unit


def test_every_count_and_name_is_in_the_picture():
    axes = draw_confusion([[5, 1], [0, 7]], ["red", "white"]).axes[0]
    assert [text.get_text() for text in axes.texts] == ["5", "1", "0", "7"]
    assert [label.get_text() for label in axes.get_xticklabels()] == ["red", "white"]


def test_dark_cells_carry_light_text():
    axes = draw_confusion([[10, 0], [0, 10]], ["a", "b"]).axes[0]
    assert [text.get_color() for text in axes.texts] == ["white", "black", "black", "white"]


def test_a_matrix_of_zeros_is_drawn():
    assert draw_confusion([[0, 0], [0, 0]], ["a", "b"]).axes


def test_the_figure_can_be_saved():
    picture = io.BytesIO()
    draw_confusion([[1]], ["only"]).savefig(picture, format="png")
    assert picture.getvalue().startswith(b"\x89PNG")


@pytest.mark.parametrize("counts", [[[1, 2]], [[1], [2]], [[1, 2], [3]]])
def test_a_matrix_of_the_wrong_shape_is_refused(counts):
    with pytest.raises(ValueError, match="2 rows of 2 counts"):
        draw_confusion(counts, ["a", "b"])
