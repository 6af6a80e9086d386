"""The library of the book *Backpropagation, Every Number Checked*.

The names that chapters use, by the room they live in. Rooms are listed in the order in which a
reader needs them; each imports only rooms above it.
"""

from backprop_lib.activations import (
    Activation,
    identity,
    leaky_relu,
    relu,
    sigmoid,
    softmax,
    step,
    tanh,
)
from backprop_lib.backprop import Backward, backward, delta_of
from backprop_lib.data import (
    Images,
    Penguins,
    load_digits,
    load_mnist,
    load_penguins,
    load_xor,
    make_moons,
    make_spirals,
    standardise,
)
from backprop_lib.errors import Diverged, ShapeError
from backprop_lib.gradcheck import (
    GradientReport,
    central_differences,
    check_gradients,
    relative_distance,
)
from backprop_lib.listing import listing
from backprop_lib.losses import Loss, bce, cross_entropy, half_mse, one_hot, sse
from backprop_lib.network import (
    MLP,
    Cache,
    Params,
    constant,
    cost,
    count_parameters,
    forward,
    he,
    normal,
    predict,
    xavier,
    zeros,
)
from backprop_lib.optimizers import Optimizer, sgd
from backprop_lib.trace import Quantity, Trace, trace_step
from backprop_lib.training import Fit, History, accuracy, fit, minibatches

__version__ = "0.1.0"

__all__ = [
    "MLP",
    "Activation",
    "Backward",
    "Cache",
    "Diverged",
    "Fit",
    "GradientReport",
    "History",
    "Images",
    "Loss",
    "Optimizer",
    "Params",
    "Penguins",
    "Quantity",
    "ShapeError",
    "Trace",
    "accuracy",
    "backward",
    "bce",
    "central_differences",
    "check_gradients",
    "constant",
    "cost",
    "count_parameters",
    "cross_entropy",
    "delta_of",
    "fit",
    "forward",
    "half_mse",
    "he",
    "identity",
    "leaky_relu",
    "listing",
    "load_digits",
    "load_mnist",
    "load_penguins",
    "load_xor",
    "make_moons",
    "make_spirals",
    "minibatches",
    "normal",
    "one_hot",
    "predict",
    "relative_distance",
    "relu",
    "sgd",
    "sigmoid",
    "softmax",
    "sse",
    "standardise",
    "step",
    "tanh",
    "trace_step",
    "xavier",
    "zeros",
]
