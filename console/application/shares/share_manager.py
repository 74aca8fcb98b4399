"""ShareManager: seals, opens and erases this member's shares."""

from collections.abc import Callable, Coroutine, Iterable
from typing import Any

from console.application.errors import SealBroken, ShareUnavailable
from console.application.ports.share_storage import ShareLabel, ShareStoragePort
from console.application.ports.threshold import KeyMaterial
from console.application.shares.key_material_codec import decode_key_material, encode_key_material
from console.domain.errors import NotYetPossible
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import BadShare
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.secp256k1 import SECP256K1

_GROUPS = {
    SignatureKind.ECDSA_SECP256K1: SECP256K1.name,
    SignatureKind.SCHNORR_BIP340: SECP256K1.name,
    SignatureKind.EDDSA_ED25519: ED25519.name,
}

Store = Callable[[ShareLabel, SecretBytes], Coroutine[Any, Any, None]]


class ShareManager:
    """Seals before anything is acknowledged, unseals for one use at a time, erases for good."""

    def __init__(self, me: MemberId, storage: ShareStoragePort) -> None:
        self._me = me
        self._storage = storage
        self._troubles: dict[ShareLabel, str] = {}
        """Why shares did not open when they were asked for last."""

    async def seal(
        self, wallet: WalletId, kind: SignatureKind, epoch: int, held: KeyMaterial
    ) -> None:
        """Store a share durably, then open it again: what cannot be opened is not acknowledged.

        Wipes `held`. Raises: HsmError, SealBroken; FileExistsError if another one is stored.
        """
        label = ShareLabel(wallet, self._me, kind, epoch)
        await self._store(self._storage.seal, label, held)

    async def replace(
        self, wallet: WalletId, kind: SignatureKind, epoch: int, held: KeyMaterial
    ) -> None:
        """Replace a stored share, and open it again.

        A crash leaves the old one or the new. Wipes `held`. Raises: ShareUnavailable if none is
        there; HsmError, SealBroken.
        """
        label = ShareLabel(wallet, self._me, kind, epoch)
        await self._store(self._storage.replace, label, held)

    async def unseal(self, wallet: WalletId, kind: SignatureKind, epoch: int) -> KeyMaterial:
        """Open a share and check it; the caller wipes it.

        Raises: ShareUnavailable, SealBroken, HsmError.
        """
        label = ShareLabel(wallet, self._me, kind, epoch)
        try:
            held = await self._open(label)
        except (ShareUnavailable, SealBroken) as trouble:
            self._troubles[label] = str(trouble)
            raise
        self._troubles.pop(label, None)
        return held

    def trouble(self, wallet: WalletId, kinds: Iterable[SignatureKind], epoch: int) -> str:
        """Return why one of these shares did not open when it was asked for last, "" if all did."""
        labels = [ShareLabel(wallet, self._me, kind, epoch) for kind in kinds]
        return next((self._troubles[label] for label in labels if label in self._troubles), "")

    async def _open(self, label: ShareLabel) -> KeyMaterial:
        encoded = await self._storage.unseal(label)
        try:
            held = decode_key_material(encoded)
        except BadShare:
            raise SealBroken("the sealed record is no share of this wallet") from None
        finally:
            encoded.wipe()
        if not _fits(label.kind, held):
            held.wipe()
            raise SealBroken("the sealed share belongs to another kind of key")
        return held

    async def erase(self, wallet: WalletId, kind: SignatureKind, epoch: int) -> None:
        """Erase a share."""
        label = ShareLabel(wallet, self._me, kind, epoch)
        await self._storage.erase(label)
        self._troubles.pop(label, None)

    async def require(self, wallet: WalletId, kind: SignatureKind, epoch: int) -> None:
        """Check that a share opens, before others wait for us. Raises: NotYetPossible, HsmError."""
        try:
            (await self.unseal(wallet, kind, epoch)).wipe()
        except (ShareUnavailable, SealBroken) as trouble:
            raise NotYetPossible(
                f"this member's share of this epoch does not open: it needs a repair ({trouble})"
            ) from None

    async def stored(self, wallet: WalletId) -> tuple[tuple[SignatureKind, int], ...]:
        """Return kind and epoch of a wallet's stored shares; works while locked."""
        labels = await self._storage.labels()
        return tuple((label.kind, label.epoch) for label in labels if label.wallet == wallet)

    async def epochs_stored(self) -> frozenset[tuple[WalletId, int]]:
        """Return the wallets and epochs of all stored shares; works while locked."""
        return frozenset((label.wallet, label.epoch) for label in await self._storage.labels())

    async def holds(self, wallet: WalletId, kind: SignatureKind, epoch: int) -> bool:
        """Return whether a share is stored and opens. Raises: HsmError."""
        try:
            await self.require(wallet, kind, epoch)
        except NotYetPossible:
            return False
        return True

    async def _store(self, store: Store, label: ShareLabel, held: KeyMaterial) -> None:
        try:
            if not _fits(label.kind, held):
                raise ValueError("the share belongs to another kind of key than its label")
            encoded = encode_key_material(held)
        finally:
            held.wipe()
        try:
            await store(label, encoded)
            reopened = await self._storage.unseal(label)
            try:
                if reopened != encoded:
                    raise SealBroken("the sealed share does not open to what was sealed")
            finally:
                reopened.wipe()
        finally:
            encoded.wipe()


def _fits(kind: SignatureKind, held: KeyMaterial) -> bool:
    return held.share.public.group_name == _GROUPS.get(kind)
