from __future__ import annotations

import math

import numpy as np

from classifiers.imagelines import Line, in_order


def line(text: str, *, at: tuple[float, float], length: float = 200, height: float = 30, degrees: float = 0) -> Line:
    """A line that begins at a point and runs at an angle, clockwise."""
    along = (math.cos(math.radians(degrees)), math.sin(math.radians(degrees)))
    across = (-along[1], along[0])
    corners = [(0, 0), (length, 0), (length, height), (0, height)]
    quad = np.array([[at[0] + x * along[0] + y * across[0], at[1] + x * along[1] + y * across[1]] for x, y in corners], dtype=np.float32)
    return Line(text=text, score=0.9, quad=quad, along=along)


def texts(*lines: Line) -> list[str]:
    return [one.text for one in in_order(lines)]


def test_rows_go_down_and_pieces_of_a_row_are_joined() -> None:
    assert texts(line("二", at=(0, 60)), line("右", at=(215, 2)), line("左", at=(0, 0))) == ["左 右", "二"]


def test_pieces_far_apart_stay_apart() -> None:
    assert texts(line("右", at=(500, 0)), line("左", at=(0, 0))) == ["左", "右"]


def test_a_slanted_page_is_read_along_its_slant() -> None:
    angle = math.radians(30)
    lines = [line(str(n), at=(100 - 60 * n * math.sin(angle), 60 * n * math.cos(angle)), degrees=30) for n in range(4)]
    assert texts(*reversed(lines)) == ["0", "1", "2", "3"]


def test_a_page_on_its_head_is_read_from_its_head() -> None:
    assert texts(line("二", at=(300, 100), degrees=180), line("一", at=(300, 200), degrees=180)) == ["一", "二"]


def test_downward_columns_are_read_from_the_right() -> None:
    assert texts(line("左", at=(60, 0), degrees=90), line("右", at=(160, 0), degrees=90)) == ["右", "左"]


def test_a_joined_line_has_a_box_around_both() -> None:
    (joined,) = in_order([line("左", at=(0, 0)), line("右", at=(215, 4))])
    assert joined.box == (0, 0, 415, 34)


def test_no_lines_give_none() -> None:
    assert in_order([]) == []
