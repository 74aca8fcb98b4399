"""Pair states of DKLs23 in use: a ban in one session applies to all others immediately.

Each reply to a cheating peer may leak one bit of the state that is shared with it. Sessions of a
key have their own copies, so a state that one of them destroys must not be used by the others.
"""

from collections.abc import Iterable, Iterator
from contextlib import contextmanager

from console.application.errors import SealBroken
from console.application.ports.threshold import KeyMaterial
from console.protocols.dkls23 import BadPairStates, PairStates, decode_pairs, encode_pairs
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare


class OpenStates:
    """Lends decoded states to sessions, and remembers bans until this process ends.

    The caller makes bans durable: see `without`.
    """

    def __init__(self) -> None:
        self._lent: list[PairStates] = []
        self._banned: dict[tuple[int, bytes], frozenset[int]] = {}

    @contextmanager
    def lent(self, held: KeyMaterial) -> Iterator[PairStates]:
        """Lend the states of a key, wiped afterwards. Raises: SealBroken."""
        pairs = _decoded(held)
        pairs.ban(self._banned.get((pairs.me, pairs.setup_id), ()))
        self._lent.append(pairs)
        try:
            yield pairs
        finally:
            self._lent.remove(pairs)
            self._ban(pairs.me, pairs.setup_id, pairs.banned)
            pairs.wipe()

    def without(self, held: KeyMaterial, peers: Iterable[int]) -> KeyMaterial | None:
        """Return a copy of a key's material without states of `peers`; None if nothing changes.

        Peers banned since then are left out too: of two sessions that opened the same record, the
        later one to store it must not restore what the other has destroyed.
        Raises: SealBroken.
        """
        pairs = _decoded(held)
        try:
            before = pairs.banned
            pairs.ban(self._ban(pairs.me, pairs.setup_id, peers))
            if pairs.banned == before:
                return None
            return KeyMaterial(_copy(held.share), encode_pairs(pairs))
        finally:
            pairs.wipe()

    def _ban(self, me: int, setup_id: bytes, peers: Iterable[int]) -> frozenset[int]:
        """Add to the bans of one setup, for all sessions, and return all of them."""
        banned = self._banned.get((me, setup_id), frozenset()) | frozenset(peers)
        if banned:
            self._banned[me, setup_id] = banned
        for pairs in self._lent:
            if (pairs.me, pairs.setup_id) == (me, setup_id):
                pairs.ban(banned)
        return banned


def _decoded(held: KeyMaterial) -> PairStates:
    if held.setup is None:
        raise SealBroken("the sealed record holds no pair states")
    try:
        return decode_pairs(held.setup)
    except BadPairStates:
        raise SealBroken("the pair states in the sealed record are malformed") from None


def _copy(share: KeyShare) -> KeyShare:
    return KeyShare(share.index, SecretBytes(bytearray(share.secret.view())), share.public)
