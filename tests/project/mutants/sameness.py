"""Whether two programs are the same but for what never matters, or what the tasks leave free."""

import ast
from collections.abc import Iterator

IMPORT = ast.Import | ast.ImportFrom
ORDER_IS_FREE = ast.Assign | ast.AnnAssign | ast.FunctionDef | ast.ClassDef | IMPORT
SAYS_NO_MORE_TWICE = ast.Assign | ast.AnnAssign | ast.Return | IMPORT


def normalised(program: str | bytes) -> str:
    """The program's tree without what never matters, the rest in an order of its own.

    Gone are docstrings, annotations, the words of errors, imports that nothing uses, statements
    that are never reached or said twice over. Free are the names of parameters, the way they
    begin, the order of what does not depend on each other, and that of two summands or factors.

    Raises:
        SyntaxError, or ValueError: Python cannot read it.
    """
    tree = ast.parse(program)
    return ast.dump(_Normaliser(_read(tree)).visit(tree))


class _Normaliser(ast.NodeTransformer):
    def __init__(self, used: set[str]):
        self._used = used

    def generic_visit(self, node):
        super().generic_visit(node)
        if isinstance(getattr(node, "body", None), list):
            node.body = list(_ordered(list(_reached(node.body))))
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
        node.keywords = [k for k in node.keywords if not _is_free(k.arg)]
        node.keywords.sort(key=ast.dump)
        if ast.unparse(node.func) == "self.param" and node.args:
            node.args[0] = ast.Constant("")
        return node


def _is_free(keyword: str | None) -> bool:
    return keyword is not None and (keyword == "name" or keyword.endswith("_init"))


def _is_sequence(node: ast.AST) -> bool:
    return isinstance(node, ast.List | ast.Tuple | ast.ListComp | ast.JoinedStr) or (
        isinstance(node, ast.Constant) and isinstance(node.value, str)
    )


def _reached(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements up to the first that ends it, each said once."""
    last = ""
    for statement in body:
        said = ast.dump(statement)
        again = said == last and isinstance(statement, SAYS_NO_MORE_TWICE)
        if not again or _minds_being_repeated(statement):
            yield statement
        last = said
        if isinstance(statement, ast.Return | ast.Raise | ast.Continue | ast.Break):
            return


def _minds_being_repeated(statement: ast.stmt) -> bool:
    written = _written(statement)  # Flax wants no submodule assigned twice
    return not written.isdisjoint(_read(statement)) or any(n.startswith("self.") for n in written)


def _ordered(body: list[ast.stmt]) -> Iterator[ast.stmt]:
    """The statements in the order of their text, as far as none depends on another before it."""
    rest = list(body)
    while rest:
        free = [s for i, s in enumerate(rest) if not any(_depends(s, b) for b in rest[:i])]
        first = min(free, key=ast.dump)
        rest.remove(first)
        yield first


def _depends(statement: ast.stmt, before: ast.stmt) -> bool:
    if not all(_may_move(s) for s in (statement, before)):
        return True
    if isinstance(statement, ast.AnnAssign) and isinstance(before, ast.AnnAssign):
        return True  # fields are arguments, in this order
    mine, its = _written(statement), _written(before)
    return not (mine.isdisjoint(its | _read(before)) and its.isdisjoint(_read(statement)))


def _may_move(statement: ast.stmt) -> bool:
    """Of conditions, those that do no more than refuse something."""
    if isinstance(statement, ast.If):
        return not statement.orelse and all(isinstance(s, ast.Raise) for s in statement.body)
    return isinstance(statement, ORDER_IS_FREE)


def _bound_by(alias: ast.alias) -> str:
    return alias.asname or alias.name.split(".")[0]


def _written(statement: ast.stmt) -> set[str]:
    if isinstance(statement, IMPORT):
        return {_bound_by(alias) for alias in statement.names}
    if isinstance(statement, ast.FunctionDef | ast.ClassDef):
        return {statement.name}
    return set(_names(statement, ast.Store))


def _read(statement: ast.AST) -> set[str]:
    return set(_names(statement, ast.Load))


def _names(statement: ast.AST, kind: type) -> Iterator[str]:
    """The names, and what `self` holds as `self.name`; `a.b[0] = 1` writes `a`, too."""
    for node in ast.walk(statement):
        if isinstance(node, ast.Name | ast.Attribute | ast.Subscript) and isinstance(
            node.ctx, kind
        ):
            inner = node
            while not isinstance(node, ast.Name) and hasattr(node, "value"):
                inner, node = node, node.value
            if isinstance(node, ast.Name):
                kept = isinstance(inner, ast.Attribute) and node.id == "self"
                yield f"self.{inner.attr}" if kept else node.id
