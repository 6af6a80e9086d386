"""The archive of a release: what is packed, that it is reproducible, that its checksums hold."""

from __future__ import annotations

import hashlib
import os
import zipfile
from pathlib import Path

import pytest

import backprop_lib
from tools import archive


@pytest.fixture
def book(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A built book of one page with a picture, in a folder of the test's own."""
    site = tmp_path / "_build" / "html"
    (site / "_images").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html>", encoding="utf-8")
    (site / "_images" / "a.png").write_bytes(b"\x89PNG")
    (site / ".buildinfo").write_text("for Sphinx", encoding="utf-8")
    monkeypatch.setattr(archive, "SITE", site)
    monkeypatch.setattr(archive, "DIST", tmp_path / "dist")
    monkeypatch.delenv("TAG", raising=False)
    return tmp_path


def sums(folder: Path) -> dict[str, str]:
    lines = (folder / "SHA256SUMS").read_text(encoding="utf-8").splitlines()
    return {name: digest for digest, name in (line.split("  ") for line in lines)}


def test_every_page_is_packed_and_every_file_has_its_checksum(book: Path) -> None:
    (book / "dist").mkdir()
    (book / "dist" / "backprop_lib-0-py3-none-any.whl").write_bytes(b"wheel")
    (book / "dist" / "book.pdf").write_bytes(b"%PDF")
    assert archive.main() == 0
    name = f"backpropagation-{backprop_lib.__version__}"
    with zipfile.ZipFile(book / "dist" / f"{name}-html.zip") as packed:
        assert packed.namelist() == [f"{name}-html/_images/a.png", f"{name}-html/index.html"]
        assert packed.read(f"{name}-html/_images/a.png") == b"\x89PNG"
    found = {
        path.name: hashlib.sha256(path.read_bytes()).hexdigest()
        for path in (book / "dist").iterdir()
        if path.name != "SHA256SUMS"
    }
    assert sums(book / "dist") == found
    assert found.keys() == {f"{name}-html.zip", "book.pdf", "backprop_lib-0-py3-none-any.whl"}


def test_the_same_pages_give_the_same_archive(book: Path) -> None:
    assert archive.main() == 0
    before = sums(book / "dist")
    os.utime(book / "_build" / "html" / "index.html", (1e9, 1e9))
    assert archive.main() == 0
    assert sums(book / "dist") == before
    (book / "_build" / "html" / "index.html").write_text("changed", encoding="utf-8")
    assert archive.main() == 0
    assert sums(book / "dist") != before


def test_nothing_is_packed_without_a_built_book(
    book: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (book / "_build" / "html" / "index.html").unlink()
    assert archive.main() == 1
    assert "make book" in capsys.readouterr().err
    assert not (book / "dist").exists()


def test_a_tag_must_name_the_version(book: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TAG", f"v{backprop_lib.__version__}")
    assert archive.main() == 0
    monkeypatch.setenv("TAG", "v999")
    with pytest.raises(SystemExit, match="the tag must be"):
        archive.main()
