"""Proofs of knowledge hold for exactly what they were made for."""

from dataclasses import replace
from typing import Any

import pytest

from console.protocols.kernel.secret import SecretBytes, SecretWiped
from console.protocols.kernel.transcript import Hs, Tag
from console.protocols.keygen import dealing, proof, share_proof
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import Group
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.keys import dealt
from tests.adversary.network import stream

GROUPS = pytest.mark.parametrize("group", [ED25519, SECP256K1], ids=lambda group: group.name)
STATEMENT = (b"session", 2, (b"C_0", b"C_1"))


def proven(group: Group, secret: int = 7) -> dict[str, Any]:
    """Give a proof of knowledge of a small secret, as the arguments of `verify`."""
    nonce = SecretBytes(group.random_scalar(stream("nonce")))
    R = group.base(group.secret_scalar(nonce))  # noqa: N806
    x = SecretBytes(group.scalar(secret))
    mu = proof.respond(group, Tag.DKG_DEALER_PROOF, STATEMENT, R, nonce, x)
    return {
        "group": group,
        "tag": Tag.DKG_DEALER_PROOF,
        "statement": STATEMENT,
        "public": group.base(group.secret_scalar(x)),
        "R": R,
        "mu": mu,
    }


@GROUPS
def test_proof_verifies(group: Group) -> None:
    proof.verify(**proven(group))


@GROUPS
@pytest.mark.parametrize(
    ("name", "change"),
    [
        ("tag", lambda _: Tag.DKG_SHARE_PROOF),
        ("statement", lambda _: (b"other", *STATEMENT[1:])),
        ("statement", lambda _: (STATEMENT[0], 3, STATEMENT[2])),
        ("statement", lambda _: (*STATEMENT[:2], (b"C_0", b"C_2"))),
        ("statement", lambda _: (*STATEMENT[:2], (b"C_1", b"C_0"))),
        ("statement", lambda _: (*STATEMENT[:2], (b"C_0C_1",))),
        ("statement", lambda _: STATEMENT[:2]),
        ("mu", lambda mu: mu[:-1]),
        ("mu", lambda mu: mu + b"\x00"),
        ("mu", lambda mu: bytes(len(mu))),
        ("mu", lambda mu: b"\xff" * len(mu)),
        ("R", lambda point: point[:-1]),
        ("R", lambda point: bytes(len(point))),
    ],
)
def test_proof_holds_for_nothing_else(group: Group, name: str, change: Any) -> None:
    made = proven(group)
    with pytest.raises(proof.ProofInvalid):
        proof.verify(**{**made, name: change(made[name])})


@GROUPS
def test_proof_holds_for_no_other_point_and_no_other_nonce(group: Group) -> None:
    made = proven(group)
    other = group.base(group.scalar(8))
    for name in ("public", "R"):
        with pytest.raises(proof.ProofInvalid):
            proof.verify(**{**made, name: other})
    # Were R left out of the challenge, anybody could choose mu and then R = mu * G - c * Y.
    c = Hs(made["tag"], group.order, STATEMENT, made["R"])
    forged = group.subtract(group.base(group.scalar(5)), group.multiply_public(c, made["public"]))
    with pytest.raises(proof.ProofInvalid):
        proof.verify(**{**made, "R": forged, "mu": group.scalar(5)})


def test_nonce_of_a_proof_is_gone_after_it() -> None:
    nonce = SecretBytes(ED25519.scalar(9))
    R = ED25519.base(ED25519.scalar(9))  # noqa: N806
    secret = SecretBytes(ED25519.scalar(7))
    proof.respond(ED25519, Tag.DKG_DEALER_PROOF, STATEMENT, R, nonce, secret)
    with pytest.raises(SecretWiped):
        proof.respond(ED25519, Tag.DKG_DEALER_PROOF, STATEMENT, R, nonce, secret)


def test_statements_cover_all_that_a_proof_depends_on() -> None:
    points = (ED25519.generator, ED25519.base(ED25519.scalar(2)))
    assert dealing.dealer_statement(b"session", 2, points) == (b"session", 2, points)
    public = dealt(2, 3)[1].public
    base = share_proof.proven_statement(public, b"said", 2)
    others = [
        share_proof.proven_statement(public, b"else", 2),
        share_proof.proven_statement(public, b"said", 3),
        share_proof.proven_statement(replace(public, chain_code=b"\x01" * 32), b"said", 2),
        share_proof.proven_statement(replace(public, group_key=points[0]), b"said", 2),
        share_proof.proven_statement(replace(public, public_shares=((2, points[1]),)), b"said", 2),
    ]
    assert all(base != other for other in others)
