"""Print a function of the library on a page, from the library's own source.

A chapter shows what it introduces in full, once, without ever copying it. Imports nothing from
the house.
"""

from __future__ import annotations

import ast
import inspect
import textwrap
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Listing:
    """Source code that a notebook typesets and a terminal prints.

    Parameters
    ----------
    code : str
        The source.

    Examples
    --------
    >>> Listing("x = 1")
    x = 1
    """

    code: str

    def __repr__(self) -> str:
        return self.code

    def _repr_markdown_(self) -> str:
        return f"```python\n{self.code}\n```"


def listing(function: Callable[..., Any]) -> Listing:
    """The source of a function without its docstring, which the page's text replaces.

    Parameters
    ----------
    function : callable
        A function written in Python.

    Returns
    -------
    Listing

    Examples
    --------
    >>> from backprop_lib.network import count_parameters
    >>> listing(count_parameters)
    def count_parameters(sizes: Sequence[int]) -> int:
        return sum(n_out * (n_in + 1) for n_in, n_out in pairwise(sizes))
    """
    source = textwrap.dedent(inspect.getsource(function))
    lines = source.splitlines()
    body = ast.parse(source).body[0]
    assert isinstance(body, ast.FunctionDef | ast.ClassDef), source
    first = body.body[0]
    if ast.get_docstring(body) is not None:
        assert first.end_lineno is not None
        del lines[first.lineno - 1 : first.end_lineno]
    return Listing("\n".join(lines).strip("\n"))
