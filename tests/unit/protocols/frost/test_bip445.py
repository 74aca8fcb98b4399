from dataclasses import replace

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.protocols.derivation import TweakContext, tap_tweak_scalar
from console.protocols.derivation.share import tweak_context
from console.protocols.frost import (
    Commitment,
    InvalidSignature,
    NonceReused,
    PackageMismatch,
    ShareInvalid,
    SignatureShare,
    SigningNonces,
    bip340,
    bip445,
)
from console.protocols.frost.bip445 import (
    SigningSession,
    aggregate,
    sign_deterministically,
    sign_share,
    verify_share,
)
from console.protocols.frost.bip445_nonces import aggregate_nonces, generate_nonces
from console.protocols.kernel.abort import AbortKind, ProtocolAbort
from console.protocols.keygen.share import KeyShare
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.keys import dealt
from tests.adversary.network import stream

MESSAGE = b"pay 1 to alice"
KEYS = dealt(2, 4, "bip445", SECP256K1)
ONE = SECP256K1.scalar(1)

Made = tuple[SigningSession, dict[int, Commitment], dict[int, SignatureShare]]


def made(
    keys: dict[int, KeyShare] = KEYS,
    signers: tuple[int, ...] = (1, 3),
    context: TweakContext | None = None,
    seed: str = "n",
) -> Made:
    nonces = {i: generate_nonces(stream(f"{seed}/{i}")(32), secret=keys[i].secret) for i in signers}
    commitments = {i: pair.commitment for i, pair in nonces.items()}
    total = aggregate_nonces(list(commitments.items()))
    session = SigningSession.bind(keys[1].public, signers, total, MESSAGE, context)
    return session, commitments, {i: sign_share(keys[i], nonces[i], session) for i in signers}


def off_by_one(share: SignatureShare) -> SignatureShare:
    return SignatureShare(SECP256K1.add_scalars(SECP256K1.parse_scalar(share.z), ONE))


@given(st.integers(0, 99), st.lists(st.integers(0, 5), max_size=2), st.booleans(), st.booleans())
@settings(max_examples=30, deadline=None)
def test_signatures_verify_under_the_tweaked_key(
    seed: int, path: list[int], taproot: bool, three: bool
) -> None:
    keys = dealt(2, 4, f"key/{seed}", SECP256K1)
    context = tweak_context(keys[1].public, path)
    if taproot:
        context = context.apply_x_only(tap_tweak_scalar(context.Q, None))
    session, commitments, shares = made(keys, (1, 2, 4) if three else (2, 3), context, str(seed))
    for i, share in shares.items():
        verify_share(session, i, commitments[i], share)
    bip340.verify(context.Q[1:], MESSAGE, aggregate(session, commitments, shares))


def test_bip445_bad_shares_blame_all_their_signers() -> None:
    session, commitments, shares = made(signers=(1, 2, 4))
    wrong = shares | {1: off_by_one(shares[1]), 4: SignatureShare(b"\xff" * 32)}
    with pytest.raises(ProtocolAbort) as abort:
        aggregate(session, commitments, wrong)
    assert abort.value.kind is AbortKind.BLAME
    assert abort.value.culprits == {1, 4}
    assert abort.value.check == "signature-share"


def test_bip445_wrong_signature_with_right_shares_freezes(monkeypatch) -> None:
    def refuse(*_: bytes) -> None:
        raise InvalidSignature

    session, commitments, shares = made()
    monkeypatch.setattr(bip445.bip340, "verify", refuse)
    with pytest.raises(ProtocolAbort) as abort:
        aggregate(session, commitments, shares)
    assert abort.value.kind is AbortKind.FREEZE


def test_shares_are_checked_against_signer_nonce_and_encoding() -> None:
    session, commitments, shares = made()
    wrong = [
        (2, commitments[1], shares[1]),
        (3, commitments[3], shares[1]),
        (1, commitments[3], shares[1]),
        (1, replace(commitments[1], hiding=bytes(33)), shares[1]),
        (1, commitments[1], SignatureShare(b"\x00")),
    ]
    for index, commitment, share in wrong:
        with pytest.raises(ShareInvalid):
            verify_share(session, index, commitment, share)


def test_sessions_need_one_commitment_and_share_of_each_signer() -> None:
    session, commitments, shares = made()
    for some, other in (({1: commitments[1]}, shares), (commitments, {1: shares[1]})):
        with pytest.raises(PackageMismatch):
            aggregate(session, some, other)


def test_sessions_for_another_key_or_group_are_refused() -> None:
    session, _, _ = made()
    nonces = generate_nonces(bytes(32))
    other = dealt(2, 4, "other", SECP256K1)
    for share in (other[1], KEYS[2], replace(KEYS[1], secret=KEYS[2].secret)):
        with pytest.raises(PackageMismatch):
            sign_share(share, nonces, session)
    assert not nonces.used
    with pytest.raises(PackageMismatch, match="another group"):
        SigningSession.bind(dealt(2, 3)[1].public, (1, 2), bytes(66), MESSAGE)


