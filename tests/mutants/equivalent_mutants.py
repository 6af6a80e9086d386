"""Mutants that no test can kill, because they change nothing that anyone could see, and why."""

from __future__ import annotations

EQUIVALENT = {
    "activations.leaky_relu: z > 0  [> -> >=]": (
        "only z = 0 changes its branch, and LEAK * 0 is 0 as well"
    ),
    "losses._rows_sum_to_one: np.abs(values.sum(axis=1) - 1) > 1e-06  [> -> >=]": (
        "a sum near 1 is a multiple of 2**-53 and the float 1e-6 is not: they are never equal"
    ),
    "network.Params.of: strict=True  [True -> False]": (
        "_sizes_of has refused unequal numbers of matrices and vectors one line before"
    ),
    "network.Params.of: strict=True  [True -> False] no. 2": (
        "_sizes_of has refused unequal numbers of matrices and vectors before"
    ),
    "network._sizes_of: strict=True  [True -> False]": (
        "unequal numbers of matrices and vectors are refused in the line before"
    ),
    "backprop.check_backward: cache.a[0]  [0 -> 1] no. 2": (
        "forward gives every a[l] as many rows as X has"
    ),
    "optimizers.clip_by_norm: norm <= c  [<= -> <]": (
        "where the norm is c the factor c / norm is exactly 1: the same numbers"
    ),
    "regularization._penalised: strict=True  [True -> False]": (
        "both are the matrices of the same sizes"
    ),
    "regularization.dropout_masks: rng.random((len(X), n)) >= p  [>= -> >]": (
        "it takes a random number that is p to the last bit, one in 2**53"
    ),
    "regularization.dropout_backward: cache.a[0]  [0 -> 1]": (
        "dropout_forward gives every a[l] the rows and the dtype of X"
    ),
    "regularization.shift_images: X.reshape(-1, height, width)  [-1 -> -2]": (
        "numpy works out any one negative length, not only -1"
    ),
}
