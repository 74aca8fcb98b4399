"""RFC 9591, appendix E.1, and the Zcash Foundation's cases for FROST(Ed25519, SHA-512)."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.protocols.frost import (
    FROST_ED25519,
    Commitment,
    InvalidSignature,
    SignatureShare,
    SigningNonces,
    SigningPackage,
    aggregate,
    sign_share,
    verify,
    verify_share,
)
from console.protocols.frost.dkg_proof import verify_dkg_proof
from console.protocols.frost.nonces import commit, generate_nonce
from console.protocols.frost.signing import binding_factor_inputs
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.feldman import (
    add_commitments,
    commitment_at,
    parse_commitment,
)
from console.protocols.math.feldman import (
    verify_share as verify_dealt,
)
from console.protocols.math.group import BadEncoding
from console.protocols.math.polynomial import Polynomial, lagrange

HERE = Path(__file__).parent
SIGNING = [
    "rfc9591-frost/frost-ed25519-sha512.json",
    "zf-frost-ed25519/vectors.json",
    "zf-frost-ed25519/vectors-big-identifier.json",
]

unhex = bytes.fromhex


def load(name: str) -> Any:
    return json.loads((HERE / name).read_text())


def replayed(*blocks: str) -> Any:
    values = iter(blocks)
    return lambda size: unhex(next(values))[:size]


class Case:
    """One signing vector, with the types of the library."""

    def __init__(self, name: str) -> None:
        data = load(name)
        inputs = data["inputs"]
        key = inputs.get("group_public_key") or inputs["verifying_key_key"]
        self.group_key = unhex(key)
        self.message = unhex(inputs["message"])
        self.secret_key = unhex(inputs["group_secret_key"])
        self.coefficients = [unhex(c) for c in inputs["share_polynomial_coefficients"]]
        self.shares = {
            s["identifier"]: unhex(s["participant_share"]) for s in inputs["participant_shares"]
        }
        self.round1 = {o["identifier"]: o for o in data["round_one_outputs"]["outputs"]}
        self.round2 = {
            o["identifier"]: unhex(o["sig_share"]) for o in data["round_two_outputs"]["outputs"]
        }
        self.signature = unhex(data["final_output"]["sig"])
        self.public = PublicKeyPackage(
            "ed25519",
            int(data["config"]["MIN_PARTICIPANTS"]),
            self.group_key,
            tuple(
                (i, ED25519.base(ED25519.parse_scalar(x))) for i, x in sorted(self.shares.items())
            ),
            bytes(32),
        )

    def key_share(self, i: int) -> KeyShare:
        return KeyShare(i, SecretBytes(self.shares[i]), self.public)

    def commitment(self, i: int) -> Commitment:
        row = self.round1[i]
        return Commitment(
            unhex(row["hiding_nonce_commitment"]), unhex(row["binding_nonce_commitment"])
        )

    def package(self) -> SigningPackage:
        rows = [(i, self.commitment(i)) for i in sorted(self.round1)]
        return SigningPackage.bind(FROST_ED25519, self.public, self.message, rows)


@pytest.fixture(params=SIGNING)
def case(request: pytest.FixtureRequest) -> Case:
    return Case(request.param)


def test_shares_are_the_polynomial_and_make_the_key(case: Case) -> None:
    parts = [SecretBytes(c) for c in (case.secret_key, *case.coefficients)]
    polynomial = Polynomial(ED25519, parts)
    assert polynomial.commitments()[0] == case.group_key
    for i, share in case.shares.items():
        assert polynomial.evaluate(i) == SecretBytes(share)
    case.public.check()


def test_round_one_gives_the_nonces_and_commitments(case: Case) -> None:
    for i, row in case.round1.items():
        secret = SecretBytes(case.shares[i])
        random = (row["hiding_nonce_randomness"], row["binding_nonce_randomness"])
        nonces, commitment = commit(FROST_ED25519, secret, replayed(*random))
        assert commitment == case.commitment(i)
        assert nonces.consume(FROST_ED25519) == (
            unhex(row["hiding_nonce"]),
            unhex(row["binding_nonce"]),
        )
        assert generate_nonce(FROST_ED25519, secret, unhex(random[0])) == unhex(row["hiding_nonce"])


def test_binding_factors(case: Case) -> None:
    package = case.package()
    inputs = binding_factor_inputs(FROST_ED25519, case.group_key, case.message, package.commitments)
    for i, row in case.round1.items():
        assert inputs[i] == unhex(row["binding_factor_input"])
        assert package.factors[i] == unhex(row["binding_factor"])


def test_round_two_gives_the_shares_and_the_signature(case: Case) -> None:
    package = case.package()
    shares = {}
    for i, row in case.round1.items():
        hiding, binding = SecretBytes(unhex(row["hiding_nonce"])), unhex(row["binding_nonce"])
        nonces = SigningNonces(hiding, SecretBytes(binding), case.commitment(i))
        shares[i] = sign_share(case.key_share(i), nonces, package)
        assert shares[i] == SignatureShare(case.round2[i])
        verify_share(package, i, shares[i])
    assert aggregate(package, shares) == case.signature
    verify(case.group_key, case.message, case.signature)


# Key generation of the FROST paper


def test_dkg_vectors() -> None:
    inputs = load("zf-frost-ed25519/vectors_dkg.json")["inputs"]
    dealers = {i: inputs[str(i)] for i in (1, 2, 3)}
    commitments = {
        i: parse_commitment(ED25519, 2, [unhex(c) for c in d["vss_commitments"]])
        for i, d in dealers.items()
    }
    for i, d in dealers.items():
        proof = unhex(d["proof_of_knowledge"])
        verify_dkg_proof(FROST_ED25519, i, commitments[i][0], proof)
        for wrong in (proof[:63], proof[:-1] + b"\x00", bytes(64)):
            with pytest.raises(InvalidSignature):
                verify_dkg_proof(FROST_ED25519, i, commitments[i][0], wrong)
        with pytest.raises(InvalidSignature):
            verify_dkg_proof(FROST_ED25519, i % 3 + 1, commitments[i][0], proof)
        polynomial = Polynomial(
            ED25519, [SecretBytes(unhex(d[name])) for name in ("signing_key", "coefficient")]
        )
        assert polynomial.commitments() == commitments[i]
        total = ED25519.parse_scalar(polynomial.evaluate(i).view())
        for sender, share in d["signing_shares"].items():
            verify_dealt(ED25519, commitments[int(sender)], i, SecretBytes(unhex(share)))
            total = ED25519.add_scalars(total, ED25519.parse_scalar(unhex(share)))
        assert total == unhex(d["signing_share"])
    together = add_commitments(ED25519, list(commitments.values()))
    assert together[0] == unhex(inputs["verifying_key"])
    for i, d in dealers.items():
        assert commitment_at(ED25519, together, i) == unhex(d["verifying_share"])


def test_invalid_element_is_refused() -> None:
    element = load("zf-frost-ed25519/elements.json")["elements"]["invalid_element"]
    with pytest.raises(BadEncoding):
        ED25519.parse_point(unhex(element))


def test_samples_parse_to_themselves() -> None:
    samples = load("zf-frost-ed25519/samples.json")
    assert ED25519.scalar(42) == unhex(samples["identifier"])
    for name in ("element1", "element2"):
        assert ED25519.parse_point(unhex(samples[name])) == unhex(samples[name])
    scalar = unhex(samples["scalar1"])
    assert ED25519.parse_nonzero_scalar(scalar) == scalar
    proof = unhex(samples["proof_of_knowledge"])
    assert proof == unhex(samples["element1"]) + scalar


def test_lagrange_coefficients_rebuild_the_secret(case: Case) -> None:
    signers = sorted(case.round1)
    total = sum(
        lagrange(i, signers, ED25519.order)
        * ED25519.public_int(ED25519.parse_scalar(case.shares[i]))
        for i in signers
    )
    assert ED25519.scalar(total) == case.secret_key
