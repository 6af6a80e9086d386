"""Normalising, comparing and picturing notebooks, without a kernel."""

from __future__ import annotations

import io
import struct
import zlib
from base64 import b64decode, b64encode
from copy import deepcopy
from pathlib import Path

import nbformat
import pytest
from nbformat import NotebookNode
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook, new_output
from PIL import Image

from tools import pictures
from tools.comparison import cell_differences, run_differences
from tools.notebooks import WIDGET_VIEW, normalise, to_text, write


def png(colour: tuple[int, int, int] = (255, 255, 255), level: int = 6) -> bytes:
    file = io.BytesIO()
    Image.new("RGB", (4, 3), colour).save(file, "PNG", compress_level=level)
    return file.getvalue()


def with_remark(picture: bytes, kind: bytes = b"tEXt") -> bytes:
    """The picture with one more chunk, in front of its last one."""
    data = b"Software\0some version"
    chunk = struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
    return picture[:-12] + chunk + picture[-12:]


def base64(picture: bytes) -> str:
    return b64encode(picture).decode("ascii")


def executed(*outputs: NotebookNode, count: int | None = 1) -> NotebookNode:
    code = new_code_cell("f()", execution_count=count, outputs=list(outputs))
    return new_notebook(cells=[new_markdown_cell("# Title"), code])


def outputs_of(notebook: NotebookNode) -> list[NotebookNode]:
    return list(normalise(notebook, "01_x").cells[1].outputs)


def test_normalising_twice_changes_nothing() -> None:
    picture = new_output("display_data", data={"image/png": base64(with_remark(png()))})
    once = normalise(executed(picture, count=7), "01_x")
    assert to_text(normalise(once, "01_x")) == to_text(once)


def test_the_argument_is_left_alone() -> None:
    notebook = executed(new_output("error", ename="E", evalue="x", traceback=["File /somewhere"]))
    before = deepcopy(notebook)
    normalise(notebook, "01_x")
    assert notebook == before


def test_ids_come_from_chapter_and_position() -> None:
    cells = normalise(executed(), "07_hand_trace").cells
    assert [cell.id for cell in cells] == ["07-hand-trace-001", "07-hand-trace-002"]


def test_counts_are_renumbered_but_never_invented() -> None:
    notebook = new_notebook(
        cells=[
            new_code_cell("a", execution_count=12),
            new_code_cell("b"),
            new_code_cell("c", execution_count=15),
        ]
    )
    counts = [cell.execution_count for cell in normalise(notebook, "01_x").cells]
    assert counts == [1, None, 2]


def test_metadata_of_editors_and_runs_goes() -> None:
    notebook = executed()
    notebook.metadata = {"widgets": {"state": 1}, "kernelspec": {"name": "mine"}, "jupytext": {}}
    notebook.cells[1].metadata = {"execution": {"t": 1}, "scrolled": True, "tags": ["hide-input"]}
    normal = normalise(notebook, "01_x")
    assert set(normal.metadata) == {"kernelspec", "language_info"}
    assert normal.metadata.kernelspec.name == "python3"
    assert "version" not in normal.metadata.language_info
    assert normal.cells[1].metadata == {"tags": ["hide-input"]}


def test_widget_views_go_and_what_stands_beside_them_stays() -> None:
    live = new_output(
        "display_data",
        data={"text/plain": "Figure", "text/html": "<div></div>", WIDGET_VIEW: {"model_id": "1"}},
    )
    slider = new_output("display_data", data={"text/plain": "IntSlider()", WIDGET_VIEW: {}})
    (output,) = outputs_of(executed(live, slider))
    assert set(output.data) == {"text/plain", "text/html"}


def test_tracebacks_name_no_folders() -> None:
    failed = new_output("error", ename="ValueError", evalue="bad", traceback=["File /somewhere"])
    (output,) = outputs_of(executed(failed))
    assert output.traceback == ["ValueError: bad"]


def test_pieces_of_a_stream_are_joined() -> None:
    pieces = [
        new_output("stream", name="stdout", text="a"),
        new_output("stream", name="stdout", text="b"),
        new_output("stream", name="stderr", text="c"),
        new_output("stream", name="stdout", text="d"),
    ]
    assert [output.text for output in outputs_of(executed(*pieces))] == ["ab", "c", "d"]


def test_files_are_written_only_when_they_change(tmp_path: Path) -> None:
    path = tmp_path / "chapters" / "01_x.ipynb"
    notebook = normalise(executed(), "01_x")
    assert write(notebook, path)
    assert not write(notebook, path)
    assert path.read_bytes().endswith(b"}\n")
    assert [file.name for file in path.parent.iterdir()] == ["01_x.ipynb"]
    nbformat.validate(nbformat.read(path, as_version=4))


# --- Pictures -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [b"tEXt", b"iTXt", b"tIME", b"eXIf"])
def test_remarks_are_removed(kind: bytes) -> None:
    assert pictures.without_remarks(with_remark(png(), kind)) == png()


def test_a_picture_without_remarks_is_unchanged() -> None:
    assert b64decode(pictures.normalise_base64(base64(png()))) == png()


