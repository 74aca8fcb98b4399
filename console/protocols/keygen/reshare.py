"""Reshare: the same key for other owners, or with another threshold (docs/spec 6.2)."""

from dataclasses import dataclass

from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import H, Tag
from console.protocols.keygen.messages import MAX_DEALERS
from console.protocols.keygen.redeal import RedealPlan, Redealt, redeal
from console.protocols.keygen.share import KeyShare, PublicKeyPackage, encode_public
from console.protocols.math.group import Point
from console.protocols.math.polynomial import check_indices, lagrange


@dataclass(frozen=True, slots=True)
class ReshareParameters:
    """What all parties must agree on before they start.

    `public` is the old key, which a new member takes from its certificate, never from one old
    member. `signers` are old owners, at least its threshold; `members` the new owners, of whom
    `threshold` will sign. Both ascend; whoever is in both keeps the index. `context` says which
    key and which epoch begins.
    """

    public: PublicKeyPackage
    signers: tuple[int, ...]
    members: tuple[int, ...]
    threshold: int
    context: bytes

    def check(self) -> None:
        """Check that the old key is sound and that the two groups of parties are possible.

        Raises: BadShare; BadIndices; ValueError.
        """
        self.public.check()
        check_indices(self.members, self.public.group.order)
        for parties in (self.signers, self.members):
            if list(parties) != sorted(set(parties)) or len(parties) > MAX_DEALERS:
                raise ValueError("the parties do not ascend, or are too many")
        if not set(self.signers) <= set(self.public.indices):
            raise ValueError("a signer does not own the old key")
        if len(self.signers) < self.public.threshold:
            raise ValueError("there are fewer signers than the old threshold")
        if not 1 <= self.threshold <= len(self.members):
            raise ValueError("the threshold must be in 1..n")


async def reshare(
    party: Party, parameters: ReshareParameters, share: KeyShare | None, random: Random
) -> Redealt:
    """Hand a key over: each signer deals lambda_i * x_i, and the sums are the new shares.

    `share` is ours of the old key if we are a signer. Old shares are erased once the certificate
    of all new members is complete; members who leave sign that they have done so.
    Raises: BadShare if our share is not sound; ProtocolAbort as key generation.
    """
    parameters.check()
    old, signers = parameters.public, parameters.signers
    if party.parties != tuple(sorted({*signers, *parameters.members})):
        raise ValueError("the parties are the signers and the new members")
    if (share is not None) != (party.me in signers):
        raise ValueError("a signer, and nobody else, brings a share")
    group = old.group
    weights = {i: lagrange(i, signers, group.order) for i in signers}
    constant = None
    if share is not None:
        if share.public != old or share.index != party.me:
            raise ValueError("our share is of another key")
        share.check()
        weight = group.scalar(weights[party.me])
        secret = group.secret_scalar(share.secret)
        constant = SecretBytes(group.multiply_scalars(weight, secret))
    agreed = H(
        Tag.RESHARE_PARAMETERS,
        party.session_id,
        encode_public(old),
        signers,
        parameters.members,
        parameters.threshold,
        parameters.context,
    )
    plan = RedealPlan(
        agreed=agreed,
        old=old,
        threshold=parameters.threshold,
        constants={
            i: group.multiply_public(weights[i], Point(old.public_share(i))) for i in signers
        },
        receivers=parameters.members,
        base={},
    )
    return await redeal(party, plan, constant, None, random)
