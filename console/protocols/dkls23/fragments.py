"""Who is to blame when the pk_j do not add up to the key (docs/spec 3.6, check (5)).

The session is over, and its shares of zero serve nothing else: every party reveals them. Then
pk_j - zeta_j * G must be lambda_j * Y_j, plus the tweak for the lowest party. A party whose own
fragments do not explain its point is to blame. Of two parties that claim different values of
their common fragment, each knows that the other is wrong; third parties cannot tell which, and
freeze the key.
"""

from collections.abc import Mapping
from typing import NoReturn

from console.protocols.dkls23.messages import Fragment, Fragments
from console.protocols.dkls23.parameters import SigningParameters
from console.protocols.dkls23.signing import cached_lagrange, zero_share
from console.protocols.kernel.abort import Accusations, freeze
from console.protocols.kernel.party import Party
from console.protocols.math.group import BadEncoding, Point, Scalar
from console.protocols.math.secp256k1 import SECP256K1

CHECK = "key-points"


async def settle(
    party: Party,
    parameters: SigningParameters,
    key_points: Mapping[int, Point],
    ours: Mapping[int, Scalar],
) -> NoReturn:
    """Reveal our fragments, collect the others', and abort with a verdict.

    Raises: ProtocolAbort BLAME, or FREEZE if two other parties contradict each other.
    """
    shown = tuple(Fragment(j, ours[j]) for j in sorted(ours))
    await party.broadcast(Fragments(shown))
    messages = await party.gather(Fragments)
    judge(parameters, key_points, ours, messages)


def judge(
    parameters: SigningParameters,
    key_points: Mapping[int, Point],
    ours: Mapping[int, Scalar],
    messages: Mapping[int, Fragments],
) -> NoReturn:
    """Find who is to blame. Raises: ProtocolAbort, always."""
    accusations = Accusations()
    claims = {parameters.me: dict(ours)}
    for j, message in messages.items():
        try:
            claims[j] = _parse(parameters, j, message)
        except BadEncoding:
            accusations.add(j, "fragments-encoding")
    accusations.raise_if_any()
    for j in messages:
        if key_points[j] != _explained(parameters, j, claims[j]):
            accusations.add(j, CHECK)
        if claims[j][parameters.me] != ours[j]:
            accusations.add(j, "fragment")
    accusations.raise_if_any()
    apart = [(i, j) for i in claims for j in claims[i] if i < j and claims[i][j] != claims[j][i]]
    raise freeze("fragment", f"the fragments of pairs {sorted(apart)} contradict each other")


def _parse(parameters: SigningParameters, sender: int, message: Fragments) -> dict[int, Scalar]:
    """Accept one scalar per other signer, in order."""
    expected = [j for j in parameters.parties if j != sender]
    if [fragment.peer for fragment in message.fragments] != expected:
        raise BadEncoding("the fragments are not those of the other signers")
    return {f.peer: SECP256K1.parse_scalar(f.value) for f in message.fragments}


def _explained(parameters: SigningParameters, index: int, claimed: Mapping[int, Scalar]) -> Point:
    """Return the pk_j that a party should have, if its fragments are as claimed."""
    group = SECP256K1
    weighted = group.multiply_public(
        cached_lagrange(index, parameters.parties), parameters.public.public_share(index)
    )
    offset = group.base(zero_share(index, claimed))
    tweak = group.base(parameters.tweak) if index == parameters.tweaking else group.identity
    return group.sum((weighted, offset, tweak))
