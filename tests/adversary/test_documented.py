"""docs/checks.md names every check of the protocols, and no test that is not there."""

import ast
import re
from collections.abc import Iterator
from pathlib import Path

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "docs/checks.md").read_text()

# Function -> where its argument is that names a check.
NAMING = {"add": 1, "blame": 1, "ban": 1, "freeze": 0, "fromkeys": 1, "_exclude": 1}


def checks(tree: ast.AST) -> Iterator[str]:
    """Give the names of all checks that a module may report."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Attribute(attr=name) | ast.Name(id=name), args=arguments):
                named = arguments[NAMING[name] :][:1] if name in NAMING else []
                named += [k.value for k in node.keywords if k.arg == "check"]
            case ast.Assign(targets=[ast.Subscript(value=ast.Name(id="cheats"))], value=value):
                named = [value]
            case ast.Assign(targets=[ast.Name(id="CHECK")], value=value):
                named = [value]
            case _:
                named = []
        for value in named:
            if isinstance(value, ast.Constant) and isinstance(value.value, str) and value.value:
                yield value.value


def test_checks_are_documented() -> None:
    found = {
        check
        for path in (ROOT / "console/protocols").rglob("*.py")
        for check in checks(ast.parse(path.read_text()))
    }
    assert {"share-proof", "ot-rows", "key-points", "echo-broadcast", "own-share"} <= found
    assert {check for check in found if f"`{check}`" not in TEXT} == set()


def test_documented_tests_exist() -> None:
    paths = [
        path
        for folder in ("unit/protocols", "vectors", "adversary", "properties")
        for path in (ROOT / "tests" / folder).rglob("test_*.py")
    ]
    there = {name for path in paths for name in re.findall(r"def (test_\w+)", path.read_text())}
    named = set(re.findall(r"`(test_\w+)`", TEXT))
    assert len(named) > 100
    assert named - there == set()
    files = set(re.findall(r"`(tests/[\w/]+\.py)`", TEXT))
    assert {name for name in files if not (ROOT / name).is_file()} == set()
