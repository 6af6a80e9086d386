from __future__ import annotations

from backprop_lib.live import Axis, Curve, Slider

figure = Curve(
    "tanh-slope",
    "The hyperbolic tangent and its slope, which is 1 at most, where z is 0.",
    x=Axis("z", -4, 4),
    y=Axis("value", -1, 1),
    point=Slider("z", 0.5, -4, 4, 0.1),
    curves={"tanh": ("tanh", "z"), "slope": ("-", 1, ("square", ("tanh", "z")))},
)
