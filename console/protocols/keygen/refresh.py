"""Refresh: new shares of the same key for the same owners (docs/spec 6.1).

Shares stolen before are worthless afterwards, if the old ones are erased: an adversary must get
t shares of one epoch.
"""

from console.protocols.kernel.party import Party, Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import H, Tag
from console.protocols.keygen.redeal import RedealPlan, Redealt, redeal
from console.protocols.keygen.share import KeyShare, encode_public
from console.protocols.math.group import Point


async def refresh(party: Party, share: KeyShare, context: bytes, random: Random) -> Redealt:
    """Add shares of zero to the shares of a key, together with all its owners.

    `context` says which key and which epoch begins. Once the certificate of the new epoch is
    complete, the caller erases `share` and every nonce and presignature made with it. Only master
    keys are refreshed; children are derived again.
    Raises: BadShare if our share is not sound; ProtocolAbort as key generation.
    """
    old = share.public
    if party.me != share.index or party.parties != old.indices or old.threshold < 2:
        raise ValueError("all owners take part, and the threshold is at least 2")
    share.check()
    group = old.group
    agreed = H(Tag.REFRESH_PARAMETERS, party.session_id, encode_public(old), context)
    plan = RedealPlan(
        agreed=agreed,
        old=old,
        threshold=old.threshold,
        constants=dict.fromkeys(old.indices, group.identity),
        receivers=old.indices,
        base={i: Point(point) for i, point in old.public_shares},
    )
    zero = SecretBytes(group.scalar(0))
    return await redeal(party, plan, zero, share.secret, random)
