"""Blobs of EIP-4844: they travel beside a signed transaction, which names them only by hash.

What is signed never depends on them, so they are checked and joined when it is broadcast.
"""

import hashlib
import importlib.util
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

import ckzg

from console.adapters.chains.ethereum import strict_rlp
from console.adapters.chains.ethereum.fields import uint_item
from console.adapters.chains.ethereum.signed import parse_signed
from console.adapters.chains.ethereum.strict_rlp import Item
from console.adapters.chains.ethereum.transaction import TransactionKind
from console.application.errors import TransactionError

BLOB_BYTES = 4096 * 32
COMMITMENT_BYTES = 48
CELLS = 128
_SETUP = "typed_transactions/blob_transactions/kzg_trusted_setup.txt"


@dataclass(frozen=True, slots=True)
class Sidecar:
    """Blobs with their commitments and, since EIP-7594, 128 cell proofs for each blob."""

    blobs: tuple[bytes, ...]
    commitments: tuple[bytes, ...]
    cell_proofs: tuple[bytes, ...]

    @property
    def versioned_hashes(self) -> tuple[bytes, ...]:
        """Return the hashes that the signed transaction carries."""
        return tuple(versioned_hash(commitment) for commitment in self.commitments)


def versioned_hash(commitment: bytes) -> bytes:
    """Return the hash by which a transaction names a blob, 32 bytes."""
    return b"\x01" + hashlib.sha256(commitment).digest()[1:]


def load_setup() -> object:
    """Return the trusted setup's parameters. It takes seconds: load them once."""
    found = importlib.util.find_spec("eth_account")
    if found is None or found.origin is None:
        raise TransactionError("the public parameters for blobs are not installed")
    return ckzg.load_trusted_setup(str(Path(found.origin).parent / _SETUP), 0)


def seal(blobs: Iterable[bytes], setup: object) -> Sidecar:
    """Return blobs with commitments and proofs, a third of a second for each.

    `setup` comes from `load_setup`. Raises: TransactionError.
    """
    whole = tuple(blobs)
    commitments: list[bytes] = []
    proofs: list[bytes] = []
    for blob in whole:
        if len(blob) != BLOB_BYTES:
            raise TransactionError(f"a blob has {BLOB_BYTES} bytes")
        try:
            commitments.append(ckzg.blob_to_kzg_commitment(blob, setup))
            proofs += ckzg.compute_cells_and_kzg_proofs(blob, setup)[1]
        # The library raises it for a number that is outside of the field.
        except RuntimeError:
            raise TransactionError(
                "each 32 bytes of a blob must be a number of its field"
            ) from None
    return Sidecar(whole, tuple(commitments), tuple(proofs))


def network_form(signed: bytes, sidecar: Sidecar) -> bytes:
    """Return a signed transaction with its blobs, as nodes take it (EIP-7594).

    Raises: UnknownTransaction; TransactionError if these are not the blobs that were signed for.
    """
    transaction, _, _ = parse_signed(signed)
    if transaction.kind is not TransactionKind.BLOB:
        raise TransactionError("only a blob transaction has blobs")
    if sidecar.versioned_hashes != transaction.blob_hashes:
        raise TransactionError("these are not the blobs that the transaction was signed for")
    count = len(sidecar.blobs)
    sizes = {len(blob) for blob in sidecar.blobs}, {len(part) for part in sidecar.cell_proofs}
    if sizes != ({BLOB_BYTES}, {COMMITMENT_BYTES}) or len(sidecar.cell_proofs) != CELLS * count:
        raise TransactionError("the blobs or their proofs are incomplete")
    body: list[Item] = [
        strict_rlp.decode(signed[1:]),
        uint_item(1),
        list(sidecar.blobs),
        list(sidecar.commitments),
        list(sidecar.cell_proofs),
    ]
    return bytes([TransactionKind.BLOB]) + strict_rlp.encode(body)
