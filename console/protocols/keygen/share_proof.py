"""The last round of whatever makes shares: each holder proves to have the share it should have."""

from collections.abc import Collection, Mapping

from console.protocols.kernel.abort import Accusations
from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import Field, Tag
from console.protocols.keygen import proof
from console.protocols.keygen.messages import ShareProof
from console.protocols.keygen.share import KeyShare, PublicKeyPackage


async def exchange_proofs(
    party: Party,
    tag: Tag,
    public: PublicKeyPackage,
    holders: Collection[int],
    share: KeyShare | None,
    transcript: bytes,
    random: Random,
) -> Field:
    """Prove knowledge of x_i to all, check theirs, and return all proofs for the transcript.

    Parties that are not among `holders`, and have no `share`, send an empty message. `transcript`
    is a hash of all earlier broadcasts.
    Raises: ProtocolAbort blaming all whose proof does not verify.
    """
    ours = ShareProof(b"", b"") if share is None else prove(share, tag, transcript, random)
    await party.broadcast(ours)
    proofs = {party.me: ours, **await party.gather(ShareProof)}
    accusations = Accusations()
    for i in party.others:
        if i not in holders:
            if proofs[i] != ShareProof(b"", b""):
                accusations.add(i, "role")
            continue
        try:
            proof.verify(
                public.group,
                tag,
                proven_statement(public, transcript, i),
                public.public_share(i),
                proofs[i].proof_point,
                proofs[i].proof_scalar,
            )
        except proof.ProofInvalid:
            accusations.add(i, "share-proof")
    accusations.raise_if_any()
    return _rows(proofs)


def prove(share: KeyShare, tag: Tag, transcript: bytes, random: Random) -> ShareProof:
    """Prove knowledge of our share, for this transcript."""
    group = share.public.group
    nonce = SecretBytes(group.random_scalar(random))
    R = group.base(group.secret_scalar(nonce))
    statement = proven_statement(share.public, transcript, share.index)
    return ShareProof(R, proof.respond(group, tag, statement, R, nonce, share.secret))


def proven_statement(public: PublicKeyPackage, transcript: bytes, prover: int) -> Field:
    """Return what a proof is bound to: transcript, key, prover and public share."""
    return (transcript, public.chain_code, public.group_key, prover, public.public_share(prover))


def _rows(proofs: Mapping[int, ShareProof]) -> Field:
    return [(i, proofs[i].proof_point, proofs[i].proof_scalar) for i in sorted(proofs)]
