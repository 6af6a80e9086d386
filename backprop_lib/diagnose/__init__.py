"""The gradient doctor: name the classic mistake that reproduces a gradient.

**How it decides.** For your network, parameters and data the doctor computes the right gradient,
and the gradient that each mistake of the catalogue would give (`mistakes`, `rules`). A gradient
*fits* another if every array you gave is within a relative distance of 1e-5 of its counterpart
(1e-4 if your numbers were computed in float32), plus what rounding alone does to that array, which
is measured. If the right gradient fits, yours is correct, whatever else fits too. If not, the
explanations are tried from the simplest to the most contrived: one mistake everywhere; a constant
factor with a name; one mistake in some layers only; such a factor on a part; a mistake with an
unknown number in it (a learning rate, a penalty's strength, an order of the targets), which is
fitted; two mistakes together; any constant factor, also on top of a mistake or on a part. The
first kind in which something fits, and comes ten times nearer than the right gradient, gives the
verdict: what fits best in it. What fits equally well cannot be told apart on this data, and all
of it is named. If nothing fits, the doctor points to the first wrong array going backwards and to
the line that made it, unless all that is wrong is so small a part of the whole gradient that
noise may have drowned it. A square weight gradient may be meant either way round: a statement or
a rectangular array settles it, else both readings are tried.

For a network of your own there is ``python -m backprop_lib.diagnose my_gradients.npz``, and
`diagnose_arrays` for plain arrays in any layout. May import the rooms above it.
"""

from backprop_lib.diagnose.plain import diagnose_arrays
from backprop_lib.diagnose.search import Explanation
from backprop_lib.diagnose.verdict import Diagnosis, diagnose, mistaken_gradient

__all__ = ["Diagnosis", "Explanation", "diagnose", "diagnose_arrays", "mistaken_gradient"]