def test_something_else_is_refused() -> None:
    with pytest.raises(ValueError, match="not a PNG"):
        pictures.without_remarks(b"GIF89a")


def test_pictures_are_compared_by_their_pixels() -> None:
    assert png(level=0) != png(level=9)
    same = {pictures.describe_base64(base64(png(level=level))) for level in (0, 9)}
    assert len(same) == 1
    assert pictures.describe_base64(base64(png((255, 255, 254)))) not in same


def test_hashed_names_in_svg_are_put_in_order() -> None:
    def svg(defined: str, used: str, x: str = "12.5") -> str:
        return (
            f'<clipPath id="{defined}"/><path d="M {x} 4" clip-path="url(#{used})"/>'
            '<g id="DejaVuSans-30"/><path style="fill: #0072b2"/>'
        )

    one, other = "p13fcc7acce", "p5dc823bfc1"
    plain = pictures.with_plain_names(svg(one, one))
    assert plain == svg("part-1", "part-1")
    assert plain == pictures.with_plain_names(svg(other, other))
    assert plain != pictures.with_plain_names(svg(one, other))
    assert plain != pictures.with_plain_names(svg(one, one, x="12.6"))


def test_only_coordinates_are_rounded() -> None:
    svg = (
        '<path d="M 5.004999 -0.001 L 1234.567891 2.5" style="stroke-width: 0.8125"/>'
        '<use x="129.661567" y="7" transform="translate(1.23456 2) scale(0.015625)"/>'
        '<text id="0.12345">0.728352</text>'
    )
    once = pictures.with_round_coordinates(svg)
    assert once == (
        '<path d="M 5 0 L 1234.57 2.5" style="stroke-width: 0.8125"/>'
        '<use x="129.66" y="7" transform="translate(1.23 2) scale(0.015625)"/>'
        '<text id="0.12345">0.728352</text>'
    )
    assert pictures.with_round_coordinates(once) == once


# --- Differences, in words ------------------------------------------------------------------------


def twins(**changes: object) -> tuple[NotebookNode, NotebookNode]:
    """Two equal notebooks; in the second, the code cell is changed."""
    first = new_notebook(cells=[new_markdown_cell("# Title"), new_code_cell("x = 1\ny = 2")])
    first.cells[1].metadata["tags"] = ["hide-input"]
    second = deepcopy(first)
    second.cells[1].update(changes)
    return first, second


def test_equal_twins() -> None:
    assert cell_differences(*twins()) == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        (
            {"source": "x = 1\ny = 3"},
            "cell 2: the text differs, line 2: sources has 'y = 2', chapters 'y = 3'",
        ),
        (
            {"metadata": {"tags": []}},
            "cell 2: tags is ['hide-input'] in sources, [] in chapters",
        ),
        (
            {"metadata": {"tags": ["hide-input"], "mystnb": {"image": {"alt": "A"}}}},
            "cell 2: mystnb is nothing in sources, {'image': {'alt': 'A'}} in chapters",
        ),
        ({"cell_type": "markdown"}, "cell 2: code in sources, markdown in chapters"),
    ],
)
def test_different_twins(changes: dict[str, object], words: str) -> None:
    assert cell_differences(*twins(**changes)) == [words]


def test_a_missing_cell_is_found() -> None:
    first, second = twins()
    del second.cells[1]
    assert cell_differences(first, second) == [r"cell 2 stands only in sources: 'x = 1\ny = 2'"]


@pytest.mark.parametrize(
    ("old", "new", "words"),
    [
        (
            new_output("stream", name="stdout", text="a\n0.25\n"),
            new_output("stream", name="stdout", text="a\n0.26\n"),
            "stdout moved, line 2: stored has '0.25', this run '0.26'",
        ),
        (
            new_output("display_data", data={"image/png": base64(png())}),
            new_output("display_data", data={"image/png": base64(png((0, 0, 0)))}),
            "image/png moved",
        ),
        (
            new_output("display_data", data={"image/png": base64(png(level=0))}),
            new_output("display_data", data={"image/png": base64(png(level=9))}),
            "image/png: the same pixels, compressed differently",
        ),
        (
            new_output("display_data", data={"text/plain": "1"}),
            new_output("display_data", data={"text/plain": "1", "text/html": "<b>1</b>"}),
            "text/html is only in this run",
        ),
        (
            new_output("error", ename="E", evalue="1", traceback=[]),
            new_output("error", ename="E", evalue="2", traceback=[]),
            "error moved, line 1: stored has 'E: 1', this run 'E: 2'",
        ),
    ],
)
def test_moved_outputs_are_named(old: NotebookNode, new: NotebookNode, words: str) -> None:
    (found,) = run_differences(executed(old), executed(new))
    assert found.startswith("cell 2 ('f()'): ")
    assert words in found


def test_moved_counts_and_missing_outputs_are_named() -> None:
    printed = new_output("stream", name="stdout", text="a")
    assert "1 outputs stored, 0 in this run" in run_differences(executed(printed), executed())[0]
    assert "execution count 2 stored" in run_differences(executed(count=2), executed(count=1))[0]
    assert run_differences(executed(printed), executed(printed)) == []
