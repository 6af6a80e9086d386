"""Pictures inside notebooks: reproducible files, and what of them is to be compared.

A PNG is compared by its pixels; an SVG, stored with coordinates that a reader's machine can repeat,
character by character except for the names of its parts.
"""

from __future__ import annotations

import hashlib
import io
import re
import struct
from base64 import b64decode, b64encode
from collections.abc import Iterator

SIGNATURE = b"\x89PNG\r\n\x1a\n"
# Names matplotlib gives to clipping paths and markers: a letter and a checksum of unrounded floats.
HASHED_NAME = re.compile(r"(?<=[\"#])[A-Za-z](?:\d+_)*[0-9a-f]{10}(?=[\")])")
# Chunks that hold remarks (which program, which version, when), not the picture.
REMARKS = (b"tEXt", b"zTXt", b"iTXt", b"tIME", b"eXIf")
# Where an SVG holds coordinates, in points; a scale or a width is another matter.
COORDINATES = re.compile(r'(?<=\s)(?:d|x|y|x1|x2|y1|y2|cx|cy|points)="[^"]*"|translate\([^)]*\)')
LONG_DECIMAL = re.compile(r"-?\d+\.\d{3,}")


def _chunks(png: bytes) -> Iterator[tuple[bytes, bytes]]:
    """(type, whole chunk) one after the other; a chunk is length, type, data, checksum."""
    position = len(SIGNATURE)
    while position < len(png):
        (length,) = struct.unpack(">I", png[position : position + 4])
        end = position + 12 + length
        yield png[position + 4 : position + 8], png[position:end]
        position = end


def without_remarks(png: bytes) -> bytes:
    """Return the same picture without text, time and camera chunks."""
    if not png.startswith(SIGNATURE):
        raise ValueError("not a PNG file: the signature is missing")
    return SIGNATURE + b"".join(chunk for kind, chunk in _chunks(png) if kind not in REMARKS)


def normalise_base64(text: str) -> str:
    """`without_remarks` for a picture as a notebook stores it: base64 on one line."""
    return b64encode(without_remarks(b64decode(text))).decode("ascii")


def describe_base64(text: str) -> str:
    """Return size and a fingerprint of the pixels: equal for equal pictures, however compressed."""
    from PIL import Image

    with Image.open(io.BytesIO(b64decode(text))) as picture:
        pixels = picture.convert("RGBA")
    fingerprint = hashlib.sha256(pixels.tobytes()).hexdigest()[:16]
    return f"PNG, {pixels.width} x {pixels.height} pixels, fingerprint {fingerprint}"


def with_plain_names(svg: str) -> str:
    """Call the hashed names in an SVG part-1, part-2, ... in order of appearance.

    The checksums move with the last bits of a float, on another processor for example, where
    every coordinate is still printed alike. Two names stay two names, and one stays one.
    """
    names: dict[str, str] = {}
    return HASHED_NAME.sub(lambda name: names.setdefault(name[0], f"part-{len(names) + 1}"), svg)


def with_round_coordinates(svg: str) -> str:
    """The same SVG with every coordinate rounded to a hundredth of a point, which nobody can see.

    matplotlib writes six decimals; the last of them differ between processors.
    """

    def rounded(number: re.Match[str]) -> str:
        # Adding 0 turns -0.0 into 0.0.
        return f"{round(float(number[0]), 2) + 0:.2f}".rstrip("0").rstrip(".")

    return COORDINATES.sub(lambda place: LONG_DECIMAL.sub(rounded, place[0]), svg)
