"""One FROST signature at a key path, by exactly the threshold."""

from console.adapters.schemes.key_path import KeyPath, child_share
from console.protocols.frost import PackageMismatch, Suite, sign_with
from console.protocols.kernel.abort import retry
from console.protocols.kernel.party import Party, Random
from console.protocols.keygen.share import KeyShare

SIGNING_ROUNDS = ("Commit", "Sign", "Confirm")
RELEASE_ROUND = 2  # the shares of the signature: the answer that a nonce pair gives only once


async def sign_at(
    suite: Suite, party: Party, share: KeyShare, path: KeyPath, message: bytes, random: Random
) -> bytes:
    """Sign with our share of the key at `path`, which is wiped afterwards.

    Raises: ProtocolAbort, also RETRY with nothing said if these parties cannot sign with this
    key; KeyPathRefused.
    """
    if len(party.parties) != share.public.threshold:
        raise retry("the signers are not as many as the threshold", check="signers")
    with child_share(share, path) as child:
        try:
            return await sign_with(suite, party, child, message, random)
        except PackageMismatch as mismatch:
            raise retry(str(mismatch), check="signers") from None
