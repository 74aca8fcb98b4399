"""ShareStoragePort: the sealed shares of one member."""

from dataclasses import dataclass
from typing import Protocol

from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes

SEAL_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class ShareLabel:
    """The name of one share; every field is associated data of the seal."""

    wallet: WalletId
    member: MemberId
    kind: SignatureKind
    epoch: int


class ShareStoragePort(Protocol):
    """Seals and opens shares. The ledger decides which epoch is active."""

    async def seal(self, label: ShareLabel, share: SecretBytes) -> None:
        """Seal and store durably before returning; an existing record is never overwritten.

        Raises: VaultLocked, HsmError, FileExistsError if the label is taken by another content.
        """
        ...

    async def replace(self, label: ShareLabel, share: SecretBytes) -> None:
        """Replace what is stored under the label; a crash leaves the old record or the new.

        Raises: ShareUnavailable if nothing is stored, VaultLocked, HsmError.
        """
        ...

    async def unseal(self, label: ShareLabel) -> SecretBytes:
        """Open a share; the caller wipes it. Raises: ShareUnavailable, SealBroken, VaultLocked."""
        ...

    async def labels(self) -> tuple[ShareLabel, ...]:
        """Return what is stored, sorted; works while locked."""
        ...

    async def erase(self, label: ShareLabel) -> None:
        """Erase a share; a missing one is no error."""
        ...
