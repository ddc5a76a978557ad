"""Normalize programs, to compare them without what never matters or the tasks leave open."""

import ast
from collections.abc import Iterator

IMPORT = ast.Import | ast.ImportFrom
REORDERABLE = ast.Assign | ast.AnnAssign | ast.FunctionDef | ast.ClassDef | IMPORT
REMOVED_IF_REPEATED = ast.Assign | ast.AnnAssign | ast.Return | IMPORT


def normalized(program: str | bytes) -> str:
    """The program's syntax tree as text, without what never matters and in a fixed order.

    Removed are docstrings, annotations, the messages of errors, unused imports, and statements
    that are unreachable or repeated. Ignored are the names and initializers of parameters, the
    order of independent statements, and the order of two summands or factors.

    Raises:
        SyntaxError, ValueError: Python cannot read the program.
    """
    tree = ast.parse(program)
    return ast.dump(_Normalizer(_names_read(tree)).visit(tree))


class _Normalizer(ast.NodeTransformer):
    """Normalizes every node.

    Args:
        used: the names that the program reads.
    """

    def __init__(self, used: set[str]):
        self._used = used

    def generic_visit(self, node):
        super().generic_visit(node)
        if isinstance(getattr(node, "body", None), list):
            node.body = list(_in_fixed_order(list(_effective(node.body))))
        return node

    def visit_Expr(self, node):
        self.generic_visit(node)
        return None if isinstance(node.value, ast.Constant) else node

    def visit_Import(self, node):
        node.names = [alias for alias in node.names if _bound_by(alias) in self._used]
        return node if node.names else None

    visit_ImportFrom = visit_Import

    def visit_Pass(self, node):
        return None

    def visit_Raise(self, node):
        if isinstance(node.exc, ast.Call):
            node.exc = node.exc.func
        return node

    def visit_arg(self, node):
        node.annotation = None
        return node

    def visit_AnnAssign(self, node):
        self.generic_visit(node)
        node.annotation = ast.Constant("")
        return node

    def visit_FunctionDef(self, node):
        node.returns = None
        return self.generic_visit(node)

    def visit_BinOp(self, node):
        self.generic_visit(node)
        sides = node.left, node.right
        if isinstance(node.op, ast.Add | ast.Mult) and not any(map(_is_sequence, sides)):
            node.left, node.right = sorted(sides, key=ast.dump)
        return node

    def visit_Call(self, node):
        self.generic_visit(node)
        if "initializers." in ast.unparse(node.func):
            return ast.Name("initializer", ast.Load())
        node.keywords = [k for k in node.keywords if not _is_ignored(k.arg)]
        node.keywords.sort(key=ast.dump)
        if ast.unparse(node.func) == "self.param" and node.args:
            node.args[0] = ast.Constant("")
        return node


def _is_ignored(keyword: str | None) -> bool:
    return keyword is not None and (keyword == "name" or keyword.endswith("_init"))


def _is_sequence(node: ast.AST) -> bool:
    return isinstance(node, ast.List | ast.Tuple | ast.ListComp | ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _effective(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements up to the first that leaves the body, without needless repetitions."""
    last = ""
    for statement in body:
        text = ast.dump(statement)
        is_repeated = text == last and isinstance(statement, REMOVED_IF_REPEATED)
        if not is_repeated or _changes_if_repeated(statement):
            yield statement
        last = text
        if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
            return


def _changes_if_repeated(statement: ast.stmt) -> bool:
    written = _names_written(statement)
    reads_its_result = not written.isdisjoint(_names_read(statement))
    # Flax does not allow a submodule to be assigned twice.
    return reads_its_result or any(name.startswith("self.") for name in written)


def _in_fixed_order(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements sorted by their text, but each after those that it depends on."""
    rest = list(body)
    while rest:
        independent = [
            statement
            for i, statement in enumerate(rest)
            if not any(_depends(statement, earlier) for earlier in rest[:i])
        ]
        first = min(independent, key=ast.dump)
        rest.remove(first)
        yield first


def _depends(statement: ast.stmt, earlier: ast.stmt) -> bool:
    if not (_may_move(statement) and _may_move(earlier)):
        return True
    if isinstance(statement, ast.AnnAssign) and isinstance(earlier, ast.AnnAssign):
        return True  # a module's fields are its arguments, in this order
    written, written_earlier = _names_written(statement), _names_written(earlier)
    return not (
        written.isdisjoint(written_earlier | _names_read(earlier))
        and written_earlier.isdisjoint(_names_read(statement))
    )


def _may_move(statement: ast.stmt) -> bool:
    """Whether its place may change; an `if` may move only if all it does is raise."""
    if isinstance(statement, ast.If):
        return not statement.orelse and all(isinstance(s, ast.Raise) for s in statement.body)
    return isinstance(statement, REORDERABLE)


def _bound_by(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def _names_written(statement: ast.stmt) -> set[str]:
    if isinstance(statement, IMPORT):
        return {_bound_by(alias) for alias in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    return set(_names(statement, ast.Store))


def _names_read(statement: ast.AST) -> set[str]:
    return set(_names(statement, ast.Load))


def _names(statement: ast.AST, context: type[ast.expr_context]) -> Iterator[str]:
    """The names that are loaded or stored; attributes of self as `self.name`.

    `a.b[0] = 1` stores `a`.
    """
    for node in ast.walk(statement):
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(
            node.ctx, context
        ):
            inner = node
            while not isinstance(node, ast.Name) and hasattr(node, "value"):
                inner, node = node, node.value
            if isinstance(node, ast.Name):
                is_attribute = isinstance(inner, ast.Attribute) and node.id == "self"
                yield f"self.{inner.attr}" if is_attribute else node.id
