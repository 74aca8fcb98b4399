"""The shape of the sources: no circles, no big modules, no words that hide trouble."""

import ast
import re
import statistics
import sys
from collections.abc import Callable
from pathlib import Path

import grimp
import pytest

from tests.architecture.sources import PACKAGES, ROOT, Source, imported, sources

LARGEST, MEDIAN, P90 = 400, 150, 250
LONGEST_FUNCTION = 60
MAX_ROOM_IMPORTS = 85
PRINTERS = ("console/devnet/server.py", "console/node_process.py", "console/demo/")
MONEY = re.compile(r"amount|fee|lamport|balance|satoshi|_sat$|wei$|base_units")
UNFINISHED = re.compile(r"\b(TODO|FIXME|XXX|HACK)\b")


def _nodes(source: Source, *kinds: type[ast.AST]) -> list[ast.AST]:
    return [node for node in ast.walk(source.tree) if isinstance(node, kinds)]


def _places(found: list[tuple[Source, ast.AST]]) -> list[str]:
    return [f"{source.place}:{getattr(node, 'lineno', 1)}" for source, node in found]


@pytest.fixture(scope="module")
def graph() -> grimp.ImportGraph:
    return grimp.build_graph(*PACKAGES, cache_dir=None)


def test_no_module_imports_itself_by_a_detour(graph: grimp.ImportGraph) -> None:
    circles = {
        tuple(sorted(group)) for group in _strongly_connected(_edges(graph)) if len(group) > 1
    }
    assert circles == set()


def _edges(graph: grimp.ImportGraph) -> dict[str, set[str]]:
    return {module: graph.find_modules_directly_imported_by(module) for module in graph.modules}


def _strongly_connected(edges: dict[str, set[str]]) -> list[set[str]]:
    """Tarjan's algorithm, with a stack of its own."""
    order: dict[str, int] = {}
    low: dict[str, int] = {}
    stack: list[str] = []
    groups: list[set[str]] = []
    for root, targets in edges.items():
        if root in order:
            continue
        order[root] = low[root] = len(order)
        stack.append(root)
        work = [(root, iter(targets))]
        while work:
            module, rest = work[-1]
            following = next(rest, None)
            if following is None:
                work.pop()
                if work:
                    low[work[-1][0]] = min(low[work[-1][0]], low[module])
                if low[module] == order[module]:
                    cut = stack.index(module)
                    groups.append(set(stack[cut:]))
                    del stack[cut:]
            elif following not in order:
                order[following] = low[following] = len(order)
                stack.append(following)
                work.append((following, iter(edges[following])))
            elif following in stack:
                low[module] = min(low[module], order[following])
    return groups


def test_the_search_for_circles_finds_one() -> None:
    edges = {"a": {"b"}, "b": {"c"}, "c": {"a"}, "d": {"a"}, "e": set()}
    assert {"a", "b", "c"} in _strongly_connected(edges)
    assert len(_strongly_connected(edges)) == 3


