"""The ES modules: their two forms, the joined text for notebooks, and their weight."""

from __future__ import annotations

import gzip
import re
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
from live_examples import all_kinds

from backprop_lib.live import Circuit, Curve, Explorer, Film, Pad, Plane
from backprop_lib.live.modules import FOLDER, dependencies, joined

if TYPE_CHECKING:
    from playwright.sync_api import Page

MODULES = sorted(FOLDER.glob("*.mjs"))
FIGURES = ["circuit", "curve", "explorer", "film", "pad", "plane"]
# These stand on pages only; in a notebook the cell itself answers.
FORMS = ["form", "progress"]
SCRIPT_OF_A_FIGURE = 24_000


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_imports_and_exports_have_the_forms_that_can_be_joined(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    imports = re.findall(r'^import \{[^}]*\} from "\./\w+\.mjs";$', source, re.MULTILINE)
    exports = re.findall(r"^export (?:async )?(?:function|const|class) \w+", source, re.MULTILINE)
    defaults = re.findall(r"^export default .*;$", source, re.MULTILINE)
    assert len(re.findall(r"^import\b", source, re.MULTILINE)) == len(imports)
    assert len(re.findall(r"^export\b", source, re.MULTILINE)) == len(exports) + len(defaults)
    assert len(defaults) == (path.stem in [*FIGURES, *FORMS])
    assert not re.search(
        r"\b(innerHTML|outerHTML|insertAdjacentHTML|write\(\w*html|eval)\b", source
    )


@pytest.mark.parametrize("kind", FIGURES)
def test_every_module_stands_after_those_it_needs(kind: str) -> None:
    order = dependencies(kind)
    assert order[-1] == kind
    assert len(order) == len(set(order))
    for place, name in enumerate(order):
        assert set(dependencies(name)) <= set(order[: place + 1])


@pytest.mark.parametrize("kind", FIGURES)
def test_joined_module_has_no_imports_and_one_export(kind: str) -> None:
    source = joined(kind)
    assert not re.search(r"^import\b", source, re.MULTILINE)
    assert len(re.findall(r"^export\b", source, re.MULTILINE)) == 1


@pytest.mark.parametrize("kind", [Circuit, Curve, Explorer, Film, Pad, Plane])
def test_widgets_carry_the_joined_module_and_the_style_sheet(kind: type) -> None:
    assert kind._esm == joined(kind.kind)
    assert kind._css == (FOLDER / "live.css").read_text(encoding="utf-8")


def test_joined_modules_draw_what_the_separate_ones_draw(
    live_root: Path, serve: Callable[..., str], open_page: Callable[..., Page]
) -> None:
    for kind in FIGURES:
        (live_root / "live" / f"joined{kind}.mjs").write_text(joined(kind), encoding="utf-8")
    page = open_page(f"{serve(live_root)}/empty.html")
    for figure in all_kinds():
        drawn = page.evaluate(
            """([kind, state]) => {
              const draw = async (name) => {
                const { default: module } = await import(`/live/${name}.mjs`);
                const el = document.body.appendChild(document.createElement("div"));
                const get = (key) => ({ state, values: {} })[key];
                const model = { get, set() {}, on() {}, off() {}, save_changes() {} };
                module.render({ el, model });
                await new Promise((done) => setTimeout(done, 100));
                return el.innerHTML;
              };
              return Promise.all([draw(kind), draw(`joined${kind}`)]);
            }""",
            [figure.kind, figure.state],
        )
        assert drawn[0] == drawn[1]
        assert "<svg" in drawn[0]


@pytest.mark.parametrize("kind", FIGURES)
def test_a_figure_is_light(kind: str) -> None:
    files = [FOLDER / f"{name}.mjs" for name in ["loader", *dependencies(kind)]]
    assert sum(len(gzip.compress(path.read_bytes())) for path in files) < SCRIPT_OF_A_FIGURE
