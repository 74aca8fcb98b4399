"""All mutants of one module, as replacements of pieces of its text."""

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass

CHECKING = re.compile(
    r"check|verify|raise_if_any|judge|confirm|require|enforce|finish$|^ban$"
    r"|^(Policy|member|public_key|account|admit|accept|_writable|_readable)$"
)
GUARDS = {"_open", "_known", "_custodian", "_undecided"}
ERASING = re.compile(
    r"^(wipe|wipe_all|close|clear|callback|_drop_secrets|_wipe|erase|destroy|discard|unlink)$"
)
RECORDING = re.compile(
    r"^(_?record|record_\w+|activate_wallet|seal|replace|_?publish|releasing|failed"
    r"|_report_failure|_hold_to_account|_move_anchor|fsync|sync_folder)$"
)

# Class -> what it is, in the order of the report.
KINDS = {
    "check": "a check is removed",
    "erase": "an erasure is removed",
    "record": "a fact is not recorded, or not told",
    "compare": "a comparison is flipped",
    "connective": "and/or is swapped, or a `not` removed",
    "constant": "an integer is moved by one",
    "arithmetic": "an operator is swapped",
}

_COMPARE: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
}
_ARITHMETIC: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Add,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitOr,
}


@dataclass(frozen=True, slots=True)
class Mutant:
    """Bytes `begin:end` of a module are replaced; `line` is that of the statement around them."""

    module: str
    kind: str
    line: int
    begin: int
    end: int
    text: str

    def apply(self, source: str) -> str:
        data = source.encode()
        return (data[: self.begin] + self.text.encode() + data[self.end :]).decode()

    def diff(self, source: str) -> list[str]:
        """Give the changed lines only, old ones first."""
        old, new = source.splitlines(), self.apply(source).splitlines()
        while old and new and old[0] == new[0]:
            del old[0], new[0]
        while old and new and old[-1] == new[-1]:
            del old[-1], new[-1]
        return [f"- {line.strip()}" for line in old] + [f"+ {line.strip()}" for line in new]


def mutants_of(module: str, source: str) -> list[Mutant]:
    """Give all mutants of a module, in the order of its text."""
    starts = [0]
    for line in source.encode().splitlines(keepends=True):
        starts.append(starts[-1] + len(line))
    found: list[Mutant] = []
    for node, statement, typed in _walk(ast.parse(source)):
        for kind, first, last, text in _changes(node, typed):
            begin = starts[first.lineno - 1] + first.col_offset
            end = starts[(last.end_lineno or 0) - 1] + (last.end_col_offset or 0)
            found.append(Mutant(module, kind, statement.lineno, begin, end, text))
    return sorted(found, key=lambda m: (m.begin, m.end, m.text))


Located = ast.stmt | ast.expr
Change = tuple[str, Located, Located, str]


def _walk(tree: ast.Module) -> Iterator[tuple[ast.AST, Located, bool]]:
    """Give each node with the statement around it, and whether it is part of an annotation."""
    todo: list[tuple[ast.AST, Located, bool]] = [(s, s, False) for s in tree.body]
    while todo:
        node, statement, typed = todo.pop()
        if isinstance(node, ast.JoinedStr):  # a sentence; and its parts have no place of their own
            continue
        yield node, statement, typed
        for name, value in ast.iter_fields(node):
            inside = typed or name in {"annotation", "returns"}
            for child in value if isinstance(value, list) else [value]:
                if isinstance(child, ast.ExceptHandler):
                    todo.append((child, statement, inside))
                elif isinstance(child, ast.AST):
                    todo.append(
                        (child, child if isinstance(child, ast.stmt) else statement, inside)
                    )


def _changes(node: ast.AST, typed: bool) -> Iterator[Change]:
    match node:
        case ast.If(body=body) | ast.ExceptHandler(body=body) if any(map(_accuses, body)):
            yield "check", body[0], body[-1], "pass"
        case ast.Expr(value=ast.Call(func=called) | ast.Await(value=ast.Call(func=called))):
            text = ast.unparse(called)
            name = text.rpartition(".")[2]
            if text in GUARDS or CHECKING.search(name):
                yield "check", node, node, "pass"
            elif ERASING.search(name):
                yield "erase", node, node, "pass"
            elif RECORDING.search(name):
                yield "record", node, node, "pass"
        case ast.Compare(left=left, ops=ops, comparators=others):
            for place, op in enumerate(ops):
                flipped = [*ops[:place], _COMPARE[type(op)](), *ops[place + 1 :]]
                yield "compare", node, node, _bracketed(ast.Compare(left, flipped, others))
        case ast.BoolOp(op=op, values=values):
            other = ast.And() if isinstance(op, ast.Or) else ast.Or()
            yield "connective", node, node, _bracketed(ast.BoolOp(other, values))
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "connective", node, node, _bracketed(operand)
        case ast.Constant(value=int() as value) if not isinstance(value, bool):
            for change in (value + 1, value - 1):
                yield "constant", node, node, f"({change})"
        case ast.BinOp(left=left, op=op, right=right) if not typed and type(op) in _ARITHMETIC:
            changed = ast.BinOp(left, _ARITHMETIC[type(op)](), right)
            yield "arithmetic", node, node, _bracketed(changed)
        case ast.AugAssign(target=target, op=op, value=added) if type(op) in _ARITHMETIC:
            yield (
                "arithmetic",
                node,
                node,
                ast.unparse(ast.AugAssign(target, _ARITHMETIC[type(op)](), added)),
            )
        case _:
            pass


def _accuses(statement: ast.stmt) -> bool:
    """Tell whether a statement refuses, or notes whom to blame."""
    match statement:
        case ast.Raise():
            return True
        case ast.Expr(value=ast.Call(func=ast.Attribute(value=ast.Name(id=held), attr=called))):
            return (held, called) in {("accusations", "add"), ("bad", "add"), ("bad", "append")}
        case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="cheats"))]):
            return True
        case _:
            return False


def _bracketed(expression: ast.expr) -> str:
    return f"({ast.unparse(expression)})"
