"""Only what is about one chain names it: the window and the use cases take any chain."""

import ast
import re
from collections.abc import Iterator

import pytest

from console.domain.values import Chain
from tests.architecture.sources import Source, sources

CHAIN = re.compile("|".join(chain.value for chain in Chain), re.IGNORECASE)
NAMED_IN = {
    "console/adapters/chains/": "a folder for each chain",
    "console/devnet/": "a local network of each chain",
    "console/demo/": "a story that pays on each chain",
    "console/domain/values.py": "the list of chains that requests may be for",
    "ui/screens/settings/licences.py": "packages with a chain in their name",
}
TABLE = ("console/bootstrap.py", "CHAINS")


def names_of(source: Source) -> list[str]:
    """Return where code names a chain. Comments, docstrings and the table of chains may."""
    skipped = set(_skipped(source))
    return [
        f"{source.place}:{getattr(node, 'lineno', 1)}"
        for node in ast.walk(source.tree)
        if node not in skipped and any(CHAIN.search(word) for word in _words(node))
    ]


def _words(node: ast.AST) -> Iterator[str]:
    """Yield the names and texts that stand in a node itself."""
    for _, value in ast.iter_fields(node):
        for word in value if isinstance(value, list) else (value,):
            if isinstance(word, str | bytes):
                yield word if isinstance(word, str) else word.decode("latin-1")


def _skipped(source: Source) -> Iterator[ast.AST]:
    place, table = TABLE
    for node in ast.walk(source.tree):
        # A text that stands alone is a docstring, of a module, a function or a name before it.
        if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
            yield node.value
        if source.place != place:
            continue
        if isinstance(node, ast.Import | ast.ImportFrom) or (
            isinstance(node, ast.AnnAssign) and ast.unparse(node.target) == table
        ):
            yield from ast.walk(node)


def _generic() -> list[Source]:
    return [s for s in sources() if not s.place.startswith(tuple(NAMED_IN))]


def _planted(place: str, text: str) -> Source:
    """Return a module as if it had this text."""
    (source,) = (each for each in _generic() if each.place == place)
    return Source(source.path, text, ast.parse(text))


def _text(place: str) -> str:
    (source,) = (each for each in _generic() if each.place == place)
    return source.text


def test_no_chain_is_named_outside_of_what_is_about_one() -> None:
    assert [place for source in _generic() for place in names_of(source)] == []


def test_each_exception_is_one() -> None:
    named = [source.place for source in sources() if names_of(source)]
    for place in NAMED_IN:
        assert any(one.startswith(place) for one in named), place


@pytest.mark.parametrize(
    "line",
    [
        'HINTS = {"bitcoin": "A PSBT"}',
        "if adapter.chain is Chain.SOLANA: pass",
        "from console.adapters.chains import ethereum",
        'def on_ethereum(): return f"on {x} Bitcoin"',
        'x = y(solana=b"")',
        'if data == b"Bitcoin": pass',
    ],
)
@pytest.mark.parametrize("place", ["ui/wording.py", "console/application/core/__init__.py"])
def test_a_planted_name_is_found(place: str, line: str) -> None:
    planted = _planted(place, f"{_text(place)}\n{line}\n")
    assert set(names_of(planted)) == {f"{place}:{len(planted.lines)}"}


def test_beside_the_table_a_planted_name_is_found() -> None:
    place, text = TABLE[0], _text(TABLE[0])
    line = "if adapter.chain is not Chain.ETHEREUM: pass"
    assert names_of(_planted(place, text)) == []
    assert len(names_of(_planted(place, f"{text}\n{line}\n"))) == 1


def test_words_about_a_chain_are_no_code() -> None:
    text = '"""Solana."""\n# Bitcoin\nX = 1\n"""Ethereum."""\n'
    assert names_of(_planted("ui/wording.py", text)) == []
