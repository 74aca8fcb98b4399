"""ROAST with silent signers, cheats and a coordinator that asks for too much."""

from collections.abc import Callable
from dataclasses import replace
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from console.protocols.frost import (
    FROST_ED25519,
    FROST_SECP256K1,
    FROST_TAPROOT,
    Commitment,
    NonceReused,
    PackageMismatch,
    ShareInvalid,
    SignatureShare,
    SigningNonces,
    Suite,
    roast,
)
from console.protocols.frost.pool import MAX_NONCES, NoncePool, PoolFull
from console.protocols.frost.roast import Answer, Coordinator, Request, Signer, SignerCommitment
from console.protocols.kernel.abort import AbortKind, MessageRejected, ProtocolAbort
from console.protocols.kernel.wire import decode, encode
from console.protocols.math.secp256k1 import SECP256K1
from tests.adversary.erasure import remembered
from tests.adversary.keys import dealt
from tests.adversary.network import stream

SUITE = FROST_TAPROOT
KEYS = dealt(3, 5, "roast", SECP256K1)
PUBLIC = KEYS[1].public
MESSAGE = b"pay 1 to alice"

Say = Callable[[int, Answer], Answer | None]


def honestly(_: int, answer: Answer) -> Answer | None:
    return answer


def signer(i: int, keys=KEYS, suite: Suite = SUITE, message: bytes = MESSAGE) -> Signer:
    return Signer(suite, keys[i], message, NoncePool(suite, keys[i], stream(f"pool/{i}")))


def coordinator(parties=(1, 2, 3, 4, 5)) -> Coordinator:
    return Coordinator(SUITE, PUBLIC, MESSAGE, parties)


def spoiled(answer: Answer) -> Answer:
    z = SECP256K1.parse_scalar(answer.z)
    return replace(answer, z=SECP256K1.add_scalars(z, SECP256K1.scalar(1)))


def play(
    center: Coordinator, signers: dict[int, Signer], say: Say = honestly, order: str = "0"
) -> Coordinator:
    """Deliver everything in an order set by `order`, until nothing moves."""
    random = stream(f"order/{order}")
    queue: list[tuple[int, Request]] = []
    for i, each in signers.items():
        queue += center.begin(i, each.start()).items()
    while queue and center.signature is None:  # it may be over before a cheat is heard
        pick = int.from_bytes(random(4), "big") % len(queue)
        i, request = queue.pop(pick)
        answer = say(i, signers[i].answer(decode(Request, encode(request))))
        if answer is not None and i not in center.culprits:
            queue += center.answer(i, decode(Answer, encode(answer))).items()
    return center


@pytest.mark.parametrize(
    "suite", [FROST_ED25519, FROST_SECP256K1, FROST_TAPROOT], ids=lambda suite: suite.name
)
def test_honest_signers_need_one_attempt(suite: Suite) -> None:
    keys = dealt(3, 5, "honest", suite.group)
    center = Coordinator(suite, keys[1].public, MESSAGE, (1, 2, 3))
    play(center, {i: signer(i, keys, suite) for i in (1, 2, 3)})
    assert center.attempts == 1
    assert center.signature is not None
    suite.verify(keys[1].public.group_key, MESSAGE, center.signature)


@pytest.mark.parametrize("order", "abcdefh")
def test_one_cheat_and_one_silent_of_five_cannot_stop_three(order: str) -> None:
    def say(i: int, answer: Answer) -> Answer | None:
        return None if i == 1 else spoiled(answer) if i == 2 else answer

    center = play(coordinator(), {i: signer(i) for i in KEYS}, say, order)
    assert center.signature is not None
    SUITE.verify(PUBLIC.group_key, MESSAGE, center.signature)
    assert center.attempts <= 3
    assert center.culprits == {2: "signature-share"}


@given(
    st.sets(st.integers(1, 5), max_size=2),
    st.sets(st.integers(1, 5), max_size=2),
    st.text("abc", max_size=4),
)
@settings(max_examples=30, deadline=None)
def test_any_two_faulty_of_five_cannot_stop_three(
    silent: set[int], cheats: set[int], order: str
) -> None:
    faulty = sorted(silent | cheats)[:2]

    def say(i: int, answer: Answer) -> Answer | None:
        if i not in faulty:
            return answer
        return None if i in silent else spoiled(answer)

    center = play(coordinator(), {i: signer(i) for i in KEYS}, say, order)
    assert center.signature is not None
    assert center.attempts <= 3
    assert set(center.culprits) <= set(faulty) - silent


