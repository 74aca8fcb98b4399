"""The ledger: an encrypted, hash-chained event store; its head is also in the vault."""

from console.adapters.ledger.export import export, export_records, verify_export
from console.adapters.ledger.keys import ledger_key
from console.adapters.ledger.store import SqlCipherEventStore, open_ledger

__all__ = [
    "SqlCipherEventStore",
    "export",
    "export_records",
    "ledger_key",
    "open_ledger",
    "verify_export",
]
