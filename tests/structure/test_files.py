"""What may not stand in any file of the project, and what must be there."""

from __future__ import annotations

import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import nbformat
import pytest

from tools.notebooks import slugs

ROOT = Path(__file__).resolve().parents[2]
NOT_OURS = ("website/vendor/",)
# Written so that this file does not contain what it looks for.
FORBIDDEN = {
    "a mark of unfinished work": r"\b(?:TO" + r"DO|FIX" + r"ME|XX" + r"X|HA" + r"CK)\b",
    "a path of one machine": r"(?<![\w./~>-])/(?:wo" + r"rk|ro" + r"ot|ho" + r"me|Us" + r"ers)/\w",
    "a path of temporary files": r"(?<![\w./])/t" + r"mp/\w",
    "the host of a package registry": r"py" + r"pi\.org|pythonhos" + r"ted|npm" + r"js\.",
    "a conflict mark": r"^(?:<{7} |>{7} |={7}$)",
}
LARGEST_FILE = {".ipynb": 1_500_000, ".npz": 16_000_000, ".woff2": 100_000}
LARGEST_OTHER_FILE = 400_000


def tracked() -> list[Path]:
    """Files that are, or could be, committed: what git would not ignore."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard", "-z"]
    listed = subprocess.run(command, cwd=ROOT, capture_output=True, check=True, text=True).stdout
    paths = [ROOT / name for name in sorted(set(listed.split("\0"))) if name]
    return [path for path in paths if path.is_file()]


def is_ours(path: Path) -> bool:
    return not path.relative_to(ROOT).as_posix().startswith(NOT_OURS)


def texts(path: Path) -> Iterator[str]:
    """What a person could read in a file: of a notebook, everything but its pictures."""
    if path.suffix == ".ipynb":
        for cell in nbformat.read(path, as_version=4).cells:
            yield cell.source
            for output in cell.get("outputs", []):
                yield from (str(output.get(key, "")) for key in ("text", "evalue", "traceback"))
                data = output.get("data", {}).items()
                yield from (str(value) for kind, value in data if kind != "image/png")
        return
    try:
        yield path.read_text(encoding="utf-8")
    except UnicodeDecodeError:
        return


def forbidden_in(text: str) -> list[str]:
    without_pictures = re.sub(r"base64,[\w+/=]+", "", text)
    return [
        f"{meaning}: {match[0]!r}"
        for meaning, pattern in FORBIDDEN.items()
        if (match := re.search(pattern, without_pictures, flags=re.MULTILINE))
    ]


OURS = [path for path in tracked() if is_ours(path)]


def test_forbidden_words() -> None:
    offenders = {
        path.relative_to(ROOT).as_posix(): found
        for path in OURS
        if (found := [word for text in texts(path) for word in forbidden_in(text)])
    }
    assert offenders == {}


@pytest.mark.parametrize("bad", ["# TO" + "DO: later", 'open("/ho' + 'me/me/x")', "=" * 7])
def test_forbidden_words_are_found(bad: str) -> None:
    assert forbidden_in(f"fine\n{bad}\nfine")


def test_files_are_small() -> None:
    sizes = {path.relative_to(ROOT).as_posix(): path.stat().st_size for path in tracked()}
    too_large = {
        name: size
        for name, size in sizes.items()
        if size > LARGEST_FILE.get(Path(name).suffix, LARGEST_OTHER_FILE)
    }
    assert too_large == {}


def test_text_files_end_with_one_newline() -> None:
    suffixes = (".py", ".md", ".ipynb", ".toml", ".yml", ".cff", ".txt", ".mjs", ".css", ".js")
    contents = {path: path.read_bytes() for path in OURS if path.suffix in suffixes}
    wrong = [
        path.relative_to(ROOT).as_posix()
        for path, content in contents.items()
        if content and (not re.search(rb"[^\n]\n\Z", content) or b"\r\n" in content)
    ]
    assert wrong == []


@pytest.mark.parametrize(
    "name",
    ["README.md", "LICENSE", "LICENSE-TEXT", "CITATION.cff", "constraints.txt", "Makefile"],
)
def test_a_reader_finds(name: str) -> None:
    assert (ROOT / name).stat().st_size > 0


def test_there_are_chapters() -> None:
    assert slugs()
    assert all(re.fullmatch(r"\d\d_[a-z_]+", slug) for slug in slugs())


def test_every_module_of_the_tests_can_be_imported_by_its_name() -> None:
    """Folders of tests share one list of places to import from: of two namesakes one is found."""
    modules = [
        path for path in tracked() if path.suffix == ".py" and ROOT / "tests" in path.parents
    ]
    names = [path.stem for path in modules if path.name != "conftest.py"]
    assert sorted(names) == sorted(set(names))
    importers = [
        path.relative_to(ROOT).as_posix()
        for path in modules
        if re.search(r"^(?:from|import) conftest\b", path.read_text(encoding="utf-8"), re.MULTILINE)
    ]
    assert importers == [], "what a test imports stands in a module with a name of its own"
