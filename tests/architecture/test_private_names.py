"""Tests look at public names only: what is private may change without a test to be rewritten."""

import ast

import pytest

from tests.architecture.sources import PACKAGES, Source, sources

ALLOWED = {
    "_exit": "os._exit is documented: it ends a process without its clean-up",
    "_replace": "documented for named tuples",
    "_set_running_loop": "asyncio offers it to those that run a loop, as the window's driver does",
    "_after_run_forever": "qasync connects it, and has no public way to disconnect it",
    "_QEventLoop__is_running": "qasync has no public way to end a loop that Qt had started",
}


def _is_private(name: str) -> bool:
    return name.startswith("_") and not (name.startswith("__") and name.endswith("__"))


def _private_names(tree: ast.Module) -> list[tuple[int, str]]:
    """Return the private names of others that are read, written, imported or patched."""
    found: list[tuple[int, str]] = []
    for node in ast.walk(tree):
        match node:
            case ast.Attribute(value=ast.Name(id="self" | "cls")):
                continue
            case ast.Attribute(attr=name):
                found.append((node.lineno, name))
            case ast.ImportFrom(module=str(module), names=names) if module.startswith(PACKAGES):
                found += [(node.lineno, alias.name) for alias in names]
            case ast.Call(
                func=ast.Name(id="getattr" | "setattr") | ast.Attribute(attr="setattr"),
                args=[ast.Constant(value=str(name)), *_] | [_, ast.Constant(value=str(name)), *_],
            ):
                found.append((node.lineno, name.rpartition(".")[2]))
    return [(line, name) for line, name in found if _is_private(name)]


@pytest.mark.parametrize("source", sources(("tests",)), ids=lambda source: source.place)
def test_no_test_reaches_into_what_is_private(source: Source) -> None:
    found = _private_names(source.tree)
    assert [f"{source.place}:{line} {name}" for line, name in found if name not in ALLOWED] == []


def test_every_exception_is_still_needed() -> None:
    used = {name for source in sources(("tests",)) for _, name in _private_names(source.tree)}
    assert used >= set(ALLOWED)


@pytest.mark.parametrize(
    "text",
    [
        "other._name",
        "made()._name",
        "self.other._name = 1",
        "getattr(other, '_name', None)",
        "patch.setattr(module, '_name', 1)",
        "patch.setattr('console.cli._name', 1)",
        "from console.cli import _name",
    ],
)
def test_a_private_name_is_found(text: str) -> None:
    assert _private_names(ast.parse(text)) == [(1, "_name")]


@pytest.mark.parametrize("text", ["self._name", "cls._name", "other.__name__", "other.name"])
def test_what_is_ones_own_or_public_is_not(text: str) -> None:
    assert _private_names(ast.parse(text)) == []
