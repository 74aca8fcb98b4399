"""Schnorr proofs of knowledge of a discrete logarithm, bound to a full statement by the caller."""

from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.transcript import Field, Hs, Tag
from console.protocols.math.group import BadEncoding, Group, Point


class ProofInvalid(Exception):
    """A proof of knowledge does not verify."""


def respond(
    group: Group, tag: Tag, statement: Field, R: Point, nonce: SecretBytes, secret: SecretBytes
) -> bytes:
    """Answer the challenge on (statement, R) with mu = k + c * secret, and wipe the nonce k.

    `statement` must hold the session, the prover and everything the claim depends on: what is
    left out of the challenge can be chosen after it.
    """
    with nonce as view:
        k = group.parse_nonzero_scalar(view)
        c = group.scalar(Hs(tag, group.order, statement, R))
        return group.add_scalars(k, group.multiply_scalars(c, group.secret_scalar(secret)))


def verify(group: Group, tag: Tag, statement: Field, public: Point, R: bytes, mu: bytes) -> None:
    """Check mu * G == R + c * public. Raises: ProofInvalid, also for bad encodings."""
    try:
        commitment, response = group.parse_point(R), group.parse_scalar(mu)
    except BadEncoding:
        raise ProofInvalid("the proof is malformed") from None
    c = Hs(tag, group.order, statement, commitment)
    if group.add_multiple(group.base(response), -c, public) != commitment:
        raise ProofInvalid("the proof does not verify")
