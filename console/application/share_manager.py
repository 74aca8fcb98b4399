"""ShareManager: this member's shares, from the moment they exist to the moment they are used."""

from console.application.errors import SealBroken
from console.application.ports.share_storage import ShareLabel, ShareStoragePort
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.keygen.share import BadShare, KeyShare, decode_share, encode_share


class ShareManager:
    """Seals before anything is acknowledged, unseals for one use at a time, erases for good."""

    def __init__(self, me: MemberId, storage: ShareStoragePort) -> None:
        self._me = me
        self._storage = storage

    async def seal(self, wallet: WalletId, kind: SignatureKind, epoch: int, key: KeyShare) -> None:
        """Store a share durably, then open it again: what cannot be opened is not acknowledged.

        Wipes the plain share. Raises: HsmError, SealBroken.
        """
        label = ShareLabel(wallet, self._me, kind, epoch)
        encoded = encode_share(key)
        try:
            await self._storage.seal(label, encoded)
            reopened = await self._storage.unseal(label)
            try:
                if reopened != encoded:
                    raise SealBroken("the sealed share does not open to what was sealed")
            finally:
                reopened.wipe()
        finally:
            encoded.wipe()
            key.wipe()

    async def unseal(self, wallet: WalletId, kind: SignatureKind, epoch: int) -> KeyShare:
        """Open a share; the caller wipes it. Raises: ShareUnavailable, SealBroken, HsmError."""
        encoded = await self._storage.unseal(ShareLabel(wallet, self._me, kind, epoch))
        try:
            return decode_share(encoded)
        except BadShare:
            raise SealBroken("the sealed record is no share of this wallet") from None
        finally:
            encoded.wipe()

    async def erase(self, wallet: WalletId, kind: SignatureKind, epoch: int) -> None:
        """Remove a share for good."""
        await self._storage.erase(ShareLabel(wallet, self._me, kind, epoch))

    async def holds(self, wallet: WalletId, kind: SignatureKind, epoch: int) -> bool:
        """Tell whether a share is stored; says nothing about whether it opens."""
        return ShareLabel(wallet, self._me, kind, epoch) in await self._storage.labels()
