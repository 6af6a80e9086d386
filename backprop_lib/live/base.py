"""The base of all live figures: a widget where a kernel runs, a picture that moves where none does.

A figure's output holds three readings of one state. Notebooks with a kernel show the widget.
The static page finds the ``div`` with ``data-live`` and brings it to life (``loader.mjs``).
Everything else, a viewer that drops scripts and data attributes included, shows the fallback.
"""

from __future__ import annotations

import base64
import html
import re
from typing import Any, ClassVar

import anywidget
import traitlets

from backprop_lib.live.encode import jsonable, to_attribute
from backprop_lib.live.modules import FOLDER, joined

_NAME = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


class LiveFigure(anywidget.AnyWidget):
    """A figure that a reader can move; each kind is a subclass with an ES module beside it.

    Parameters
    ----------
    name : str
        Identifies the figure on its page and in shared addresses: small letters, digits, hyphens.
    alt : str
        What is drawn and the one thing to see, for readers who do not see it.
    state : dict
        Everything the figure's module draws and computes from, as JSON holds it.
    fallback : str
        HTML without scripts or addresses that shows the state where nothing can move.

    Attributes
    ----------
    kind : str
        The name of the module that draws the figure, e.g. ``"curve"`` for ``curve.mjs``.
    values : dict
        What the reader has moved away from its initial value, by key of the control. With a
        kernel it follows the reader and may be set.

    Raises
    ------
    ValueError
        If the name is not of the form above or `alt` is empty.

    Examples
    --------
    >>> from backprop_lib.live import Curve
    >>> issubclass(Curve, LiveFigure)
    True
    """

    kind: ClassVar[str] = ""
    state = traitlets.Dict().tag(sync=True)
    values = traitlets.Dict().tag(sync=True)

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        # ipywidgets makes a further subclass for each instance; only a kind has texts of its own.
        if "kind" in cls.__dict__:
            cls._esm = joined(cls.kind)
            cls._css = (FOLDER / "live.css").read_text(encoding="utf-8")

    def __init__(self, name: str, alt: str, state: dict[str, Any], fallback: str) -> None:
        if not _NAME.fullmatch(name):
            raise ValueError(
                f"name is {name!r}, expected small letters, digits and single hyphens, "
                f"as in 'learning-rate'"
            )
        if not alt.strip():
            raise ValueError("alt is empty, expected a sentence that says what the figure shows")
        self.name = name
        self.alt = alt
        self.fallback = fallback
        super().__init__(state=jsonable({"alt": alt, **state}))

    def __repr__(self) -> str:
        return f"<{type(self).__name__} {self.name}>"

    def to_html(self) -> str:
        """The figure for a static page: its state, out of sight, and its fallback.

        Returns
        -------
        str
            One ``div`` without scripts and without addresses. The state stands in an attribute,
            which no viewer shows and every sanitiser drops.
        """
        return (
            f'<div class="live" id="{self.name}" data-live="{self.kind}" '
            f"data-state='{to_attribute(self.state)}'>\n{self.fallback}\n</div>"
        )

    def _repr_mimebundle_(self, **kwargs: Any) -> tuple[dict[str, Any], dict[str, Any]]:
        data, metadata = super()._repr_mimebundle_(**kwargs) or ({}, {})
        return {**data, "text/html": self.to_html()}, metadata


def image(svg: str, alt: str, width: int, height: int) -> str:
    """An ``img`` element that carries its SVG along: viewers that drop inline SVG keep images.

    Parameters
    ----------
    svg : str
        The picture.
    alt : str
        What it shows.
    width, height : int
        Its size in pixels; pages keep the room free before it is drawn.

    Returns
    -------
    str

    Examples
    --------
    >>> image("<svg/>", 'a "line"', 10, 20)
    '<img alt="a &quot;line&quot;" width="10" height="20" src="data:image/svg+xml;base64,PHN2Zy8+">'
    """
    encoded = base64.b64encode(svg.encode("utf-8")).decode("ascii")
    return (
        f'<img alt="{html.escape(alt)}" width="{width}" height="{height}" '
        f'src="data:image/svg+xml;base64,{encoded}">'
    )