def test_no_two_attempts_share_a_nonce() -> None:
    seen: list[Commitment] = []

    class Watching(Signer):
        def answer(self, request: Request) -> Answer:
            seen.append(dict(request.commitments)[3])
            return super().answer(request)

    watching = Watching(SUITE, KEYS[3], MESSAGE, NoncePool(SUITE, KEYS[3], stream("w")))
    signers = {i: signer(i) for i in KEYS} | {3: watching}
    play(coordinator(), signers, lambda i, answer: None if i < 3 else answer)
    assert len(seen) == len(set(seen)) >= 2


def test_three_cheats_of_five_are_all_named() -> None:
    with pytest.raises(ProtocolAbort) as abort:
        play(
            coordinator(),
            {i: signer(i) for i in KEYS},
            lambda i, answer: spoiled(answer) if i in {1, 2, 4} else answer,
        )
    assert abort.value.kind is AbortKind.BLAME
    assert abort.value.culprits == {1, 2, 4}
    assert abort.value.check == "signature-share"


@pytest.mark.parametrize("bad", [bytes(33), b"", SECP256K1.generator[1:]])
@pytest.mark.parametrize("field", ["hiding", "binding"])
def test_roast_bad_commitment_blames_sender(field: str, bad: bytes) -> None:
    center = coordinator((1, 2, 3))
    commitment = replace(signer(1).start(), **{field: bad})
    with pytest.raises(ProtocolAbort) as abort:
        center.begin(1, commitment)
    assert abort.value.culprits == {1}
    assert abort.value.check == "nonce-commitment"


def test_roast_bad_commitment_excludes_its_sender_while_enough_are_left() -> None:
    center = coordinator()
    bad = Commitment(bytes(33), bytes(33))
    assert center.begin(5, bad) == {}
    assert center.culprits == {5: "nonce-commitment"}
    play(center, {i: signer(i) for i in (1, 2, 3, 4)})
    assert center.signature is not None


def test_roast_cheat_that_is_ready_again_is_dropped_from_the_next_attempt() -> None:
    """Party 1 answers the first attempt well, and then waits in line while it is caught."""
    center = coordinator()
    signers = {i: signer(i) for i in KEYS}
    requests: dict[int, Request] = {}
    for i in (1, 2, 3):
        requests = center.begin(i, signers[i].start())
    assert center.answer(1, signers[1].answer(requests[1])) == {}
    later = center.begin(4, signers[4].start()) or center.begin(5, signers[5].start())
    assert set(later) == {1, 4, 5}
    assert center.answer(1, spoiled(signers[1].answer(later[1]))) == {}
    assert center.culprits == {1: "signature-share"}
    for i in (2, 3):
        center.answer(i, signers[i].answer(requests[i]))
    assert center.signature is not None  # the first attempt had its good share already


def test_roast_bad_next_commitment_blames_sender() -> None:
    def say(i: int, answer: Answer) -> Answer:
        bad = Commitment(bytes(33), bytes(33))
        return replace(answer, next=bad) if i == 2 else answer

    center = play(coordinator((1, 2, 3, 4)), {i: signer(i) for i in (1, 2, 3, 4)}, say)
    assert center.culprits in ({}, {2: "nonce-commitment"})
    assert center.signature is not None


def test_excluded_party_is_not_heard_again() -> None:
    center = coordinator()
    signers = {i: signer(i) for i in (1, 2, 3)}
    requests = {}
    for i, each in signers.items():
        requests = center.begin(i, each.start())
    answer = signers[2].answer(requests[2])
    assert center.answer(2, spoiled(answer)) == {}
    assert center.attempts == 1
    for again in (lambda: center.answer(2, answer), lambda: center.begin(2, signers[2].start())):
        with pytest.raises(MessageRejected, match="take part"):
            again()


def test_answers_that_were_not_asked_for_are_dropped() -> None:
    center = coordinator()
    signers = {i: signer(i) for i in KEYS}
    requests: dict[int, Request] = {}
    for i in (1, 2, 3):
        requests = center.begin(i, signers[i].start())
    answer = signers[1].answer(requests[1])
    center.answer(1, answer)
    stray = [(1, answer), (4, answer), (2, replace(answer, attempt=2))]
    for i, said in stray:
        with pytest.raises(MessageRejected, match="not asked"):
            center.answer(i, said)
    with pytest.raises(MessageRejected, match="begun"):
        center.begin(1, signers[1].start())
    with pytest.raises(MessageRejected, match="take part"):
        center.begin(9, signers[1].start())
    assert center.culprits == {}
    for i in (2, 3):
        center.answer(i, signers[i].answer(requests[i]))
    assert center.signature is not None
    with pytest.raises(MessageRejected, match="already"):
        center.begin(4, signers[4].start())