def test_tweaks_of_another_key_are_refused() -> None:
    foreign = tweak_context(dealt(2, 4, "other", SECP256K1)[1].public, (1,))
    moved = replace(tweak_context(KEYS[1].public, (1,)), Q=SECP256K1.generator)
    for context in (foreign, moved):
        with pytest.raises(PackageMismatch, match="tweaks"):
            made(context=context)
        with pytest.raises(PackageMismatch, match="tweaks"):
            sign_deterministically(KEYS[1], None, (1, 2), MESSAGE, None, context)


def test_nonce_coefficient_covers_signers_nonces_key_and_message() -> None:
    """Leaving one out would let parallel sessions be combined into a forgery (ROS)."""
    nonces = {i: generate_nonces(stream(f"b/{i}")(32)).commitment for i in (1, 2, 3)}
    total, other = (aggregate_nonces([(i, nonces[i]) for i in at]) for at in ((1, 2), (1, 3)))
    public = KEYS[1].public
    tweaked = tweak_context(public, (1,))
    made = [
        SigningSession.bind(public, (1, 2), total, MESSAGE),
        SigningSession.bind(public, (1, 3), total, MESSAGE),
        SigningSession.bind(public, (1, 2), other, MESSAGE),
        SigningSession.bind(public, (1, 2), total[:33] + other[33:], MESSAGE),
        SigningSession.bind(public, (1, 2), total, MESSAGE + b"!"),
        SigningSession.bind(public, (1, 2), total, MESSAGE, tweaked),
    ]
    assert len({session.b for session in made}) == len(made)


def test_nonces_answer_once() -> None:
    signers = (1, 3)
    nonces = {i: generate_nonces(stream(f"once/{i}")(32)) for i in signers}
    total = aggregate_nonces([(i, pair.commitment) for i, pair in nonces.items()])
    session = SigningSession.bind(KEYS[1].public, signers, total, MESSAGE)
    sign_share(KEYS[1], nonces[1], session)
    with pytest.raises(NonceReused):
        sign_share(KEYS[1], nonces[1], session)


def test_nonces_that_cancel_out_leave_the_generator() -> None:
    total = bytes(66)
    session = SigningSession.bind(KEYS[1].public, (1, 2), total, MESSAGE)
    assert SECP256K1.generator == session.R


@pytest.mark.parametrize(
    ("randomness", "optional"),
    [
        (bytes(31), {}),
        (bytes(32), {"public_share": bytes(32)}),
        (bytes(32), {"key": bytes(33)}),
    ],
)
def test_nonce_input_of_another_size_is_refused(randomness: bytes, optional) -> None:
    with pytest.raises(ValueError, match="32"):
        generate_nonces(randomness, **optional)


@pytest.mark.parametrize("others", [bytes(66), b"", SECP256K1.generator + bytes(33)])
def test_malformed_nonces_of_all_others_blame_no_signer(others: bytes) -> None:
    """They come from the coordinator, who is none: 0 stands for it."""
    with pytest.raises(PackageMismatch) as mismatch:
        sign_deterministically(KEYS[1], others, (1, 2), MESSAGE, None)
    assert mismatch.value.signers == {0}


def test_deterministic_nonces_do_not_outlive_an_answer_that_fails(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[SigningNonces] = []
    original = bip445.deterministic_nonces

    def remember(*arguments: object, **named: object) -> SigningNonces:
        made.append(original(*arguments, **named))  # type: ignore[arg-type]
        return made[-1]

    def fail(*_: object) -> SignatureShare:
        raise PackageMismatch("a bug")

    monkeypatch.setattr(bip445, "deterministic_nonces", remember)
    monkeypatch.setattr(bip445, "sign_share", fail)
    others = generate_nonces(bytes(32)).commitment
    with pytest.raises(PackageMismatch, match="bug"):
        sign_deterministically(KEYS[1], others.hiding + others.binding, (1, 2), MESSAGE, None)
    assert [nonces.used and nonces.wiped for nonces in made] == [True]


def test_last_signer_may_be_deterministic() -> None:
    nonces = generate_nonces(stream("d")(32))
    others = aggregate_nonces([(1, nonces.commitment)])
    mine, share = sign_deterministically(KEYS[3], others, (1, 3), MESSAGE, None)
    commitments = {1: nonces.commitment, 3: mine}
    total = aggregate_nonces(list(commitments.items()))
    session = SigningSession.bind(KEYS[1].public, (1, 3), total, MESSAGE)
    shares = {1: sign_share(KEYS[1], nonces, session), 3: share}
    bip340.verify(session.context.Q[1:], MESSAGE, aggregate(session, commitments, shares))
    again = sign_deterministically(KEYS[3], others, (1, 3), MESSAGE, None)
    assert again == (mine, share)
    for changed in (
        sign_deterministically(KEYS[3], others, (1, 3), b"other", None),
        sign_deterministically(KEYS[3], others, (1, 2, 3), MESSAGE, None),
        sign_deterministically(KEYS[3], others, (1, 3), MESSAGE, bytes(32)),
        sign_deterministically(
            KEYS[3], others, (1, 3), MESSAGE, None, tweak_context(KEYS[3].public, (0,))
        ),
    ):
        assert changed[0] != mine
