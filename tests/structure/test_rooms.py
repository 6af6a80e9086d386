"""The house of backprop_lib: who imports whom, how long functions are, what is documented."""

from __future__ import annotations

import ast
import inspect
import io
import re
import subprocess
import sys
import tokenize
from dataclasses import fields, is_dataclass
from pathlib import Path

import pytest

import backprop_lib

HOUSE = Path(backprop_lib.__file__).parent

# Each room may import the rooms above it. A folder is one room.
ROOMS = (
    "errors",
    "activations",
    "losses",
    "neuron",
    "network",
    "backprop",
    "tally",
    "gradcheck",
    "optimizers",
    "regularization",
    "deep",
    "training",
    "autodiff",
    "expressions",
    "mistakes",
    "trace",
    "data",
    "diagnose",
    "exercises",
    "listing",
    "plots",
    "live",
)
# Heavy packages, and the one room that may import them.
OWNERS = {"matplotlib": "plots", "anywidget": "live", "traitlets": "live", "ipywidgets": "live"}
SLOW_TO_IMPORT = ("matplotlib", "anywidget", "ipywidgets", "IPython", "tqdm", "scipy")

LONGEST_FUNCTION = 25
LONGEST_TABLE = 35  # in a chapter's exercises: a function there is a list of misconceptions

FILES = sorted(HOUSE.rglob("*.py"))
PUBLIC = sorted(backprop_lib.__all__)


def room_of(path: Path) -> str:
    """The room a file belongs to: its own name, or that of its folder."""
    return path.relative_to(HOUSE).with_suffix("").parts[0]


def title(path: Path) -> str:
    return path.relative_to(HOUSE).as_posix()


def imported_modules(tree: ast.AST, package: str) -> list[str]:
    """Every module imported anywhere in a file, functions and type-checking blocks included."""
    modules = []
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            modules += [alias.name for alias in node.names]
        elif isinstance(node, ast.ImportFrom):
            base = f"{package}.{node.module or ''}".rstrip(".") if node.level else node.module
            modules += [f"{base}.{alias.name}" for alias in node.names]
    return modules


def rooms_imported(tree: ast.AST) -> set[str]:
    names = [module.split(".") for module in imported_modules(tree, "backprop_lib")]
    return {parts[1] for parts in names if parts[0] == "backprop_lib" and len(parts) > 1}


def rooms_out_of_order(tree: ast.AST, room: str) -> list[str]:
    """The rooms that a file of `room` imports although they do not stand above it."""
    above = ROOMS[: ROOMS.index(room)]
    return sorted(rooms_imported(tree) - set(above) - {room})


def test_every_room_is_listed() -> None:
    found = {room_of(path) for path in FILES} - {"__init__"}
    assert found - set(ROOMS) == set()


@pytest.mark.parametrize("path", [p for p in FILES if room_of(p) in ROOMS], ids=title)
def test_a_room_imports_only_rooms_above_it(path: Path) -> None:
    assert rooms_out_of_order(ast.parse(path.read_text(encoding="utf-8")), room_of(path)) == []


