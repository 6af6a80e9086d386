"""Live figures: what a reader can move on the page, with no kernel and no network.

The only room that imports anywidget; `backprop_lib` itself never imports it.
"""

from backprop_lib.live.base import LiveFigure
from backprop_lib.live.circuit import Circuit, Graph
from backprop_lib.live.controls import Axis, Choice, Readout, Slider
from backprop_lib.live.curve import Curve
from backprop_lib.live.explorer import Explorer
from backprop_lib.live.export import EightBits, centred, eight_bits
from backprop_lib.live.film import Bars, Film, Matrix, Scatter, Series
from backprop_lib.live.pad import Pad
from backprop_lib.live.plane import Path, Plane, Surface

__all__ = [
    "Axis",
    "Bars",
    "Choice",
    "Circuit",
    "Curve",
    "EightBits",
    "Explorer",
    "Film",
    "Graph",
    "LiveFigure",
    "Matrix",
    "Pad",
    "Path",
    "Plane",
    "Readout",
    "Scatter",
    "Series",
    "Slider",
    "Surface",
    "centred",
    "eight_bits",
]
