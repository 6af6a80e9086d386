r"""One backward pass whose laws can be bent: the gradient that each classic mistake gives.

`Laws` are the laws of backpropagation, one a field; every layer has its own set. A mistake is a
`Rule`: it replaces a law or two by a caricature in some layers, or multiplies the output error.
So there is one backward pass, `bent_gradient`, and a table, `RULES`, instead of thirty copies.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from math import prod
from typing import Any, NamedTuple

import numpy as np

from backprop_lib.activations import Activation
from backprop_lib.errors import Array
from backprop_lib.losses import Loss, half_mse, sse
from backprop_lib.network import MLP, Layers, Params


@dataclass(frozen=True, eq=False)
class Case:
    """What a gradient is the gradient of: one network on one batch, after its forward pass.

    ``out[l]`` is phi(z[l]); ``a[l]`` is what layer l+1 is fed, ``out[l]`` times the dropout mask.
    """

    mlp: MLP
    params: Params
    y: Array
    loss: Loss
    z: Layers
    out: Layers
    a: Layers
    masks: Mapping[int, Array]
    l2: float = 0.0
    learning_rate: float | None = None
    previous: Params | None = None

    @property
    def N(self) -> int:
        """Number of samples."""
        return len(self.y)

    @property
    def K(self) -> int:
        """Number of outputs, n_L."""
        return self.mlp.sizes[-1]


def make_case(
    mlp: MLP,
    params: Params,
    X: Array,
    y: Array,
    loss: Loss,
    masks: Mapping[int, Array],
    **knowledge: Any,
) -> Case:
    """Run the network forwards, dropout masks included, and keep what a backward pass reads."""
    z: list[Any] = [None]
    out: list[Any] = [X]
    a: list[Any] = [X * masks[0] if 0 in masks else X]
    for l in range(1, mlp.L + 1):
        z.append(a[l - 1] @ params.W[l].T + params.b[l])
        out.append(mlp.phi[l].f(z[l]))
        a.append(out[l] * masks[l] if l in masks else out[l])
    return Case(mlp, params, y, loss, tuple(z), tuple(out), tuple(a), masks, **knowledge)


# --------------------------------------------------------------------------------------------
# The laws, and the backward pass that obeys them


def _output_error(case: Case, laws: Laws) -> Array:
    """dJ/dz[L]; where loss and activation are partners the slope has cancelled."""
    phi, y = case.mlp.phi[-1], laws.targets(case)
    if phi is case.loss.canonical:
        return case.loss.delta(case.out[-1], y)
    return case.loss.grad(case.out[-1], y) * laws.slope(phi, case.z[-1], case.out[-1])


@dataclass(frozen=True)
class Laws:
    """The laws that one layer obeys in the backward pass; the defaults are right."""

    targets: Callable[[Case], Array] = lambda case: case.y
    output_error: Callable[[Case, Laws], Array] = _output_error
    slope: Callable[[Activation, Array, Array], Array] = lambda phi, z, out: phi.d(z, out)
    carry: Callable[[Case, Array, Array], Array] = lambda case, W, dW: W
    mask: Callable[[Array], Array] = lambda mask: mask
    fed: Callable[[Case, int], Array] = lambda case, l: case.a[l - 1]
    turn: Callable[[Array], Array] = lambda dW: dW
    bias: Callable[[Array], Any] = lambda delta: delta.sum(axis=0)
    weight_decay: float = 1.0
    bias_decay: float = 0.0
    accumulate: float = 0.0


RIGHT = Laws()


def bent_gradient(case: Case, laws: Mapping[int, Laws], factor: float = 1.0) -> Params:
    """The backward pass in which layer l obeys ``laws[l]``, the right ones where none are given.

    With no laws bent and the factor 1 it is `backprop.propagate_back`, with dropout and L2.
    """
    grads = case.params.like(np.empty_like(case.params.theta))
    delta: Any = None
    for l in range(case.mlp.L, 0, -1):
        law = laws.get(l, RIGHT)
        if l == case.mlp.L:
            delta = factor * law.output_error(case, law)
        else:
            delta = delta @ law.carry(case, case.params.W[l + 1], grads.W[l + 1])
            if l in case.masks:
                delta = delta * law.mask(case.masks[l])
            delta = delta * law.slope(case.mlp.phi[l], case.z[l], case.out[l])
        dW = delta.T @ law.fed(case, l) + law.weight_decay * case.l2 * case.params.W[l]
        grads.W[l][:] = law.turn(dW)
        grads.b[l][:] = law.bias(delta) + law.bias_decay * case.l2 * case.params.b[l]
        if case.previous is not None:
            grads.W[l][:] += law.accumulate * case.previous.W[l]
            grads.b[l][:] += law.accumulate * case.previous.b[l]
    return grads


# --------------------------------------------------------------------------------------------
# Where a mistake can be made. An empty answer: not in this network.


def _output(case: Case) -> Sequence[int]:
    return (case.mlp.L,)


def _everywhere(case: Case) -> Sequence[int]:
    return range(1, case.mlp.L + 1)


def _hidden(case: Case) -> Sequence[int]:
    return range(1, case.mlp.L)


def _sloped(case: Case) -> Sequence[int]:
    """Hidden layers whose slope is not 1 anyway."""
    return [l for l in _hidden(case) if case.mlp.phi[l].name != "identity"]


def _short_form(case: Case) -> Sequence[int]:
    """Layers whose slope is written in terms of a: a(1 - a), 1 - a^2."""
    last = [] if case.mlp.phi[-1] is case.loss.canonical else [case.mlp.L]
    smooth = ("sigmoid", "tanh")
    return [l for l in (*_hidden(case), *last) if case.mlp.phi[l].name in smooth]


def _relu(case: Case) -> Sequence[int]:
    return [l for l in _everywhere(case) if case.mlp.phi[l].name == "relu"]


def _square(case: Case, l: int) -> bool:
    return 1 < case.mlp.sizes[l] == case.mlp.sizes[l - 1]


def _before_square(case: Case) -> Sequence[int]:
    return [l for l in _hidden(case) if _square(case, l + 1)]


def _square_layers(case: Case) -> Sequence[int]:
    return [l for l in _everywhere(case) if _square(case, l)]


def _wide_enough(case: Case) -> Sequence[int]:
    """Layers with an activation of their own for each input."""
    return [l for l in _everywhere(case) if case.mlp.sizes[l] >= case.mlp.sizes[l - 1]]


def _as_wide_as_the_batch(case: Case) -> Sequence[int]:
    return [l for l in _everywhere(case) if case.mlp.sizes[l] == case.N > 1]


def _several_units(case: Case) -> Sequence[int]:
    return [l for l in _everywhere(case) if case.mlp.sizes[l] > 1]


def _masked(case: Case) -> Sequence[int]:
    return [l for l in _hidden(case) if l in case.masks]


def _only_if(
    condition: Callable[[Case], Any], layers: Callable[[Case], Sequence[int]]
) -> Callable[[Case], Sequence[int]]:
    return lambda case: layers(case) if condition(case) else ()


def _averages(case: Case) -> bool:
    return case.loss is not sse


def _partners(case: Case) -> bool:
    """Softmax with cross-entropy, sigmoid with bce."""
    return case.mlp.phi[-1] is case.loss.canonical and case.loss not in (half_mse, sse)


def _sloped_output(case: Case) -> bool:
    return case.mlp.phi[-1].name != "identity"


def _curved_output(case: Case) -> bool:
    return case.mlp.phi[-1].name in ("sigmoid", "tanh", "softmax")


# --------------------------------------------------------------------------------------------
# The caricatures


def _loss_slope_alone(case: Case, laws: Laws) -> Array:
    return case.loss.grad(case.out[-1], laws.targets(case))


def _slope_once_more(case: Case, laws: Laws) -> Array:
    """p(1 - p) again; of softmax the diagonal of its Jacobian, as people write it."""
    phi, z, p = case.mlp.phi[-1], case.z[-1], case.out[-1]
    slope = laws.slope(phi, z, p) if phi.elementwise else p * (1 - p)
    return _output_error(case, laws) * slope


def _squashed_again(case: Case, laws: Laws) -> Array:
    """The error as one writes it, output minus target, of an output that was squashed twice."""
    return case.loss.delta(case.mlp.phi[-1].f(case.out[-1]), laws.targets(case))


def _through_both(case: Case, laws: Laws) -> Array:
    """The derivative of the loss of an output squashed twice, as a framework would take it."""
    phi, error = case.mlp.phi[-1], _squashed_again(case, laws)
    slope = phi.d(case.z[-1], case.out[-1])
    return error * slope if phi.elementwise else np.einsum("nk,nki->ni", error, slope)


def _updated(case: Case, W: Array, dW: Array) -> Array:
    return W - case.learning_rate * dW if case.learning_rate else W


def _ge_slope(phi: Activation, z: Array, out: Array) -> Array:
    return (out >= 0).astype(z.dtype) if phi.name == "relu" else phi.d(z, out)


def slope_at_zero(slope: float) -> Callable[[Activation, Array, Array], Array]:
    """The slope of an activation with a kink, where its two sides meet: `slope`, not 0."""

    def with_kink(phi: Activation, z: Array, out: Array) -> Array:
        if phi.name not in ("relu", "leaky_relu"):
            return phi.d(z, out)
        return np.where(z == 0, slope, phi.d(z, out))

    return with_kink


def _own_activation(case: Case, l: int) -> Array:
    return case.a[l][:, : case.mlp.sizes[l - 1]]


# --------------------------------------------------------------------------------------------
# The table


@dataclass(frozen=True)
class Rule:
    """A mistake as a change of laws: in which layers it can be made, and what it changes there."""

    layers: Callable[[Case], Sequence[int]]
    changes: Mapping[str, Any] = field(default_factory=dict)
    factor: Callable[[Case], float] | None = None


def _scaled(factor: Callable[[Case], float], condition: Callable[[Case], Any]) -> tuple[Rule, ...]:
    return (Rule(_only_if(condition, _output), factor=factor),)


def _bent(layers: Callable[[Case], Sequence[int]], **changes: Any) -> tuple[Rule, ...]:
    return (Rule(layers, changes),)


def _misaligned(order: Callable[[Array], Array]) -> Rule:
    layers = _only_if(lambda case: case.N > 1, _output)
    return Rule(layers, {"targets": lambda case: order(case.y)})


# A mistake with several rules is made in several ways; each is tried.
RULES: dict[str, tuple[Rule, ...]] = {
    "sum_not_mean": _scaled(lambda case: case.N, _averages),
    "averaged_twice": _scaled(lambda case: 1 / case.N, _averages),
    "mean_not_sum": _scaled(lambda case: 1 / case.N, lambda case: case.loss is sse),
    "mean_over_outputs": _scaled(lambda case: 1 / case.K, lambda case: case.K > 1),
    "missing_half": _scaled(lambda case: 2, lambda case: case.loss is half_mse),
    "missing_two": _scaled(lambda case: 1 / 2, lambda case: case.loss in (half_mse, sse)),
    "sign": _scaled(lambda case: -1, lambda case: True),
    "output_slope_omitted": _bent(
        _only_if(_sloped_output, _output), output_error=_loss_slope_alone
    ),
    "extra_slope": _bent(_only_if(_curved_output, _output), output_error=_slope_once_more),
    "softmax_twice": (
        Rule(_only_if(_partners, _output), {"output_error": _squashed_again}),
        Rule(_only_if(_partners, _output), {"output_error": _through_both}),
    ),
    "labels_misaligned": (
        _misaligned(lambda y: np.roll(y, 1, axis=0)),
        _misaligned(lambda y: np.roll(y, -1, axis=0)),
        _misaligned(lambda y: y[::-1]),
    ),
    "early_update": _bent(_only_if(lambda case: case.learning_rate, _hidden), carry=_updated),
    "transposed": _bent(_before_square, carry=lambda case, W, dW: W.T),
    "hidden_slope_omitted": _bent(_sloped, slope=lambda phi, z, out: np.ones_like(z)),
    "slope_at_a": _bent(_short_form, slope=lambda phi, z, out: phi.d(out, phi.f(out))),
    "slope_of_z": _bent(_short_form, slope=lambda phi, z, out: phi.d(z, z)),
    "relu_ge": _bent(_relu, slope=_ge_slope),
    "dropout_factor_lost": _bent(_masked, mask=lambda mask: (mask != 0).astype(mask.dtype)),
    "dropout_mask_lost": _bent(_masked, mask=np.ones_like),
    "own_activation": _bent(_wide_enough, fed=_own_activation),
    "gradient_transposed": _bent(_square_layers, turn=lambda dW: dW.T),
    "bias_missing": _bent(_everywhere, bias=lambda delta: 0),
    "bias_averaged_twice": _bent(_everywhere, bias=lambda delta: delta.mean(axis=0)),
    "bias_not_averaged": _bent(
        _only_if(_averages, _everywhere), bias=lambda delta: delta.sum(axis=0) * len(delta)
    ),
    "bias_wrong_axis": _bent(_as_wide_as_the_batch, bias=lambda delta: delta.sum(axis=1)),
    "bias_over_all_axes": _bent(_several_units, bias=np.sum),
    "accumulated": _bent(
        _only_if(lambda case: case.previous is not None, _everywhere), accumulate=1.0
    ),
    "l2_on_biases": _bent(_only_if(lambda case: case.l2, _everywhere), bias_decay=1.0),
    "l2_missing": _bent(_only_if(lambda case: case.l2, _everywhere), weight_decay=0.0),
}


class Bend(NamedTuple):
    """One rule, made in some of the layers where it can be made."""

    name: str
    rule: Rule
    layers: tuple[int, ...]


def bends(case: Case, name: str) -> list[Bend]:
    """The ways to make a mistake everywhere it can be made in this network; [] if nowhere."""
    made = [Bend(name, rule, tuple(rule.layers(case))) for rule in RULES.get(name, ())]
    return [bend for bend in made if bend.layers]


def clash(first: Bend, second: Bend) -> bool:
    """Whether two mistakes want to replace the same law of the same layer."""
    laws = set(first.rule.changes) & set(second.rule.changes)
    return bool(laws and set(first.layers) & set(second.layers))


def gradient_with(case: Case, *made: Bend) -> Params:
    """The gradient of somebody who makes these mistakes, and no other."""
    laws: dict[int, Laws] = {}
    for bend in made:
        for l in bend.layers:
            laws[l] = replace(laws.get(l, RIGHT), **bend.rule.changes)
    return bent_gradient(case, laws, prod(b.rule.factor(case) for b in made if b.rule.factor))
