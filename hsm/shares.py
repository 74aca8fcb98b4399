"""The share part: records on disk, each sealed by the token and bound to its label."""

from console.application.errors import VaultLocked
from console.application.ports.share_storage import ShareLabel
from console.protocols.kernel.secret import SecretBytes
from console.sealing.sealed_record import ShareFiles
from console.sealing.sealer import Sealer
from hsm.session import VaultSession


class TokenShares:
    """Implements `ShareStoragePort`."""

    def __init__(self, token: VaultSession, files: ShareFiles, sealer: Sealer) -> None:
        self._token = token
        self._files = files
        self._sealer = sealer

    async def seal(self, label: ShareLabel, share: SecretBytes) -> None:
        """Seal and store durably; the same share again is no error."""
        await self._token.call(
            "sealing a share", lambda: self._files.seal(label, share, self._sealer)
        )

    async def replace(self, label: ShareLabel, share: SecretBytes) -> None:
        """Replace what is stored; a crash leaves the old record or the new."""
        await self._token.call("sealing a share", lambda: self._replace(label, share))

    async def unseal(self, label: ShareLabel) -> SecretBytes:
        """Open a share; the caller wipes it."""
        return await self._token.call("opening a share", lambda: self._unseal(label))

    async def labels(self) -> tuple[ShareLabel, ...]:
        """Return what is stored; works while locked."""
        return await self._token.call("listing shares", self._files.labels)

    async def erase(self, label: ShareLabel) -> None:
        """Erase a share."""
        await self._token.call("erasing a share", lambda: self._files.erase(label))

    def _replace(self, label: ShareLabel, share: SecretBytes) -> None:
        self._require_unlocked()
        self._files.replace(label, share, self._sealer)

    def _unseal(self, label: ShareLabel) -> SecretBytes:
        self._require_unlocked()
        return self._files.unseal(label, self._sealer)

    def _require_unlocked(self) -> None:
        if not self._token.unlocked:
            raise VaultLocked("the vault is locked")
