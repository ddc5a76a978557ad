"""Edits of a program's syntax tree: one function for each kind of mistake.

An edit takes a node and the names in its scope, and yields replacements for the node: nodes, or
lists of statements.
"""

import ast
from collections.abc import Callable, Iterator
from copy import deepcopy
from dataclasses import dataclass

RELATED_NAMES = [
    {"tril", "triu"},
    {"sum", "mean", "max", "min", "prod", "cumsum"},
    {"argmax", "argmin", "argsort"},
    {"zeros", "ones", "empty"},
    {"zeros_like", "ones_like", "full_like"},
    {"exp", "log", "sqrt", "abs"},
    {"softmax", "log_softmax", "sigmoid", "relu", "gelu"},
    {"concatenate", "stack", "hstack", "vstack"},
    {"maximum", "minimum", "add", "multiply"},
    {"pmean", "psum", "pmax", "pmin"},
    {"Dense", "LayerNorm", "Embed"},
    {"Linear", "LayerNorm", "Embed"},
    {"set", "add", "max", "min", "multiply"},
    {"grad", "value_and_grad"},
    {"jit", "vmap", "checkpoint"},
    {"categorical", "gumbel", "uniform"},
    {"split", "fold_in"},
    {"float32", "float16", "bfloat16", "int32"},
    {"softmax_cross_entropy_with_integer_labels", "softmax_cross_entropy"},
]
ARITHMETIC = [ast.Add, ast.Sub, ast.Mult, ast.Div, ast.FloorDiv, ast.Mod, ast.Pow, ast.MatMult]
COMPARISONS = [ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq]


@dataclass(frozen=True)
class Names:
    """The names in a node's scope: those of its function, and the attributes of `self`."""

    local: frozenset[str] = frozenset()
    attributes: frozenset[str] = frozenset()


Replacement = ast.AST | list[ast.stmt]
Edit = Callable[[ast.AST, Names], Iterator[Replacement]]


def operator_changed(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.BinOp):
        for other in ARITHMETIC:
            if not isinstance(node.op, other):
                yield ast.BinOp(node.left, other(), node.right)
    if isinstance(node, ast.Compare):
        for other in COMPARISONS:
            if not isinstance(node.ops[0], other):
                yield ast.Compare(node.left, [other(), *node.ops[1:]], node.comparators)
    if isinstance(node, ast.BoolOp):
        other = ast.Or() if isinstance(node.op, ast.And) else ast.And()
        yield ast.BoolOp(other, node.values)
    if isinstance(node, ast.UnaryOp):
        yield node.operand


def operands_swapped(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.BinOp):
        yield ast.BinOp(node.right, node.op, node.left)


def constant_changed(node: ast.AST, names: Names) -> Iterator[Replacement]:
    match node:
        case ast.Constant(value=bool(value)):
            others = [not value]
        case ast.Constant(value=int(value)):
            others = [0, 1, -1, 2, value + 1, value - 1, -value]
        case ast.Constant(value=float(value)):
            others = [0.0, 0.5, 1.0, 2 * value, value / 2, -value]
        case ast.Constant(value=None):
            others = [0, 1]
        case ast.Constant(value=str(value)) if "->" not in value:
            others = ["", value[:-1], value + "x", value.swapcase()]
        case _:
            others = []
    yield from (ast.Constant(other) for other in others if repr(other) != repr(node.value))


def einsum_letter_changed(node: ast.AST, names: Names) -> Iterator[Replacement]:
    match node:
        case ast.Constant(value=str(value)) if "->" in value:
            letters = sorted(set(filter(str.isalpha, value)))
            for place, letter in enumerate(value):
                if letter.isalpha():
                    yield ast.Constant(value[:place] + value[place + 1 :])
                    for other in letters:
                        if other != letter:
                            yield ast.Constant(value[:place] + other + value[place + 1 :])


def condition_negated(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.If | ast.IfExp | ast.While):
        changed = deepcopy(node)
        changed.test = ast.UnaryOp(ast.Not(), changed.test)
        yield changed


