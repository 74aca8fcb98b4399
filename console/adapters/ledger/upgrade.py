"""Format 1 becomes format 2: the records stay, and get a tree and an index of their streams."""

from collections.abc import Iterator

from sqlcipher3 import dbapi2 as sqlcipher

from console.adapters.ledger.chain import EMPTY, ChainWalk, StoredRecord
from console.adapters.ledger.connection import FORMAT, TREE_SCHEMA
from console.adapters.ledger.tree import LedgerTree
from console.application.ports.vault import HeadAnchor

_PAGE = 2000
PUT_TILE = "INSERT OR REPLACE INTO tile VALUES (?, ?, ?)"


def walk_chain(
    connection: sqlcipher.Connection, chain: str, anchored: HeadAnchor | None
) -> tuple[HeadAnchor, bytes | None, LedgerTree]:
    """Check all records from the first one on, as format 1 did at every opening.

    Returns the chain's head, its hash at the anchor's place (None beyond the head), and the tree.
    Raises: LedgerCorrupted.
    """
    walk, tree = ChainWalk(chain), LedgerTree()
    wanted = -1 if anchored is None else anchored.sequence
    seen = EMPTY.hash if wanted == 0 else None
    for record in _all(connection):
        walk.accept(record)
        tree.add(record.hash)
        if record.sequence == wanted:
            seen = record.hash
    return walk.head, seen, tree


def upgrade(connection: sqlcipher.Connection, tree: LedgerTree) -> None:
    """Give a verified ledger of format 1 its tree, in one transaction."""
    connection.execute("BEGIN IMMEDIATE")
    for statement in TREE_SCHEMA:
        connection.execute(statement)
    connection.execute("INSERT INTO tree VALUES (?)", (tree.size,))
    connection.executemany(PUT_TILE, [(*tile, data) for tile, data in tree.take_changed().items()])
    connection.execute("UPDATE ledger SET format = ?", (FORMAT,))
    connection.execute("COMMIT")


def _all(connection: sqlcipher.Connection) -> Iterator[StoredRecord]:
    cursor = connection.execute("SELECT * FROM record ORDER BY sequence")
    while rows := cursor.fetchmany(_PAGE):
        yield from map(StoredRecord._make, rows)
