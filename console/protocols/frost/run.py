"""One FROST signature as a protocol run: commit, then answer (RFC 9591, section 5)."""

from collections.abc import Mapping

from console.protocols.frost.ed25519 import FROST_ED25519
from console.protocols.frost.nonces import Commitment, commit
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
from console.protocols.kernel.abort import blame, freeze, retry
from console.protocols.kernel.party import Party, Random
from console.protocols.keygen.share import KeyShare


async def sign(party: Party, share: KeyShare, message: bytes, random: Random) -> bytes:
    """Sign with FROST(Ed25519, SHA-512); the result is a 64-byte Ed25519 signature."""
    return await sign_with(FROST_ED25519, party, share, message, random)


async def sign_with(
    suite: Suite, party: Party, share: KeyShare, message: bytes, random: Random
) -> bytes:
    """Sign `message` together with the session's parties, who are the signers.

    Every party must have approved `message` before. The nonces are fresh for this run and gone
    after it: a failed run is never resumed.
    Raises: PackageMismatch if the parties cannot sign with this key; ProtocolAbort BLAME naming
    all who sent a bad commitment or share; FREEZE if our own share or the result is wrong.
    """
    if party.me != share.index or not set(party.parties) <= set(share.public.indices):
        raise PackageMismatch("the parties do not belong to the key")
    if len(party.parties) < share.public.threshold:
        raise PackageMismatch("there are fewer signers than the threshold")
    if share.public.group_name != suite.group.name:
        raise PackageMismatch("the key belongs to another group")
    nonces, ours = commit(suite, share.secret, random)  # 5.1
    try:
        await party.broadcast(ours)
        commitments = {party.me: ours, **await party.gather(Commitment)}
        package = _bind(suite, share, message, commitments)
        answer = sign_share(share, nonces, package)  # 5.2, wipes the nonces
    finally:
        nonces.wipe()
    try:
        # A faulty computation must not leave this party: a wrong share can reveal the secret.
        verify_share(package, party.me, answer)
    except ShareInvalid:
        raise freeze("own-share", "our own signature share does not verify") from None
    await party.broadcast(answer)
    answers = {party.me: answer, **await party.gather(SignatureShare)}
    return aggregate(package, answers)  # 5.3


def _bind(
    suite: Suite, share: KeyShare, message: bytes, commitments: Mapping[int, Commitment]
) -> SigningPackage:
    try:
        return SigningPackage.bind(suite, share.public, message, sorted(commitments.items()))
    except PackageMismatch as mismatch:
        if mismatch.signers:
            raise blame(mismatch.signers, "nonce-commitment", str(mismatch)) from None
        raise retry("the commitments cancel out", check="group-commitment") from None
