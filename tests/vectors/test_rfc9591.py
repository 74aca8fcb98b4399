"""RFC 9591, appendices E.1 and E.5, and the Zcash Foundation's cases for the three suites."""

import json
from pathlib import Path
from typing import Any

import pytest

from console.protocols.derivation import tap_tweak
from console.protocols.frost import (
    FROST_ED25519,
    FROST_SECP256K1,
    FROST_TAPROOT,
    Commitment,
    SignatureShare,
    SigningNonces,
    SigningPackage,
    Suite,
    aggregate,
    sign_share,
    verify_share,
)
from console.protocols.frost.nonces import commit, generate_nonce
from console.protocols.frost.signing import binding_factor_inputs
from console.protocols.kernel.secret import SecretBytes
from console.protocols.keygen.share import KeyShare, PublicKeyPackage
from console.protocols.math.feldman import (
    add_commitments,
    commitment_at,
    parse_commitment,
)
from console.protocols.math.feldman import (
    verify_share as verify_dealt,
)
from console.protocols.math.group import BadEncoding, Point
from console.protocols.math.polynomial import Polynomial, lagrange

HERE = Path(__file__).parent
SIGNING = [
    (FROST_ED25519, "rfc9591-frost/frost-ed25519-sha512.json"),
    (FROST_ED25519, "zf-frost-ed25519/vectors.json"),
    (FROST_ED25519, "zf-frost-ed25519/vectors-big-identifier.json"),
    (FROST_SECP256K1, "rfc9591-frost/frost-secp256k1-sha256.json"),
    (FROST_SECP256K1, "zf-frost-secp256k1/vectors.json"),
    (FROST_SECP256K1, "zf-frost-secp256k1/vectors-big-identifier.json"),
    (FROST_TAPROOT, "zf-frost-secp256k1-tr/vectors.json"),
    (FROST_TAPROOT, "zf-frost-secp256k1-tr/vectors-big-identifier.json"),
]
FOLDERS = [
    (FROST_ED25519, "zf-frost-ed25519"),
    (FROST_SECP256K1, "zf-frost-secp256k1"),
    (FROST_TAPROOT, "zf-frost-secp256k1-tr"),
]

unhex = bytes.fromhex


def load(name: str) -> Any:
    return json.loads((HERE / name).read_text())


def replayed(*blocks: str) -> Any:
    values = iter(blocks)
    return lambda size: unhex(next(values))[:size]


class Case:
    """One signing vector, with the types of the library."""

    def __init__(self, suite: Suite, name: str) -> None:
        self.suite, self.group = suite, suite.group
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
            self.group.name,
            int(data["config"]["MIN_PARTICIPANTS"]),
            self.group_key,
            tuple(
                (i, self.group.base(self.group.parse_scalar(x)))
                for i, x in sorted(self.shares.items())
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
        return SigningPackage.bind(self.suite, self.public, self.message, rows)


@pytest.fixture(params=SIGNING, ids=[name for _, name in SIGNING])
def case(request: pytest.FixtureRequest) -> Case:
    return Case(*request.param)


def test_shares_are_the_polynomial_and_make_the_key(case: Case) -> None:
    parts = [SecretBytes(c) for c in (case.secret_key, *case.coefficients)]
    polynomial = Polynomial(case.group, parts)
    assert polynomial.commitments()[0] == case.group_key
    for i, share in case.shares.items():
        assert polynomial.evaluate(i) == SecretBytes(share)
    case.public.check()


def test_round_one_gives_the_nonces_and_commitments(case: Case) -> None:
    for i, row in case.round1.items():
        secret = SecretBytes(case.shares[i])
        random = (row["hiding_nonce_randomness"], row["binding_nonce_randomness"])
        nonces, commitment = commit(case.suite, secret, replayed(*random))
        assert commitment == case.commitment(i)
        assert nonces.consume(case.suite) == (
            unhex(row["hiding_nonce"]),
            unhex(row["binding_nonce"]),
        )
        assert generate_nonce(case.suite, secret, unhex(random[0])) == unhex(row["hiding_nonce"])


def test_binding_factors(case: Case) -> None:
    package = case.package()
    key = Point(case.group_key)
    if package.negate_key:
        key = case.group.negate(key)
    inputs = binding_factor_inputs(case.suite, key, case.message, package.commitments)
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
    case.suite.verify(case.group_key, case.message, case.signature)


# Key generation of the FROST paper


@pytest.mark.parametrize(("suite", "folder"), FOLDERS, ids=[name for _, name in FOLDERS])
def test_dkg_vectors(suite: Suite, folder: str) -> None:
    group = suite.group
    inputs = load(f"{folder}/vectors_dkg.json")["inputs"]
    dealers = {i: inputs[str(i)] for i in (1, 2, 3)}
    commitments = {
        i: parse_commitment(group, 2, [unhex(c) for c in d["vss_commitments"]])
        for i, d in dealers.items()
    }
    shares = {}
    for i, d in dealers.items():
        polynomial = Polynomial(
            group, [SecretBytes(unhex(d[name])) for name in ("signing_key", "coefficient")]
        )
        assert polynomial.commitments() == commitments[i]
        total = group.parse_scalar(polynomial.evaluate(i).view())
        for sender, share in d["signing_shares"].items():
            verify_dealt(group, commitments[int(sender)], i, SecretBytes(unhex(share)))
            total = group.add_scalars(total, group.parse_scalar(unhex(share)))
        shares[i] = SecretBytes(total)
    together = add_commitments(group, list(commitments.values()))
    points = tuple((i, commitment_at(group, together, i)) for i in dealers)
    public = PublicKeyPackage(group.name, 2, together[0], points, bytes(32))
    for i, d in dealers.items():
        share = KeyShare(i, shares[i], public)
        if suite is FROST_TAPROOT:  # its key generation ends with a tweak for no script
            share = tap_tweak(share, None)
        share.check()
        assert share.secret == SecretBytes(unhex(d["signing_share"]))
        assert share.public.public_share(i) == unhex(d["verifying_share"])
        assert share.public.group_key == unhex(inputs["verifying_key"])


@pytest.mark.parametrize(("suite", "folder"), FOLDERS, ids=[name for _, name in FOLDERS])
def test_invalid_element_is_refused(suite: Suite, folder: str) -> None:
    element = load(f"{folder}/elements.json")["elements"]["invalid_element"]
    with pytest.raises(BadEncoding):
        suite.group.parse_point(unhex(element))


@pytest.mark.parametrize(("suite", "folder"), FOLDERS, ids=[name for _, name in FOLDERS])
def test_samples_parse_to_themselves(suite: Suite, folder: str) -> None:
    group = suite.group
    samples = load(f"{folder}/samples.json")
    assert group.scalar(42) == unhex(samples["identifier"])
    for name in ("element1", "element2"):
        assert group.parse_point(unhex(samples[name])) == unhex(samples[name])
    scalar = unhex(samples["scalar1"])
    assert group.parse_nonzero_scalar(scalar) == scalar
    nonce, mu = suite.decode(unhex(samples["proof_of_knowledge"]))
    assert (nonce, mu) == (unhex(samples["element1"]), scalar)
    assert suite.encode(nonce, mu) == unhex(samples["proof_of_knowledge"])


def test_lagrange_coefficients_rebuild_the_secret(case: Case) -> None:
    group = case.group
    signers = sorted(case.round1)
    total = sum(
        lagrange(i, signers, group.order) * group.public_int(group.parse_scalar(case.shares[i]))
        for i in signers
    )
    assert group.scalar(total) == case.secret_key
