"""One mutant at every operator, comparison, truth value and number of a room's code.

A mutant replaces a few characters of the source. What is not arithmetic is left alone: docstrings,
annotations, decorators, and everything that only words a message.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

ROOMS = (
    "errors",
    "activations",
    "losses",
    "network",
    "backprop",
    "optimizers",
    "regularization",
    "training",
)

OPERATORS: dict[type[ast.AST], tuple[str, str]] = {
    # arithmetic
    ast.Add: ("+", "-"),
    ast.Sub: ("-", "+"),
    ast.Mult: ("*", "/"),
    ast.Div: ("/", "*"),
    ast.FloorDiv: ("//", "/"),
    ast.Mod: ("%", "*"),
    ast.Pow: ("**", "*"),
    ast.MatMult: ("@", "*"),
    ast.BitAnd: ("&", "|"),
    ast.BitOr: ("|", "&"),
    ast.USub: ("-", ""),
    ast.Invert: ("~", ""),
    ast.Not: ("not ", ""),
    # comparisons move by the one value that is the question
    ast.Lt: ("<", "<="),
    ast.LtE: ("<=", "<"),
    ast.Gt: (">", ">="),
    ast.GtE: (">=", ">"),
    ast.Eq: ("==", "!="),
    ast.NotEq: ("!=", "=="),
    ast.Is: ("is", "is not"),
    ast.IsNot: ("is not", "is"),
    ast.In: ("in", "not in"),
    ast.NotIn: ("not in", "in"),
    # logic
    ast.And: ("and", "or"),
    ast.Or: ("or", "and"),
}
# Calls that are arithmetic as well, whether written f(x) or x.f().
FUNCTIONS = {
    "sum": "mean",
    "max": "min",
    "min": "max",
    "maximum": "minimum",
    "minimum": "maximum",
    "any": "all",
    "all": "any",
}
NOT_CALCULATED = ("warnings.warn", "field", "TypeVar")
LONGEST_CODE = 90


@dataclass(frozen=True)
class Mutant:
    """One change of the library's source.

    `name` says what is changed and where; `offset` is the place in the room's file.
    """

    name: str
    room: str
    offset: int
    old: str
    new: str

    def applied_to(self, source: str) -> str:
        """The whole file with this change."""
        stop = self.offset + len(self.old)
        assert source[self.offset : stop] == self.old, self.name
        return source[: self.offset] + self.new + source[stop:]


@dataclass(frozen=True)
class Site:
    """A place where a mutant can be made: what stands there, in which scope, in which code."""

    offset: int
    old: str
    new: str
    scope: str
    code: str


class _Sites(ast.NodeVisitor):
    """Walks a file and collects its sites."""

    def __init__(self, source: str) -> None:
        self.source = source
        self.found: list[Site] = []
        self._scopes: list[str] = []
        self._parents: list[ast.AST] = []
        self._lines = source.splitlines(keepends=True)
        self._line_starts = [0]
        for line in self._lines:
            self._line_starts.append(self._line_starts[-1] + len(line))

    # ---- where things are

    def _start(self, node: ast.expr) -> int:
        return self._offset(node.lineno, node.col_offset)

    def _stop(self, node: ast.expr) -> int:
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        return self._offset(node.end_lineno, node.end_col_offset)

    def _offset(self, line: int, column: int) -> int:
        before = self._lines[line - 1].encode()[:column].decode()  # ast counts bytes
        return self._line_starts[line - 1] + len(before)

    def _add(self, offset: int, old: str, new: str, code: ast.AST | str) -> None:
        words = ast.unparse(code) if isinstance(code, ast.AST) else code
        assert self.source[offset : offset + len(old)] == old, (old, words)
        scope = ".".join(self._scopes) or "module"
        self.found.append(Site(offset, old, new, scope, " ".join(words.split())))

    def _add_between(self, left: ast.expr, right: ast.expr, sign: ast.AST, code: ast.AST) -> None:
        """The operator's own characters, somewhere between its two operands."""
        old, new = OPERATORS[type(sign)]
        pattern = re.escape(old).replace(r"\ ", r"\s+")
        gap = self.source[self._stop(left) : self._start(right)]
        matched = re.search(pattern, gap)
        assert matched, ast.unparse(code)
        self._add(self._stop(left) + matched.start(), matched[0], new, code)

    # ---- what is left alone

    def visit(self, node: ast.AST) -> None:
        self._parents.append(node)
        super().visit(node)
        self._parents.pop()

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._scopes.append(node.name)
        self._defaults(node.args)
        for statement in node.body:
            self.visit(statement)
        self._scopes.pop()

    def _defaults(self, args: ast.arguments) -> None:
        positional = (*args.posonlyargs, *args.args)
        pairs = [
            *zip(reversed(positional), reversed(args.defaults), strict=False),
            *zip(args.kwonlyargs, args.kw_defaults, strict=True),
        ]
        for arg, default in pairs:
            if isinstance(default, ast.Constant) and isinstance(default.value, int | float):
                self._add_constant(default, default.value, f"{arg.arg}={ast.unparse(default)}")

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._scopes.append(node.name)
        for statement in node.body:
            self.visit(statement)
        self._scopes.pop()

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)

    def visit_Assign(self, node: ast.Assign) -> None:
        """A value of the module, such as `relu`, is a scope of its own; a type is left alone."""
        named = not self._scopes and isinstance(node.targets[0], ast.Name)
        if named and isinstance(node.value, ast.Subscript):
            return
        if named:
            self._scopes.append(ast.unparse(node.targets[0]))
        self.generic_visit(node)
        if named:
            self._scopes.pop()

    def visit_Raise(self, node: ast.Raise) -> None:
        """A message."""

    def visit_JoinedStr(self, node: ast.JoinedStr) -> None:
        """A message."""

    # ---- what is mutated

    def visit_Call(self, node: ast.Call) -> None:
        called = ast.unparse(node.func)
        if called in NOT_CALCULATED:
            return
        if called == "isinstance":  # `int | float` there is a type
            self.visit(node.args[0])
            return
        name = called.rpartition(".")[2]
        if name in FUNCTIONS and called != "sum":  # Python has no `mean`
            self._add(self._stop(node.func) - len(name), name, FUNCTIONS[name], node)
        self.generic_visit(node)

    def visit_BinOp(self, node: ast.BinOp) -> None:
        self._add_between(node.left, node.right, node.op, node)
        self.generic_visit(node)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        self._add_between(node.target, node.value, node.op, node)
        self.generic_visit(node)

    def visit_BoolOp(self, node: ast.BoolOp) -> None:
        for left, right in zip(node.values, node.values[1:], strict=False):
            self._add_between(left, right, node.op, node)
        self.generic_visit(node)

    def visit_Compare(self, node: ast.Compare) -> None:
        operands = (node.left, *node.comparators)
        for left, right, sign in zip(operands, operands[1:], node.ops, strict=False):
            self._add_between(left, right, sign, node)
        self.generic_visit(node)

    def visit_UnaryOp(self, node: ast.UnaryOp) -> None:
        if isinstance(node.op, ast.USub) and isinstance(node.operand, ast.Constant):
            self._add_constant(node, ast.literal_eval(node), self._parents[-2])
            return
        if type(node.op) in OPERATORS:
            self._add(self._start(node), *OPERATORS[type(node.op)], node)
        self.generic_visit(node)

    def visit_Attribute(self, node: ast.Attribute) -> None:
        if node.attr == "T":
            self._add(self._stop(node) - 2, ".T", "", node)
        self.generic_visit(node)

    def visit_Constant(self, node: ast.Constant) -> None:
        if isinstance(node.value, int | float):
            self._add_constant(node, node.value, self._parents[-2])

    def _add_constant(self, node: ast.expr, value: float, code: ast.AST | str) -> None:
        is_axis = isinstance(code, ast.keyword) and code.arg == "axis"
        old = self.source[self._start(node) : self._stop(node)]
        self._add(self._start(node), old, _other_constant(value, is_axis), code)