def test_nothing_is_imported_inside_a_function() -> None:
    inside = [
        (source, node)
        for source in sources()
        for function in _nodes(source, ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        for node in ast.walk(function)
        if isinstance(node, ast.Import | ast.ImportFrom)
        or (isinstance(node, ast.Name) and node.id == "__import__")
    ]
    assert _places(inside) == []


def test_modules_are_small(record_property: Callable[[str, object], None]) -> None:
    sizes = {source.place: len(source.lines) for source in sources()}
    ordered = sorted(sizes.values())
    p90 = ordered[int(len(ordered) * 0.9)]
    record_property("module_lines_median", statistics.median(ordered))
    record_property("module_lines_p90", p90)
    assert [place for place, size in sizes.items() if size > LARGEST] == []
    assert statistics.median(ordered) <= MEDIAN
    assert p90 <= P90


def test_functions_are_short() -> None:
    long = [
        (source, node)
        for source in sources()
        for node in _nodes(source, ast.FunctionDef, ast.AsyncFunctionDef)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
        and (node.end_lineno or node.lineno) - node.lineno + 1 > LONGEST_FUNCTION
    ]
    assert _places(long) == []


def test_the_rooms_of_the_use_cases_are_loosely_joined(
    graph: grimp.ImportGraph, record_property: Callable[[str, object], None]
) -> None:
    base = "console.application."
    joined = {
        (importer.removeprefix(base).partition(".")[0], found.removeprefix(base).partition(".")[0])
        for importer, targets in _edges(graph).items()
        if importer.startswith(base)
        for found in targets
        if found.startswith(base)
    }
    between = {(room, other) for room, other in joined if room != other}
    record_property("room_imports", len(between))
    assert len(between) <= MAX_ROOM_IMPORTS


def _twice(names: list[str]) -> list[str]:
    return sorted({name for name in names if names.count(name) > 1})


def test_every_control_has_a_name_of_its_own() -> None:
    (source,) = (s for s in sources(("ui",)) if s.place == "ui/object_names.py")
    assigned = [node for node in source.tree.body if isinstance(node, ast.Assign)]
    assert len(assigned) > 50
    assert _twice([ast.unparse(node.targets[0]) for node in assigned]) == []
    assert _twice([ast.unparse(node.value) for node in assigned]) == []
    assert _twice(["a", "b", "a"]) == ["a"]


def test_no_check_is_an_assert() -> None:
    # Assertions vanish under `python -O`; a check that can vanish is none.
    found = [(s, n) for s in sources(("console", "hsm")) for n in _nodes(s, ast.Assert)]
    assert _places(found) == []


def test_a_broad_except_says_why() -> None:
    broad = [
        (source, handler)
        for source in sources()
        for handler in _nodes(source, ast.ExceptHandler)
        if isinstance(handler, ast.ExceptHandler) and _catches_all(handler)
    ]
    silent = [
        (source, handler)
        for source, handler in broad
        if not any("#" in line for line in _reason_lines(source, handler))
        and not _raises_again(handler)
    ]
    assert _places(silent) == []


def _reason_lines(source: Source, handler: ast.ExceptHandler) -> list[str]:
    """The reason stands above the handler, on its line, or at the top of its body."""
    return source.lines[handler.lineno - 2 : handler.lineno + 2]


def _catches_all(handler: ast.ExceptHandler) -> bool:
    if handler.type is None:
        return True
    names = {n.id for n in ast.walk(handler.type) if isinstance(n, ast.Name)}
    return bool(names & {"Exception", "BaseException"})


def _raises_again(handler: ast.ExceptHandler) -> bool:
    last = handler.body[-1]
    return isinstance(last, ast.Raise) and last.exc is None


def test_nothing_is_left_to_do() -> None:
    found = [
        f"{source.place}:{number}"
        for source in sources((*PACKAGES, "tests"))
        for number, line in enumerate(source.lines, start=1)
        if UNFINISHED.search(line) and source.path != Path(__file__)
    ]
    assert found == []


def test_only_programs_print() -> None:
    found = [
        (source, node)
        for source in sources()
        for node in _nodes(source, ast.Call)
        if isinstance(node, ast.Call)
        and isinstance(node.func, ast.Name)
        and node.func.id in {"print", "breakpoint"}
        and not source.place.startswith(PRINTERS)
    ]
    assert _places(found) == []


def test_money_is_never_a_float() -> None:
    found = []
    for source in sources():
        for node in _nodes(source, ast.AnnAssign, ast.arg, ast.FunctionDef):
            name, annotation = _annotated(node)
            if MONEY.search(name) and annotation is not None and "float" in ast.unparse(annotation):
                found.append((source, node))
    assert _places(found) == []


def _annotated(node: ast.AST) -> tuple[str, ast.expr | None]:
    match node:
        case ast.AnnAssign(target=ast.Name(id=name), annotation=annotation):
            return name, annotation
        case ast.arg(arg=name, annotation=annotation):
            return name, annotation
        case ast.FunctionDef(name=name, returns=annotation):
            return name, annotation
        case _:
            return "", None


def test_no_guessable_randomness() -> None:
    found = [
        (source, node)
        for source in sources()
        for node in _nodes(source, ast.Import, ast.ImportFrom)
        if any(name.partition(".")[0] == "random" for name in imported(node))
    ]
    assert _places(found) == []


def test_the_domain_is_standard_library_only() -> None:
    # The contract lists what we depend on today; this also catches what we do not yet.
    foreign = [
        (source, name)
        for source in sources(("console",))
        if source.name.startswith("console.domain")
        for node in _nodes(source, ast.Import, ast.ImportFrom)
        for name in imported(node)
        if name.partition(".")[0] not in {*sys.stdlib_module_names, "console"}
    ]
    assert foreign == []


def test_every_module_says_what_it_is() -> None:
    assert [source.place for source in sources() if not ast.get_docstring(source.tree)] == []


def test_every_folder_of_modules_is_a_package_except_packaging() -> None:
    folders = {source.path.parent for source in sources((*PACKAGES, "tests", "resources"))}
    assert [str(f.relative_to(ROOT)) for f in folders if not (f / "__init__.py").exists()] == []
    # It would shadow the library of that name, which the tools import.
    assert not (ROOT / "packaging" / "__init__.py").exists()
