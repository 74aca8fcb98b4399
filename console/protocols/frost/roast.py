"""Signing that ends although some signers are silent or cheat (after ROAST, CCS 2022).

The coordinator opens a new attempt as soon as any t signers have an unused commitment with it,
and leaves earlier attempts open. A good answer carries the next commitment, a bad one excludes
its signer, and silence only leaves a signer out: with n - t or fewer faulty parties, some attempt
has none of them, after n - t + 1 attempts at most. The coordinator is trusted with nothing but
this progress. Library only: the product starts a new session with other signers instead.
"""

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Annotated

from console.protocols.frost.nonces import Commitment
from console.protocols.frost.pool import NoncePool
from console.protocols.frost.signing import (
    PackageMismatch,
    ShareInvalid,
    SignatureShare,
    SigningPackage,
    aggregate,
    sign_share,
    verify_share,
)
from console.protocols.frost.suite import Suite
from console.protocols.kernel.abort import MessageRejected, blame
from console.protocols.kernel.wire import Count, Delivery, PartyIndex, Range, Size, message
from console.protocols.keygen.share import MAX_PARTIES, KeyShare, PublicKeyPackage
from console.protocols.math.group import BadEncoding

_Attempt = Annotated[int, Range(1, 0xFFFF)]


@message("frost.roast-row")
@dataclass(frozen=True, slots=True)
class SignerCommitment:
    """One signer of an attempt, with its commitment."""

    index: PartyIndex
    commitment: Commitment


@message("frost.roast-request", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class Request:
    """Coordinator to each signer of an attempt: the whole list, ascending."""

    attempt: _Attempt
    rows: Annotated[tuple[SignerCommitment, ...], Count(1, MAX_PARTIES)]

    @property
    def commitments(self) -> list[tuple[int, Commitment]]:
        return [(row.index, row.commitment) for row in self.rows]


@message("frost.roast-answer", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class Answer:
    """Signer to coordinator: z_i for the attempt, and the commitment to the next nonces."""

    attempt: _Attempt
    z: Annotated[bytes, Size(1, 64)]
    next: Commitment


class Signer:
    """One party's side: answers each list that holds a commitment of its own, once.

    The message is what this party approved; the coordinator cannot change it.
    """

    def __init__(self, suite: Suite, share: KeyShare, message: bytes, pool: NoncePool) -> None:
        self._suite = suite
        self._share = share
        self._message = message
        self._pool = pool

    def start(self) -> Commitment:
        """Return the first commitment. Raises: PoolFull."""
        return self._pool.commit()

    def answer(self, request: Request) -> Answer:
        """Sign for one attempt. Two attempts never share a nonce, whatever is asked.

        Raises: PackageMismatch if the list is not one that we may sign; NonceReused if our
        commitment in it is not ours or was used; ShareInvalid if our own computation failed.
        """
        commitments = request.commitments
        package = SigningPackage.bind(self._suite, self._share.public, self._message, commitments)
        ours = dict(commitments).get(self._share.index)
        if ours is None:
            raise PackageMismatch("our commitment is missing")
        nonces = self._pool.take(ours)
        try:
            share = sign_share(self._share, nonces, package)
        finally:
            nonces.wipe()
        verify_share(package, self._share.index, share)
        return Answer(request.attempt, share.z, self._pool.commit())


@dataclass(slots=True)
class _Open:
    """An attempt that waits for answers."""

    package: SigningPackage
    shares: dict[int, SignatureShare] = field(default_factory=dict)


class Coordinator:
    """Collects commitments and answers, and returns whom to ask next, until there is a signature.

    Every share is checked when it comes, so that a cheat is found before it can do harm.
    `culprits` maps each excluded party to the check it failed.
    """

    def __init__(
        self, suite: Suite, public: PublicKeyPackage, message: bytes, parties: Iterable[int]
    ) -> None:
        self._suite = suite
        self._public = public
        self._message = message
        self._parties = frozenset(parties)
        if not self._parties <= set(public.indices) or len(self._parties) < public.threshold:
            raise PackageMismatch("the parties are too few, or do not belong to the key")
        self._ready: dict[int, Commitment] = {}
        self._begun: set[int] = set()
        self._attempts: dict[int, _Open] = {}
        self.culprits: dict[int, str] = {}
        self.signature: bytes | None = None

    @property
    def attempts(self) -> int:
        """How many attempts there were so far."""
        return len(self._attempts)

    def begin(self, index: int, commitment: Commitment) -> dict[int, Request]:
        """Take a party's first commitment; return what to send to whom.

        Raises: MessageRejected; ProtocolAbort BLAME when fewer than t parties are left.
        """
        self._admit(index)
        if index in self._begun:
            raise MessageRejected(f"party {index} has begun already")
        self._begun.add(index)
        return self._make_ready(index, commitment)

    def answer(self, index: int, answer: Answer) -> dict[int, Request]:
        """Take an answer; return what to send to whom. `signature` may be there afterwards.

        Raises: as `begin`; ProtocolAbort FREEZE if the signature fails although all shares fit.
        """
        self._admit(index)
        attempt = self._attempts.get(answer.attempt)
        if attempt is None or index not in attempt.package.signers or index in attempt.shares:
            raise MessageRejected(f"party {index} was not asked for this answer")
        share = SignatureShare(answer.z)
        try:
            verify_share(attempt.package, index, share)
        except ShareInvalid:
            self._exclude(index, "signature-share")
            return {}
        attempt.shares[index] = share
        if len(attempt.shares) == len(attempt.package.signers):
            self.signature = aggregate(attempt.package, attempt.shares)
            return {}
        return self._make_ready(index, answer.next)

    def _admit(self, index: int) -> None:
        if self.signature is not None:
            raise MessageRejected("there is a signature already")
        if index not in self._parties or index in self.culprits:
            raise MessageRejected(f"party {index} does not take part")

    def _exclude(self, index: int, check: str) -> None:
        self.culprits[index] = check
        self._ready.pop(index, None)
        if len(self._parties) - len(self.culprits) < self._public.threshold:
            checks = ",".join(sorted(set(self.culprits.values())))
            raise blame(self.culprits, checks, "too few parties are left to sign")

    def _make_ready(self, index: int, commitment: Commitment) -> dict[int, Request]:
        try:
            self._suite.group.parse_point(commitment.hiding)
            self._suite.group.parse_point(commitment.binding)
        except BadEncoding:
            self._exclude(index, "nonce-commitment")
            return {}
        self._ready[index] = commitment
        if len(self._ready) < self._public.threshold:
            return {}
        # Each commitment goes into one attempt, and leaves here with it.
        rows, self._ready = sorted(self._ready.items()), {}
        package = SigningPackage.bind(self._suite, self._public, self._message, rows)
        request = Request(self.attempts + 1, tuple(SignerCommitment(i, c) for i, c in rows))
        self._attempts[request.attempt] = _Open(package)
        return dict.fromkeys(package.signers, request)