@pytest.mark.parametrize("parties", [(1, 2), (1, 2, 9), ()])
def test_parties_that_cannot_sign_are_refused(parties: tuple[int, ...]) -> None:
    with pytest.raises(PackageMismatch):
        coordinator(parties)


# A coordinator that cheats


def asked(*indices: int) -> tuple[dict[int, Signer], Request]:
    signers = {i: signer(i) for i in indices}
    rows = tuple(SignerCommitment(i, each.start()) for i, each in signers.items())
    return signers, Request(1, rows)


def test_signer_answers_a_list_once() -> None:
    signers, request = asked(1, 2, 3)
    signers[1].answer(request)
    for again in (request, replace(request, attempt=2)):
        with pytest.raises(NonceReused):
            signers[1].answer(again)


def test_signer_does_not_answer_two_lists_with_one_commitment() -> None:
    signers, request = asked(1, 2, 3)
    signers[1].answer(request)
    other = signer(4).start()
    swapped = replace(request, rows=(*request.rows[:2], SignerCommitment(4, other)))
    with pytest.raises(NonceReused):
        signers[1].answer(swapped)


def test_signer_refuses_lists_without_itself_or_with_a_foreign_commitment() -> None:
    signers, request = asked(1, 2, 3, 4)
    with pytest.raises(PackageMismatch):
        signers[1].answer(replace(request, rows=request.rows[1:]))
    foreign = SignerCommitment(1, request.rows[1].commitment)
    with pytest.raises(NonceReused):
        signers[1].answer(replace(request, rows=(foreign, *request.rows[1:])))
    with pytest.raises(PackageMismatch):
        signers[1].answer(replace(request, rows=request.rows[:2]))
    signers[1].answer(request)  # none of this cost the nonces


def test_faulty_own_share_does_not_leave_the_signer(monkeypatch: pytest.MonkeyPatch) -> None:
    signers, request = asked(1, 2, 3)
    wrong = SignatureShare(SECP256K1.scalar(5))
    monkeypatch.setattr(roast, "sign_share", lambda *_: wrong)
    with pytest.raises(ShareInvalid):
        signers[1].answer(request)
    with pytest.raises(NonceReused):
        signers[1].answer(request)


def test_nonces_do_not_outlive_an_answer_that_fails(monkeypatch: pytest.MonkeyPatch) -> None:
    signers, request = asked(1, 2, 3)
    taken: list[SigningNonces] = []

    def fail(_share: object, nonces: SigningNonces, *_: object) -> SignatureShare:
        taken.append(nonces)
        raise PackageMismatch("a bug")

    monkeypatch.setattr(roast, "sign_share", fail)
    with pytest.raises(PackageMismatch, match="bug"):
        signers[1].answer(request)
    assert [nonces.used and nonces.wiped for nonces in taken] == [True]


# The pool


def test_pool_is_bounded() -> None:
    pool = NoncePool(SUITE, KEYS[1], stream("p"), capacity=2)
    first, _ = pool.commit(), pool.commit()
    with pytest.raises(PoolFull):
        pool.commit()
    pool.take(first)
    pool.commit()
    assert len(pool) == 2
    for capacity in (0, MAX_NONCES + 1):
        with pytest.raises(ValueError, match="pool"):
            NoncePool(SUITE, KEYS[1], stream("p"), capacity)


def test_pool_hands_out_nonces_once_and_wipes_the_rest(monkeypatch: pytest.MonkeyPatch) -> None:
    made = remembered(monkeypatch)
    pool = NoncePool(SUITE, KEYS[1], stream("p"))
    commitments = [pool.commit() for _ in range(4)]
    assert all(a != b for a, b in pairwise(commitments))
    kept = pool.take(commitments[0])
    assert kept.commitment == commitments[0]
    with pytest.raises(NonceReused):
        pool.take(commitments[0])
    pool.wipe()
    assert [secret.wiped for secret in made] == [False] * 2 + [True] * 6
    assert not kept.used
    for commitment in commitments:
        with pytest.raises(NonceReused):
            pool.take(commitment)