def arguments_swapped(node: ast.AST, names: Names) -> Iterator[Replacement]:
    """Swap two neighbors in a call, a subscript or a tuple."""
    if isinstance(node, ast.Call):
        for args in _neighbors_swapped(node.args):
            yield ast.Call(node.func, args, node.keywords)
    if isinstance(node, ast.Tuple):
        for elements in _neighbors_swapped(node.elts):
            yield ast.Tuple(elements, node.ctx)


def argument_dropped(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.Call):
        for i in range(len(node.keywords)):
            yield ast.Call(node.func, node.args, node.keywords[:i] + node.keywords[i + 1 :])
        for i in range(len(node.args)):
            yield ast.Call(node.func, node.args[:i] + node.args[i + 1 :], node.keywords)


def name_replaced(node: ast.AST, names: Names) -> Iterator[Replacement]:
    match node:
        case ast.Name(id=name, ctx=context) if name in names.local:
            others = sorted(names.local - {name})
            yield from (ast.Name(other, context) for other in others)


def two_names_swapped(node: ast.AST, names: Names) -> Iterator[Replacement]:
    """Swap two names throughout one statement."""
    if not isinstance(node, ast.Assign | ast.Return | ast.Expr | ast.AugAssign):
        return
    loaded = {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and n.id in names.local}
    for one in sorted(loaded):
        for other in sorted(loaded):
            if one < other:
                changed = deepcopy(node)
                for n in ast.walk(changed):
                    if isinstance(n, ast.Name):
                        n.id = {one: other, other: one}.get(n.id, n.id)
                yield changed


def sibling_taken(node: ast.AST, names: Names) -> Iterator[Replacement]:
    """Replace `jnp.triu` by `jnp.tril`, `self.query` by `self.key`."""
    if not isinstance(node, ast.Attribute):
        return
    is_self = isinstance(node.value, ast.Name) and node.value.id == "self"
    families = [names.attributes] if is_self else RELATED_NAMES
    for family in families:
        if node.attr in family:
            for other in sorted(family - {node.attr}):
                yield ast.Attribute(node.value, other, node.ctx)


def call_dropped(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.Call):
        yield from node.args[:1]
        if isinstance(node.func, ast.Attribute):
            yield node.func.value


def call_doubled(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.Call) and node.args:
        yield ast.Call(node.func, [deepcopy(node), *node.args[1:]], node.keywords)


def part_returned(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.Return) and node.value is not None:
        for part in ast.walk(node.value):
            if isinstance(part, ast.expr) and part is not node.value:
                yield ast.Return(part)


def subscript_changed(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.Subscript):
        yield node.value
    if isinstance(node, ast.Slice):
        yield ast.Slice()
        yield ast.Slice(node.upper, node.lower, node.step)
        yield ast.Slice(node.lower, node.upper, ast.Constant(-1))


def statement_deleted(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.stmt) and not isinstance(node, ast.Pass):
        yield ast.Pass()


def statement_doubled(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.Assign | ast.AugAssign | ast.Expr | ast.For | ast.Return):
        yield [node, deepcopy(node)]


def statements_swapped(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(getattr(node, "body", None), list):
        for body in _neighbors_swapped(node.body):
            changed = deepcopy(node)
            changed.body = body
            yield changed


def decorator_dropped(node: ast.AST, names: Names) -> Iterator[Replacement]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        for i in range(len(node.decorator_list)):
            changed = deepcopy(node)
            del changed.decorator_list[i]
            yield changed


EDITS: tuple[Edit, ...] = (
    operator_changed,
    operands_swapped,
    constant_changed,
    einsum_letter_changed,
    condition_negated,
    arguments_swapped,
    argument_dropped,
    name_replaced,
    two_names_swapped,
    sibling_taken,
    call_dropped,
    call_doubled,
    part_returned,
    subscript_changed,
    statement_deleted,
    statement_doubled,
    statements_swapped,
    decorator_dropped,
)


def _neighbors_swapped(nodes: list) -> Iterator[list]:
    for i in range(len(nodes) - 1):
        yield [*nodes[:i], nodes[i + 1], nodes[i], *nodes[i + 2 :]]
