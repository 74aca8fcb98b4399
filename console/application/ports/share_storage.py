"""ShareStoragePort: where one member's shares rest, sealed."""

from dataclasses import dataclass
from typing import Protocol

from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes

SEAL_VERSION = 1


@dataclass(frozen=True, slots=True, order=True)
class ShareLabel:
    """Names one share; every field is bound into the seal as associated data."""

    wallet: WalletId
    member: MemberId
    kind: SignatureKind
    epoch: int


class ShareStoragePort(Protocol):
    """Seals shares and opens them again. Which epoch is active is the ledger's business."""

    async def seal(self, label: ShareLabel, share: SecretBytes) -> None:
        """Seal and store durably before returning; an existing record is never overwritten.

        Raises: VaultLocked, HsmError, FileExistsError if the label is taken by another content.
        """
        ...

    async def replace(self, label: ShareLabel, share: SecretBytes) -> None:
        """Seal in place of what is stored under the label: a crash leaves the old or the new.

        Raises: ShareUnavailable if nothing is stored, VaultLocked, HsmError.
        """
        ...

    async def unseal(self, label: ShareLabel) -> SecretBytes:
        """Open a share; the caller wipes it. Raises: ShareUnavailable, SealBroken, VaultLocked."""
        ...

    async def labels(self) -> tuple[ShareLabel, ...]:
        """List what is stored, sorted; works while locked."""
        ...

    async def erase(self, label: ShareLabel) -> None:
        """Remove a share for good; erasing what is not there is not an error."""
        ...
