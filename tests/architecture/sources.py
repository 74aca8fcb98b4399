"""The product's sources, parsed once for all that is asked of them."""

import ast
from dataclasses import dataclass
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("console", "hsm", "ui")


@dataclass(frozen=True)
class Source:
    """One module."""

    path: Path
    text: str
    tree: ast.Module

    @property
    def name(self) -> str:
        """Return its dotted name; a package is named without `__init__`."""
        parts = self.path.relative_to(ROOT).with_suffix("").parts
        return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)

    @property
    def place(self) -> str:
        return str(self.path.relative_to(ROOT))

    @property
    def lines(self) -> list[str]:
        return self.text.splitlines()


@cache
def sources(packages: tuple[str, ...] = PACKAGES) -> tuple[Source, ...]:
    """Parse every module of these packages."""
    return tuple(
        Source(path, text, ast.parse(text))
        for package in packages
        for path in sorted((ROOT / package).rglob("*.py"))
        for text in [path.read_text()]
    )


def imported(node: ast.AST) -> list[str]:
    """Return the modules that an import statement names."""
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    if isinstance(node, ast.ImportFrom) and node.module:
        return [node.module]
    return []