def _other_constant(value: float, is_axis: bool) -> str:
    """A near miss: the other axis, the next whole number away from 0, half as much."""
    if isinstance(value, bool):
        return str(not value)
    if is_axis:
        return "1" if value == 0 else "0"
    if isinstance(value, int):
        return str(value + 1 if value >= 0 else value - 1)
    return repr(value / 2) if value else "1.0"


def mutants_of(room: str, source: str) -> list[Mutant]:
    """All mutants of one room, in the order of its lines.

    Their names are made of the code itself, so they stay the same when lines move.
    """
    sites = _Sites(source)
    sites.visit(ast.parse(source))
    in_order = sorted(sites.found, key=lambda site: site.offset)
    names = _unique(f"{room}.{_described(site)}" for site in in_order)
    return [
        Mutant(name, room, site.offset, site.old, site.new)
        for name, site in zip(names, in_order, strict=True)
    ]


def _described(site: Site) -> str:
    code = site.code
    if len(code) > LONGEST_CODE:
        code = f"{code[: LONGEST_CODE - 3]}..."
    change = f"{' '.join(site.old.split())} -> {site.new.strip() or 'nothing'}"
    return f"{site.scope}: {code}  [{change}]"


def _unique(names: Iterator[str]) -> Iterator[str]:
    """The second of equal names becomes "no. 2"."""
    seen: Counter[str] = Counter()
    for name in names:
        seen[name] += 1
        yield name if seen[name] == 1 else f"{name} no. {seen[name]}"
