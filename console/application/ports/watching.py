"""Watches: what a chain's adapter has that must be told of payments to find them again."""

from typing import Protocol, runtime_checkable

from console.application.ports.chain import PublicKeys


@runtime_checkable
class Watches(Protocol):
    """An adapter that must know what was paid to the wallet to find it again."""

    def watch(self, transaction: bytes, keys: PublicKeys) -> None:
        """Look from now on wherever a signed transaction pays to the wallet itself.

        Raises: UnknownTransaction.
        """
        ...