@pytest.mark.parametrize("path", FILES, ids=title)
def test_heavy_packages_have_one_importer(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    packages = {module.split(".")[0] for module in imported_modules(tree, "backprop_lib")}
    strangers = {name for name, owner in OWNERS.items() if owner != room_of(path)}
    assert packages & strangers == set()


def test_the_order_is_enforced() -> None:
    tree = ast.parse("def f():\n    from backprop_lib import trace, errors\n    import matplotlib")
    assert rooms_out_of_order(tree, "losses") == ["trace"]
    assert "matplotlib" in imported_modules(tree, "backprop_lib")


def test_init_lists_names_and_does_nothing_else() -> None:
    stub = ast.parse((HOUSE / "__init__.pyi").read_text(encoding="utf-8"))
    imported = [a.name for n in stub.body if isinstance(n, ast.ImportFrom) for a in n.names]
    listed = next(ast.literal_eval(n.value) for n in stub.body if isinstance(n, ast.Assign))
    assert sorted(imported) == sorted(listed) == sorted(backprop_lib.__all__)
    tree = ast.parse((HOUSE / "__init__.py").read_text(encoding="utf-8"))
    allowed = (ast.Import, ast.Assign, ast.Expr)
    assert [ast.unparse(node) for node in tree.body if not isinstance(node, allowed)] == []


def test_a_name_is_the_function_even_where_a_room_has_the_same_name() -> None:
    program = (
        "import backprop_lib.diagnose, backprop_lib.listing; "
        "from backprop_lib import diagnose, listing; "
        "print(callable(diagnose), callable(listing))"
    )
    assert run_python(program) == ["True", "True"]


def test_import_is_light() -> None:
    """What is slow to import waits until it is used; the library itself does not load numpy."""
    loaded = f"print(*[name for name in {(*SLOW_TO_IMPORT, 'numpy')!r} if name in sys.modules])"
    assert run_python(f"import sys, backprop_lib; {loaded}") == []


def test_training_needs_nothing_but_numpy() -> None:
    loaded = f"print(*[name for name in {SLOW_TO_IMPORT!r} if name in sys.modules])"
    names = "MLP, backward, fit, forward, half_mse, sgd, sigmoid"
    assert run_python(f"import sys; from backprop_lib import {names}; {loaded}") == []


def run_python(program: str) -> list[str]:
    """The words that a fresh interpreter prints."""
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.split()


# --- Length ---------------------------------------------------------------------------------------


def code_lines(function: ast.FunctionDef | ast.AsyncFunctionDef, source: str) -> int:
    """Lines that hold code, from `def` to the last one.

    The signature counts, however many lines it takes; the docstring, blank lines, lines with
    nothing but a comment, and decorators do not.
    """
    docstring: set[int] = set()
    first = function.body[0]
    if ast.get_docstring(function) is not None:
        docstring = set(range(first.lineno, first.end_lineno + 1))
    skipped = {tokenize.COMMENT, tokenize.NL, tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT}
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in skipped and token.string:
            lines.update(range(token.start[0], token.end[0] + 1))
    inside = range(function.lineno, function.end_lineno + 1)
    return len(lines & set(inside) - docstring)


def functions_in(source: str) -> list[tuple[str, int]]:
    return [
        (node.name, code_lines(node, source))
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    ]


@pytest.mark.parametrize("path", FILES, ids=title)
def test_no_function_is_longer_than_a_screen(path: Path) -> None:
    source = path.read_text(encoding="utf-8")
    longest = LONGEST_TABLE if title(path).startswith("exercises/chapter_") else LONGEST_FUNCTION
    too_long = {name: n for name, n in functions_in(source) if n > longest}
    assert too_long == {}


def test_how_lines_are_counted() -> None:
    source = (
        '@decorated\ndef f(\n    x,\n):\n    """Words.\n\n    More words.\n    """\n'
        '    # why\n\n    y = """two\n    lines"""\n    return y  # result\n'
    )
    assert functions_in(source) == [("f", 6)]


# --- Documentation --------------------------------------------------------------------------------


def sections(doc: str) -> dict[str, str]:
    """The numpydoc sections of a docstring: title -> text; the summary stands under ''."""
    pieces = re.split(r"^(\w[\w ]*)\n-{3,}\n?", inspect.cleandoc(doc), flags=re.MULTILINE)
    found = {"": pieces[0].strip()}
    return found | dict(zip(pieces[1::2], pieces[2::2], strict=True))


def documented_parameters(text: str) -> set[str]:
    """The names in a Parameters section, e.g. both of 'W, b : tuple'."""
    heads = re.findall(r"^(\*{0,2}\w[^\n]*?)(?: ?:.*)?$", text, flags=re.MULTILINE)
    return {name.strip().lstrip("*") for head in heads for name in head.split(",")}


def parameters_of(thing: object) -> set[str]:
    if inspect.isclass(thing):
        return {f.name for f in fields(thing) if f.init} if is_dataclass(thing) else set()
    return {name for name in inspect.signature(thing).parameters if name not in ("self", "cls")}


def documentation_gaps(thing: object) -> list[str]:
    """What a reader of the reference would miss about a function or a class."""
    found = sections(thing.__doc__ or "")
    gaps = [] if found[""] else ["no summary"]
    needed = parameters_of(thing)
    described = documented_parameters(found.get("Parameters", "") + found.get("Attributes", ""))
    gaps += [f"parameter {name} is not described" for name in sorted(needed - described)]
    if inspect.isfunction(thing):
        returned = inspect.signature(thing).return_annotation
        if returned not in ("None", None) and not {"Returns", "Yields"} & found.keys():
            gaps.append("what it returns is not described")
    is_exception = inspect.isclass(thing) and issubclass(thing, Exception)
    if ">>>" not in found.get("Examples", "") and not is_exception:
        gaps.append("no example that runs")
    return gaps


@pytest.mark.parametrize("name", PUBLIC)
def test_public_names_are_documented(name: str) -> None:
    thing = getattr(backprop_lib, name)
    if not (inspect.isclass(thing) or inspect.isfunction(thing)):
        # A value such as `sigmoid` or `half_mse` is documented by its class, a public one.
        thing = type(thing)
        assert thing.__name__ in PUBLIC, f"{name} is a {thing.__name__}, which is not public"
    assert documentation_gaps(thing) == []


def test_gaps_are_found() -> None:
    def undocumented(x: float, *, y: float) -> float:
        """Add.

        Parameters
        ----------
        x : float
            First.
        """
        return x + y

    assert documentation_gaps(undocumented) == [
        "parameter y is not described",
        "what it returns is not described",
        "no example that runs",
    ]


def test_all_is_sorted_out() -> None:
    """Nothing twice, nothing private, nothing that does not exist."""
    assert len(PUBLIC) == len(set(PUBLIC))
    assert [name for name in PUBLIC if name.startswith("_")] == []
    assert [name for name in PUBLIC if not hasattr(backprop_lib, name)] == []
