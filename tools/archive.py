"""Pack the built book for a release: `make archive`.

dist/ gets the site as one zip file, and SHA256SUMS over every file that is there, the PDF and the
packages of the library included. The same pages always give the same zip file, byte for
byte. Where the variable TAG is set, it must name the version of the library.
"""

from __future__ import annotations

import hashlib
import os
import sys
import zipfile
from pathlib import Path

import backprop_lib
from tools.environment import ROOT

SITE = ROOT / "_build" / "html"
DIST = ROOT / "dist"
NAME = "backpropagation"
SUMS = "SHA256SUMS"
# The oldest moment that a zip file can name.
LONG_AGO = (1980, 1, 1, 0, 0, 0)
# Of use to the next build only.
NOT_PACKED = (".buildinfo", ".doctrees")


def check_tag(tag: str, version: str) -> None:
    """Refuse to pack a release under another name than its version."""
    if tag and tag != f"v{version}":
        raise SystemExit(
            f"TAG is {tag!r}, but the library is version {version}: the tag must be 'v{version}'. "
            "The version stands in backprop_lib/__init__.py and CITATION.cff."
        )


def pack(site: Path, target: Path) -> None:
    """Write the site into one zip file that unpacks into a folder of its own name."""
    with zipfile.ZipFile(target, "w", zipfile.ZIP_DEFLATED, compresslevel=9) as archive:
        for path in sorted(site.rglob("*")):
            inside = path.relative_to(site)
            if path.is_file() and not set(NOT_PACKED) & set(inside.parts):
                entry = zipfile.ZipInfo(f"{target.stem}/{inside.as_posix()}", LONG_AGO)
                entry.compress_type = zipfile.ZIP_DEFLATED
                entry.external_attr = 0o644 << 16
                archive.writestr(entry, path.read_bytes())


def write_sums(folder: Path) -> None:
    """Write the checksums in the form that `sha256sum --check` reads."""
    files = sorted(path for path in folder.iterdir() if path.is_file() and path.name != SUMS)
    lines = [f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.name}\n" for path in files]
    (folder / SUMS).write_text("".join(lines), encoding="utf-8")


def main() -> int:
    version = backprop_lib.__version__
    check_tag(os.environ.get("TAG", ""), version)
    if not (SITE / "index.html").is_file():
        print("There is no built book yet: run `make book` first.", file=sys.stderr)
        return 1
    DIST.mkdir(exist_ok=True)
    for old in DIST.glob(f"{NAME}-*.zip"):
        old.unlink()
    pack(SITE, DIST / f"{NAME}-{version}-html.zip")
    write_sums(DIST)
    print((DIST / SUMS).read_text(encoding="utf-8"), end="")
    return 0


if __name__ == "__main__":
    sys.exit(main())
