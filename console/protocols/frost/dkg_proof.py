"""The proof of knowledge of the FROST paper's key generation, for its test vectors only.

It is not bound to a session: our own key generation uses `keygen.proof` instead.
"""

from console.protocols.frost.suite import InvalidSignature, Suite
from console.protocols.math.group import BadEncoding, Point, Scalar


def dkg_challenge(suite: Suite, identifier: int, public: Point, R: Point) -> Scalar:
    """HDKG over the identifier as a scalar, C_0 and R."""
    return suite.HDKG(suite.group.scalar(identifier) + public + R)


def verify_dkg_proof(suite: Suite, identifier: int, public: bytes, proof: bytes) -> None:
    """Check a proof for the dealer's constant term: R and mu, encoded as a signature of the suite.

    Raises: InvalidSignature.
    """
    group = suite.group
    try:
        Y = group.parse_point(public)
        R, mu = suite.decode(proof)
    except BadEncoding:
        raise InvalidSignature("the proof is malformed") from None
    c = group.public_int(dkg_challenge(suite, identifier, Y, R))
    if group.add_multiple(group.base(mu), -c, Y) != R:
        raise InvalidSignature("the proof does not verify")
