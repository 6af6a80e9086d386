"""Read a printed formula back: text and LaTeX become expression trees again."""

from __future__ import annotations

import ast
import re

from backprop_lib.expressions import Expression

_KEY = re.compile(r"[A-Za-z_]\w*(?:\[[\d,]+\])?")
_FUNCTIONS = {
    r"\exp": "exp",
    r"\ln": "log",
    r"\sigma": "sigmoid",
    r"\tanh": "tanh",
    r"\operatorname{relu}": "relu",
    r"\operatorname{lrelu}": "leaky_relu",
    r"\mathbf{1}_{>0}": "positive",
}
_OPERATORS = {ast.Add: "+", ast.Sub: "-", ast.Mult: "*", ast.Div: "/"}


def tree_of(text: str) -> Expression:
    """The tree of a plain-text formula, read by Python's own grammar."""
    keys: list[str] = []

    def placeholder(match: re.Match[str]) -> str:
        name = match.group()
        if text[match.end() : match.end() + 1] == "(":
            return name
        keys.append(name)
        return f"key_{len(keys) - 1}"

    python = _KEY.sub(placeholder, re.sub(r"(?<=\d)e(?=[-+]\d)", "E", text))
    return _node(ast.parse(python.replace("^", "**"), mode="eval").body, keys)


def _node(node: ast.expr, keys: list[str]) -> Expression:
    if isinstance(node, ast.Constant):
        return node.value
    if isinstance(node, ast.Name):
        return keys[int(node.id.removeprefix("key_"))]
    if isinstance(node, ast.UnaryOp):
        assert isinstance(node.op, ast.USub)
        inner = _node(node.operand, keys)
        return -inner if isinstance(inner, int | float) else ("neg", inner)
    if isinstance(node, ast.Call):
        assert isinstance(node.func, ast.Name)
        return (node.func.id, _node(node.args[0], keys))
    assert isinstance(node, ast.BinOp)
    if isinstance(node.op, ast.Pow):
        assert ast.unparse(node.right) == "2"
        return ("square", _node(node.left, keys))
    return (_OPERATORS[type(node.op)], _node(node.left, keys), _node(node.right, keys))


def latex_to_text(latex: str, names: dict[str, str] | None = None) -> str:
    """A LaTeX formula as plain text; `names` maps what stands for a key to the key."""
    for written, key in sorted((names or {}).items(), key=lambda pair: -len(pair[0])):
        latex = latex.replace(written, key)
    for written, name in _FUNCTIONS.items():
        latex = latex.replace(written, name)
    while (at := latex.find(r"\frac")) >= 0:
        above, middle = _group(latex, at + len(r"\frac"))
        below, end = _group(latex, middle)
        latex = f"{latex[:at]}(({above})/({below})){latex[end:]}"
    while (at := latex.find(r"\sqrt")) >= 0:
        inside, end = _group(latex, at + len(r"\sqrt"))
        latex = f"{latex[:at]}sqrt({inside}){latex[end:]}"
    return latex.replace(r"\cdot ", "*").replace(r"\,", "*")


def _group(latex: str, start: int) -> tuple[str, int]:
    """What stands between the brace at `start` and its partner, and where the partner ends."""
    assert latex[start] == "{", latex[start:]
    depth = 0
    for i in range(start, len(latex)):
        depth += {"{": 1, "}": -1}.get(latex[i], 0)
        if depth == 0:
            return latex[start + 1 : i], i + 1
    raise AssertionError(f"no closing brace: {latex}")
