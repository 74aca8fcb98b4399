"""Nonces made ahead of time: bounded, each good for one answer, gone when the pool is wiped.

Library only: the product draws the nonces of each attempt afresh.
"""

from console.protocols.frost.nonces import Commitment, NonceReused, SigningNonces, commit
from console.protocols.frost.suite import Suite
from console.protocols.kernel.party import Random
from console.protocols.keygen.share import KeyShare

MAX_NONCES = 100


class PoolFull(Exception):
    """More nonces were asked for than may be outstanding at once."""


class NoncePool:
    """One party's unused nonces for one key, found by their commitments.

    Lives in memory only: a stored nonce could come back after a restore and be used twice. Wiped
    when the key's epoch ends.
    """

    def __init__(
        self, suite: Suite, share: KeyShare, random: Random, capacity: int = MAX_NONCES
    ) -> None:
        if not 1 <= capacity <= MAX_NONCES:
            raise ValueError(f"a pool holds 1 to {MAX_NONCES} nonces")
        self._suite = suite
        self._share = share
        self._random = random
        self._capacity = capacity
        self._unused: dict[Commitment, SigningNonces] = {}

    def __len__(self) -> int:
        return len(self._unused)

    def commit(self) -> Commitment:
        """Make one more nonce pair and return its commitment. Raises: PoolFull."""
        if len(self._unused) >= self._capacity:
            raise PoolFull("too many nonces are unused")
        nonces, commitment = commit(self._suite, self._share.secret, self._random)
        self._unused[commitment] = nonces
        return commitment

    def take(self, commitment: Commitment) -> SigningNonces:
        """Return the nonces behind a commitment, and remove them from the pool.

        Raises: NonceReused if they are not of this pool, or were taken before.
        """
        nonces = self._unused.pop(commitment, None)
        if nonces is None:
            raise NonceReused("the nonces are not in the pool, or no longer")
        return nonces

    def wipe(self) -> None:
        """Erase all nonces."""
        for nonces in self._unused.values():
            nonces.wipe()
        self._unused.clear()
