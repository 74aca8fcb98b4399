"""The ledger: an encrypted, hash-chained event store whose head is also kept in the vault."""

from console.adapters.ledger.export import export, verify_export
from console.adapters.ledger.keys import ledger_key
from console.adapters.ledger.store import SqlCipherEventStore, open_ledger

__all__ = ["SqlCipherEventStore", "export", "ledger_key", "open_ledger", "verify_export"]
