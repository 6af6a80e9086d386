r"""Deep networks: batch normalisation and skip connections, forwards and backwards.

`DeepMLP` is an `MLP` with two switches. Whatever is switched, ``a[l-1]`` enters a layer,
``z[l]`` is what its activation is fed, and ``delta[l]`` is dJ/dz[l]. Parameters are one flat
vector again, so every optimizer works on them unchanged. May import the rooms above it.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np

from backprop_lib.backprop import check_backward, output_delta
from backprop_lib.errors import Array, ShapeError, check_array, check_fraction, check_positive
from backprop_lib.losses import Loss
from backprop_lib.network import (
    MLP,
    Cache,
    Initialiser,
    Layers,
    Params,
    check_input,
    cost,
    count_parameters,
    he,
)

EPS = 1e-5  # added to a variance before its root is divided by: a unit may say the same to all rows


def with_gain(gain: float) -> Initialiser:
    r"""Normal weights of variance gain/n_in: by what factor a linear layer scales squares.

    Parameters
    ----------
    gain : float
        1 keeps the size of a signal in a linear network; 2, which is `he`, in one of ReLUs.

    Returns
    -------
    callable
        ``initialise(rng, n_in, n_out)``, for ``mlp.init``.

    Raises
    ------
    ValueError
        If the gain is not a positive number.

    Examples
    --------
    >>> bool(abs(with_gain(0.5)(np.random.default_rng(0), 200, 800).std() - 0.05) < 1e-3)
    True

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """
    check_positive("gain", gain)

    def initialise(rng: np.random.Generator, n_in: int, n_out: int) -> Array:
        return np.sqrt(gain / n_in) * rng.standard_normal((n_out, n_in))

    return initialise


def layer_norms(layers: Layers) -> Array:
    r"""The Euclidean norm of every layer's array: who has vanished, who has exploded.

    Parameters
    ----------
    layers : tuple of ndarray
        One array a layer from slot 1 on, such as ``grads.W``, ``grads.b`` or ``back.delta``.

    Returns
    -------
    ndarray, shape (L,)
        Entry l-1 is the norm of layer l.

    Examples
    --------
    >>> layer_norms(Params.of(W=[[[3.0, 4.0]], [[2.0]]], b=[[0.0], [0.0]]).W)
    array([5., 2.])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """
    return np.array([np.linalg.norm(layer) for layer in layers[1:]])


# --- Batch normalisation --------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class Statistics:
    """Mean and variance of every unit of a layer.

    Parameters
    ----------
    mean, variance : ndarray, shape (n_l,)
        Over the rows of a batch, or running averages of those.

    Examples
    --------
    >>> Statistics(mean=np.zeros(3), variance=np.ones(3)).mean.shape
    (3,)

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """

    mean: Array
    variance: Array


@dataclass(frozen=True, eq=False)
class BatchNorm:
    """What `batch_norm` leaves: the result, and what its backward pass needs.

    Parameters
    ----------
    z : ndarray, shape (N, n_l)
        The result.
    s_hat : ndarray, shape (N, n_l)
        The sums, normalised: mean 0 and variance 1 in every column.
    batch : Statistics
        Mean and variance of the sums.

    Examples
    --------
    >>> batch_norm(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1)).batch.mean
    array([2.])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """

    z: Array
    s_hat: Array
    batch: Statistics


def batch_norm(s: Array, gamma: Array, beta: Array) -> BatchNorm:
    r"""Normalise each column over the batch, then let two parameters set its scale and its centre.

    .. math::

       \hat s = \frac{s - \mu}{\sqrt{\sigma^2 + \epsilon}}, \qquad z = \gamma \odot \hat s + \beta

    Parameters
    ----------
    s : ndarray, shape (N, n_l)
        The weighted sums; mean $\mu$ and variance $\sigma^2$ are taken over its rows.
    gamma, beta : ndarray, shape (n_l,)
        Scale and centre of each unit.

    Returns
    -------
    BatchNorm

    Raises
    ------
    ValueError
        If there is only one row, which has no spread.

    Examples
    --------
    >>> batch_norm(np.array([[1.0], [3.0]]), np.array([2.0]), np.array([5.0])).z.round(4)
    array([[3.],
           [7.]])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*; Ioffe & Szegedy (2015).
    """
    _check_columns(s, gamma, beta)
    if len(s) < 2:
        raise ValueError(
            f"the batch has {len(s)} row, expected at least 2 to normalise over; choose a "
            "batch_size that leaves no last batch of one, or use running statistics"
        )
    batch = Statistics(s.mean(axis=0), s.var(axis=0))
    s_hat = (s - batch.mean) / np.sqrt(batch.variance + EPS)
    return BatchNorm(gamma * s_hat + beta, s_hat, batch)


def batch_norm_back(delta: Array, gamma: Array, norm: BatchNorm) -> tuple[Array, Array, Array]:
    r"""Back through `batch_norm`: every row has moved the mean and the variance of all.

    With $\hat\delta = \delta \odot \gamma$, the error at $\hat s$, $\rho = \sqrt{\sigma^2 +
    \epsilon}$ and means over the rows:

    .. math::

       \frac{\partial J}{\partial s} &= \frac1\rho \bigl(\hat\delta - \overline{\hat\delta} -
           \hat s \odot \overline{\hat\delta \odot \hat s}\bigr) \\
       \frac{\partial J}{\partial \gamma} &= \textstyle\sum_n \delta_n \odot \hat s_n, \qquad
       \frac{\partial J}{\partial \beta} = \sum_n \delta_n

    Parameters
    ----------
    delta : ndarray, shape (N, n_l)
        dJ/dz, the error behind the normalisation.
    gamma : ndarray, shape (n_l,)
        The scale that the forward pass used.
    norm : BatchNorm
        What the forward pass left.

    Returns
    -------
    tuple of ndarray
        dJ/ds of shape (N, n_l), dJ/dgamma and dJ/dbeta of shape (n_l,).

    Examples
    --------
    >>> norm = batch_norm(np.array([[0.0], [1.0], [5.0]]), np.ones(1), np.zeros(1))
    >>> ds, dgamma, dbeta = batch_norm_back(np.array([[1.0], [1.0], [4.0]]), np.ones(1), norm)
    >>> bool(abs(ds.sum()) < 1e-15), dbeta
    (True, array([6.]))

    Notes
    -----
    Derived in Chapter 10, *Vanishing and exploding gradients*; Ioffe & Szegedy (2015).
    """
    s_hat, rho = norm.s_hat, np.sqrt(norm.batch.variance + EPS)
    delta_hat = delta * gamma
    ds = (delta_hat - delta_hat.mean(axis=0) - s_hat * (delta_hat * s_hat).mean(axis=0)) / rho
    return ds, (delta * s_hat).sum(axis=0), delta.sum(axis=0)


def batch_norm_inference(s: Array, gamma: Array, beta: Array, running: Statistics) -> Array:
    r"""Normalise with statistics gathered in training: a row's answer depends on that row alone.

    Parameters
    ----------
    s : ndarray, shape (N, n_l)
        The weighted sums; one row will do.
    gamma, beta : ndarray, shape (n_l,)
        Scale and centre of each unit.
    running : Statistics
        What to use for $\mu$ and $\sigma^2$.

    Returns
    -------
    ndarray, shape (N, n_l)

    Examples
    --------
    >>> running = Statistics(mean=np.array([2.0]), variance=np.array([4.0]))
    >>> batch_norm_inference(np.array([[4.0]]), np.ones(1), np.zeros(1), running).round(4)
    array([[1.]])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*; Ioffe & Szegedy (2015).
    """
    _check_columns(s, gamma, beta)
    return gamma * (s - running.mean) / np.sqrt(running.variance + EPS) + beta


def blend_statistics(running: Statistics | None, norm: BatchNorm, keep: float = 0.9) -> Statistics:
    r"""Running statistics after one more batch: most of the old, and a little of the new.

    .. math::

       \mu_{run} \leftarrow k \mu_{run} + (1 - k) \mu, \qquad
       \sigma^2_{run} \leftarrow k \sigma^2_{run} + (1 - k) \tfrac{N}{N - 1} \sigma^2

    The factor N/(N-1) makes the batch's variance an unbiased estimate; the training pass itself
    normalises without it.

    Parameters
    ----------
    running : Statistics or None
        So far; None before the first batch, whose own statistics then start the average.
    norm : BatchNorm
        What the batch's forward pass left.
    keep : float
        $k$, how much of the old survives, 0 <= keep < 1.

    Returns
    -------
    Statistics

    Raises
    ------
    ValueError
        If keep is out of its range.

    Examples
    --------
    >>> norm = batch_norm(np.array([[1.0], [3.0]]), np.ones(1), np.zeros(1))
    >>> running = blend_statistics(Statistics(np.zeros(1), np.ones(1)), norm)
    >>> running.mean, running.variance
    (array([0.2]), array([1.1]))

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*. What PyTorch calls the layer's ``momentum``
    is 1 - keep.
    """
    keep, N = check_fraction("keep", keep), len(norm.z)
    unbiased = norm.batch.variance * (N / (N - 1))
    if running is None:
        return Statistics(norm.batch.mean, unbiased)
    return Statistics(
        keep * running.mean + (1 - keep) * norm.batch.mean,
        keep * running.variance + (1 - keep) * unbiased,
    )


# --- A deep network -------------------------------------------------------------------------------


@dataclass(frozen=True, eq=False)
class DeepParams:
    """All parameters of a deep network: those of an `MLP`, then the scales of the normalisation.

    Parameters
    ----------
    theta : ndarray
        W[1], b[1], ..., W[L], b[L], then gamma[1], ..., gamma[L-1] if there are any. Not copied.
    sizes : tuple of int
        (n_0, ..., n_L).
    batch_norm : bool
        Whether there are gammas.

    Attributes
    ----------
    W, b : tuple
        Views as in `Params`. Under batch normalisation ``b[l]`` is the centre beta.
    gamma : tuple
        ``gamma[l]`` of shape (n_l,) for the hidden layers l = 1..L-1; slot 0 is None.
    plain : Params
        W and b by themselves.

    Raises
    ------
    ShapeError
        If `theta` is not one vector of exactly as many numbers.

    Examples
    --------
    >>> params = DeepParams(np.arange(9.0), sizes=(1, 2, 1), batch_norm=True)
    >>> params.b[1], params.gamma[1]
    (array([2., 3.]), array([7., 8.]))

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """

    theta: Array
    sizes: tuple[int, ...]
    batch_norm: bool
    W: Layers = field(init=False, repr=False)
    b: Layers = field(init=False, repr=False)
    gamma: Layers = field(init=False, repr=False)
    plain: Params = field(init=False, repr=False)

    def __post_init__(self) -> None:
        widths = self.sizes[1:-1] if self.batch_norm else ()
        P = count_parameters(self.sizes)
        if self.theta.shape != (P + sum(widths),):
            raise ShapeError(
                f"theta has shape {self.theta.shape}, expected ({P + sum(widths)},): "
                f"{P} weights and biases of sizes {self.sizes}, {sum(widths)} scales"
            )
        plain = Params(self.theta[:P], self.sizes)
        gamma = np.split(self.theta[P:], np.cumsum(widths)[:-1]) if widths else []
        object.__setattr__(self, "plain", plain)
        object.__setattr__(self, "W", plain.W)
        object.__setattr__(self, "b", plain.b)
        object.__setattr__(self, "gamma", (None, *gamma))

    def like(self, theta: Array) -> DeepParams:
        """The same network with other numbers.

        Parameters
        ----------
        theta : ndarray
            The other numbers; not copied.

        Returns
        -------
        DeepParams

        Examples
        --------
        >>> DeepParams(np.ones(4), (1, 1, 1), batch_norm=False).like(np.zeros(4)).W[2]
        array([[0.]])
        """
        return DeepParams(theta, self.sizes, self.batch_norm)


@dataclass(frozen=True)
class DeepMLP:
    r"""A multilayer perceptron with two switches, each for all hidden layers.

    .. math::

       s^{[l]} = a^{[l-1]} W^{[l]\top}, \qquad
       z^{[l]} = \gamma^{[l]} \odot \hat s^{[l]} + b^{[l]}, \qquad
       a^{[l]} = \varphi_l(z^{[l]}) + a^{[l-1]}

    Without batch normalisation $z = s + b$ as ever. With it the bias stands behind the
    normalisation, which would cancel it: it is the $\beta$ of `batch_norm`. Without skips, or
    where a layer is not as wide as the one before, $a = \varphi(z)$ as ever.

    Parameters
    ----------
    mlp : MLP
        Sizes and activations.
    batch_norm : bool
        Whether hidden layers normalise their sums over the batch.
    skip : bool
        Whether what enters a hidden layer is added to what it says.

    Raises
    ------
    TypeError
        If `mlp` is not one.

    Examples
    --------
    >>> from backprop_lib.activations import relu, sigmoid
    >>> mlp = MLP((2, *[8] * 10, 1), (*[relu] * 10, sigmoid))
    >>> deep = DeepMLP(mlp, batch_norm=True, skip=True)
    >>> deep.skips(1), deep.skips(2), deep.skips(11)
    (False, True, False)

    Training it is the usual loop, which also gathers the running statistics:

    >>> from backprop_lib.data import make_moons
    >>> from backprop_lib.losses import bce
    >>> from backprop_lib.optimizers import sgd
    >>> rng = np.random.default_rng(0)
    >>> X, y = make_moons(100, 0.1, rng)
    >>> params, running, optimizer = deep.init(rng), None, sgd(learning_rate=0.1)
    >>> state = optimizer.init(params)
    >>> for _ in range(100):
    ...     cache = deep_forward(deep, params, X)
    ...     back = deep_backward(deep, params, cache, y, bce)
    ...     params, state = optimizer.step(params, back.grads, state)
    ...     running = running_statistics(running, cache)
    >>> answers = deep_predict(deep, params, X, running)
    >>> float(((answers > 0.5) == (y > 0.5)).mean())
    1.0

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*; He et al. (2016).
    """

    mlp: MLP
    batch_norm: bool = False
    skip: bool = False

    def __post_init__(self) -> None:
        if not isinstance(self.mlp, MLP):
            raise TypeError(f"mlp is {self.mlp!r}, expected an MLP: MLP((2, 1), (sigmoid,))")

    def normalises(self, l: int) -> bool:
        """Whether layer l is batch-normalised.

        Parameters
        ----------
        l : int
            1 <= l <= L.

        Returns
        -------
        bool
        """
        return self.batch_norm and l < self.mlp.L

    def skips(self, l: int) -> bool:
        """Whether what enters layer l is added to what it says.

        Parameters
        ----------
        l : int
            1 <= l <= L.

        Returns
        -------
        bool
        """
        return self.skip and l < self.mlp.L and self.mlp.sizes[l] == self.mlp.sizes[l - 1]

    def init(self, rng: np.random.Generator, initialise: Initialiser = he) -> DeepParams:
        """Fresh parameters: weights drawn layer by layer, biases 0, scales 1.

        Parameters
        ----------
        rng : numpy.random.Generator
            Source of randomness; its state moves on.
        initialise : callable
            As for ``MLP.init``; ``with_gain(gain)`` sets the gain.

        Returns
        -------
        DeepParams

        Examples
        --------
        >>> from backprop_lib.activations import tanh
        >>> deep = DeepMLP(MLP((2, 1, 1), (tanh, tanh)), batch_norm=True)
        >>> deep.init(np.random.default_rng(0), with_gain(1.0)).gamma
        (None, array([1.]))
        """
        theta = self.mlp.init(rng, initialise).theta
        scales = np.ones(sum(self.mlp.sizes[1:-1]) if self.batch_norm else 0)
        return DeepParams(np.concatenate([theta, scales]), self.mlp.sizes, self.batch_norm)


@dataclass(frozen=True, eq=False)
class DeepCache:
    """What the forward pass of a deep network leaves for the backward pass.

    Parameters
    ----------
    z : tuple of ndarray
        ``z[l]``, what the activation is fed; slot 0 is None.
    v : tuple of ndarray
        ``v[l]`` = phi(z[l]), what the layer itself says; slot 0 is None.
    a : tuple of ndarray
        ``a[l]``, what it hands on: ``v[l]``, plus ``a[l-1]`` where there is a skip; ``a[0]`` is X.
    norm : tuple of BatchNorm
        Where layer l normalises; None elsewhere.

    Examples
    --------
    >>> DeepCache(z=(None,), v=(None,), a=(np.zeros((4, 2)),), norm=(None,)).a[0].shape
    (4, 2)

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """

    z: Layers
    v: Layers
    a: Layers
    norm: Layers


@dataclass(frozen=True, eq=False)
class DeepBackward:
    """What the backward pass of a deep network computes: every error, and the gradient.

    Parameters
    ----------
    delta : tuple of ndarray
        ``delta[l]`` = dJ/dz[l], of shape (N, n_l); slot 0 is None.
    grads : DeepParams
        dJ/dtheta; ``grads.b[l]`` is the sum of ``delta[l]`` over the batch, normalised or not.

    Examples
    --------
    >>> zero = DeepParams(np.zeros(2), (1, 1), batch_norm=False)
    >>> DeepBackward(delta=(None,), grads=zero).grads.W[1]
    array([[0.]])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """

    delta: Layers
    grads: DeepParams


def deep_forward(deep: DeepMLP, params: DeepParams, X: Array) -> DeepCache:
    """The forward pass of training: each hidden layer normalises with this batch's statistics.

    Parameters
    ----------
    deep : DeepMLP
        The architecture.
    params : DeepParams
        Its parameters.
    X : ndarray, shape (N, n_0)
        One sample a row; at least two rows under batch normalisation.

    Returns
    -------
    DeepCache

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `forward`; also if a batch to be normalised has one row.

    Examples
    --------
    >>> from backprop_lib.activations import identity, relu
    >>> deep = DeepMLP(MLP((1, 1, 1), (relu, identity)), skip=True)
    >>> params = DeepParams(np.array([2.0, 0.0, 1.0, 0.0]), (1, 1, 1), batch_norm=False)
    >>> deep_forward(deep, params, np.array([[3.0]])).a[1]
    array([[9.]])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """
    _check_deep_input(deep, params, X)
    W, b, gamma, phi = params.W, params.b, params.gamma, deep.mlp.phi
    z: list[Any] = [None]
    v: list[Any] = [None]
    a: list[Any] = [X]
    norm: list[Any] = [None]
    for l in range(1, deep.mlp.L + 1):
        s = a[l - 1] @ W[l].T
        norm.append(batch_norm(s, gamma[l], b[l]) if deep.normalises(l) else None)
        z.append(norm[l].z if deep.normalises(l) else s + b[l])
        v.append(phi[l].f(z[l]))
        a.append(v[l] + a[l - 1] if deep.skips(l) else v[l])
    return DeepCache(tuple(z), tuple(v), tuple(a), tuple(norm))


def deep_backward(
    deep: DeepMLP, params: DeepParams, cache: DeepCache, y: Array, loss: Loss
) -> DeepBackward:
    r"""The gradient of a deep network: back through the skips and the normalisations.

    With $e^{[l]} = \partial J/\partial a^{[l]}$:

    .. math::

       \delta^{[l]} &= e^{[l]} \odot \varphi_l'(z^{[l]}) \\
       \partial J/\partial s^{[l]} &= \delta^{[l]} \text{ taken back through the normalisation} \\
       e^{[l-1]} &= \partial J/\partial s^{[l]} \, W^{[l]} + e^{[l]}

    The last term is the skip's: a copy on the way forward is a sum on the way back, and along
    this branch the error arrives undiminished.

    Parameters
    ----------
    deep, params
        The architecture, and the parameters that the forward pass used.
    cache : DeepCache
        What `deep_forward` returned.
    y : ndarray, shape (N, n_L)
        The targets.
    loss : Loss
        Which loss.

    Returns
    -------
    DeepBackward

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `backward`.

    Examples
    --------
    >>> from backprop_lib.activations import identity, relu
    >>> from backprop_lib.losses import half_mse
    >>> deep = DeepMLP(MLP((1, 1, 1), (relu, identity)), skip=True)
    >>> params = DeepParams(np.array([2.0, 0.0, 1.0, 0.0]), (1, 1, 1), batch_norm=False)
    >>> cache = deep_forward(deep, params, np.array([[3.0]]))
    >>> deep_backward(deep, params, cache, np.array([[8.0]]), half_mse).grads.theta
    array([3., 1., 9., 1.])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """
    _check_deep_backward(deep, params, cache, y, loss)
    L, W, phi, z, v, a = deep.mlp.L, params.W, deep.mlp.phi, cache.z, cache.v, cache.a
    delta: list[Any] = [None] * (L + 1)
    e: list[Any] = [None] * (L + 1)
    grads = params.like(np.empty_like(params.theta))

    delta[L] = output_delta(deep.mlp, Cache(z, a), y, loss)
    for l in range(L, 0, -1):
        ds = delta[l]
        if deep.normalises(l):
            ds, grads.gamma[l][:], _ = batch_norm_back(ds, params.gamma[l], cache.norm[l])
        grads.W[l][:] = ds.T @ a[l - 1]
        grads.b[l][:] = delta[l].sum(axis=0)
        if l > 1:
            e[l - 1] = ds @ W[l]
            if deep.skips(l):
                e[l - 1] += e[l]
            delta[l - 1] = e[l - 1] * phi[l - 1].d(z[l - 1], v[l - 1])
    return DeepBackward(tuple(delta), grads)


def deep_predict(
    deep: DeepMLP, params: DeepParams, X: Array, running: Layers | None = None
) -> Array:
    """The answers of a trained deep network, each from its own row alone.

    Parameters
    ----------
    deep, params, X
        As for `deep_forward`; one row will do.
    running : tuple of Statistics
        What `running_statistics` gathered; not needed without batch normalisation.

    Returns
    -------
    ndarray, shape (N, n_L)

    Raises
    ------
    ShapeError, TypeError, ValueError
        As `forward`; also if the running statistics are missing.

    Examples
    --------
    >>> from backprop_lib.activations import identity, relu
    >>> deep = DeepMLP(MLP((1, 1, 1), (relu, identity)), skip=True)
    >>> params = DeepParams(np.array([2.0, 0.0, 1.0, 0.0]), (1, 1, 1), batch_norm=False)
    >>> deep_predict(deep, params, np.array([[3.0]]))
    array([[9.]])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """
    _check_deep_input(deep, params, X)
    statistics = _check_running(deep, running)
    W, b, gamma, phi = params.W, params.b, params.gamma, deep.mlp.phi
    a = X
    for l in range(1, deep.mlp.L + 1):
        s = a @ W[l].T
        if deep.normalises(l):
            z = batch_norm_inference(s, gamma[l], b[l], statistics[l])
        else:
            z = s + b[l]
        v = phi[l].f(z)
        a = v + a if deep.skips(l) else v
    return a


def running_statistics(running: Layers | None, cache: DeepCache, keep: float = 0.9) -> Layers:
    """The running statistics of all layers after one more batch.

    Parameters
    ----------
    running : tuple or None
        So far; None before the first batch.
    cache : DeepCache
        What `deep_forward` left of this batch.
    keep : float
        How much of the old survives, 0 <= keep < 1.

    Returns
    -------
    tuple
        Slot l is the `Statistics` of layer l where it normalises, None elsewhere.

    Examples
    --------
    >>> from backprop_lib.activations import identity
    >>> deep = DeepMLP(MLP((1, 1, 1), (identity, identity)), batch_norm=True)
    >>> params = DeepParams(np.ones(5), (1, 1, 1), batch_norm=True)
    >>> cache = deep_forward(deep, params, np.array([[1.0], [3.0]]))
    >>> running_statistics(None, cache)[1].mean
    array([2.])

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """
    before = running or (None,) * len(cache.norm)
    pairs = zip(before, cache.norm, strict=True)
    return tuple(norm and blend_statistics(old, norm, keep) for old, norm in pairs)


def deep_cost(deep: DeepMLP, cache: DeepCache, y: Array, loss: Loss) -> float:
    """J of a forward pass, as `cost` for an `MLP`.

    Parameters
    ----------
    deep, cache, y, loss
        As for `deep_backward`.

    Returns
    -------
    float

    Examples
    --------
    >>> from backprop_lib.activations import identity, relu
    >>> from backprop_lib.losses import half_mse
    >>> deep = DeepMLP(MLP((1, 1, 1), (relu, identity)), skip=True)
    >>> params = DeepParams(np.array([2.0, 0.0, 1.0, 0.0]), (1, 1, 1), batch_norm=False)
    >>> cache = deep_forward(deep, params, np.array([[3.0]]))
    >>> deep_cost(deep, cache, np.array([[8.0]]), half_mse)
    0.5

    Notes
    -----
    Chapter 10, *Vanishing and exploding gradients*.
    """
    return cost(deep.mlp, Cache(cache.z, cache.a), y, loss)


def _check_columns(s: Array, gamma: Array, beta: Array) -> None:
    if s.ndim != 2 or gamma.shape != s.shape[1:] or beta.shape != s.shape[1:]:
        raise ShapeError(
            f"s, gamma and beta have shapes {s.shape}, {gamma.shape} and {beta.shape}, "
            "expected (N, n_l), (n_l,) and (n_l,): one scale and one centre a unit"
        )


def _check_layout(deep: DeepMLP, params: DeepParams) -> None:
    if not isinstance(params, DeepParams):
        raise TypeError(
            f"params is a {type(params).__name__}, expected DeepParams: deep.init(rng) or "
            "params.like(theta)"
        )
    if (params.sizes, params.batch_norm) != (deep.mlp.sizes, deep.batch_norm):
        raise ShapeError(
            f"params are for sizes {params.sizes} with batch_norm={params.batch_norm}, "
            f"expected the network's {deep.mlp.sizes} with batch_norm={deep.batch_norm}"
        )
    check_array("theta", params.theta)


def _check_deep_input(deep: DeepMLP, params: DeepParams, X: Array) -> None:
    _check_layout(deep, params)
    check_input(deep.mlp, params.plain, X)


def _check_deep_backward(
    deep: DeepMLP, params: DeepParams, cache: DeepCache, y: Array, loss: Loss
) -> None:
    _check_layout(deep, params)
    check_backward(deep.mlp, params.plain, Cache(cache.z, cache.a), y, loss)
    if any(norm is not None for norm in cache.norm) != deep.normalises(1):
        raise ValueError(
            f"the cache was made with batch_norm={not deep.batch_norm}, expected "
            f"{deep.batch_norm}; run deep_forward with this network first"
        )


def _check_running(deep: DeepMLP, running: Layers | None) -> Layers:
    if running is None and not deep.batch_norm:
        return ()
    if running is None or len(running) != deep.mlp.L + 1:
        raise ValueError(
            f"running is {running!r}, expected the statistics of layers 0..{deep.mlp.L}; gather "
            "them while training: running = running_statistics(running, cache)"
        )
    return running
