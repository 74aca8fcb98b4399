"""DKLs23 signing with cheating signers: each check names the right party, in the right way."""

from collections.abc import Callable, Iterable
from dataclasses import replace
from typing import Any

import pytest

from console.protocols.dkls23 import PeerBanned, run, signing
from console.protocols.dkls23.messages import (
    Commitment,
    Fragments,
    Opening,
    Partial,
    VoleReply,
    VoleRequest,
)
from console.protocols.dkls23.signing import Nonces
from console.protocols.kernel.party import Random
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.session import Envelope, find_equivocation
from console.protocols.math.secp256k1 import SECP256K1, N
from console.protocols.ot import extension
from tests.adversary.network import (
    SESSION_ID,
    Network,
    Run,
    Wire,
    assert_blamed,
    cheating,
    rewrite,
    stream,
)
from tests.unit.protocols.dkls23.dealt import DIGEST, TWEAK, Bench, online
from tests.unit.protocols.ot.keys import bit, flipped

Change = Callable[[Any], Any]

BENCH = Bench(3, 4)
SIGNERS = (1, 2, 3)
POINT = SECP256K1.base(SECP256K1.random_scalar(stream("point")))
INVALID_POINTS = [SECP256K1.identity, b"\x02" + b"\xff" * 32, b"\x02" + (5).to_bytes(32, "big")]
OUT_OF_RANGE = N.to_bytes(32, "big")


def runs(bench: Bench, **changed: Run) -> dict[int, Run]:
    return {i: changed.get(f"p{i}", bench.signing(i)) for i in SIGNERS}


def with_cheat(kind: type, change: Change, only: int | None = None) -> tuple[Bench, Network]:
    bench = BENCH.copy()
    run_ = cheating(bench.signing(2), kind, change, only)
    return bench, Network(runs(bench, p2=run_)).deliver()


def add_one(data: bytes, at: int = 0) -> bytes:
    scalar = SECP256K1.scalar(int.from_bytes(data[32 * at : 32 * at + 32], "big") + 1)
    return data[: 32 * at] + scalar + data[32 * at + 32 :]


def inner(field: str, name: str, change: Change) -> Change:
    """Change a field of a message within a message."""

    def changed(message: Any) -> Any:
        value = getattr(message, field)
        return replace(message, **{field: replace(value, **{name: change(getattr(value, name))})})

    return changed


def assert_banned(bench: Bench, network: Network, check: str, honest: Iterable[int]) -> None:
    """Each of `honest` bans party 2 and nobody else, and has destroyed what they shared."""
    assert network.verdicts(2) == dict.fromkeys(honest, ("ban", frozenset({2}), check))
    assert not set(network.outcomes) - {2}
    for i in SIGNERS:
        if i != 2:
            assert bench.pairs[i].banned == ({2} if i in honest else set())


def rounds_of(network: Network, sender: int) -> set[int]:
    return {envelope.round for envelope in network.sent if envelope.sender == sender}


# Round 1: the request, and the check of the extension


REQUEST_CHANGES = {
    "U": inner("request", "correction", flipped),
    "U-last-row": inner("request", "correction", lambda data: flipped(data, 8 * len(data) - 640)),
    "xhat": inner("request", "hashed_choice", flipped),
    "that": inner("request", "hashed_rows", flipped),
}


@pytest.mark.parametrize("change", REQUEST_CHANGES.values(), ids=REQUEST_CHANGES)
def test_dkls23_round1_extension_check_bans_sender_before_any_reply(change: Change) -> None:
    bench, network = with_cheat(VoleRequest, change)
    assert_banned(bench, network, "ot-rows", (1, 3))
    assert all(rounds_of(network, i) == {1} for i in (1, 3))


def test_dkls23_round1_extension_check_of_one_pair_bans_for_that_pair_only() -> None:
    bench = BENCH.copy()
    states = {i: bench.pairs[i].state(2) for i in (1, 3)}
    cheat = cheating(bench.signing(2), VoleRequest, REQUEST_CHANGES["U"], only=3)
    network = Network(runs(bench, p2=cheat)).deliver()
    assert_banned(bench, network, "ot-rows", (3,))
    assert all(secret.wiped for secret in states[3].secrets())
    assert not any(secret.wiped for secret in states[1].secrets())


def test_dkls23_round1_two_bad_requests_ban_both() -> None:
    bench = BENCH.copy()
    bad = {
        f"p{i}": cheating(bench.signing(i), VoleRequest, REQUEST_CHANGES["xhat"], 1) for i in (2, 3)
    }
    network = Network(runs(bench, **bad)).deliver()
    assert network.verdicts(2, 3) == {1: ("ban", frozenset({2, 3}), "ot-rows")}
    assert bench.pairs[1].banned == {2, 3}


def test_dkls23_a_banned_peer_gets_no_second_attempt() -> None:
    bench, _ = with_cheat(VoleRequest, REQUEST_CHANGES["U"])
    for _attempt in range(3):
        network = Network(runs(bench), session_id=stream("again")(32))
        with pytest.raises(PeerBanned):
            network.sessions[1].start()
        assert not network.sent


def consistent_cheat(monkeypatch: pytest.MonkeyPatch, row: int) -> Change:
    """Flip one choice bit in one row, and answer the challenge as if nothing had happened."""
    made: dict[bytes, tuple[bytes, Any]] = {}
    original = extension.prove

    def prove(session: bytes, choosing: Any, correction: bytes) -> Any:
        made[correction] = (session, choosing)
        return original(session, choosing, correction)

    monkeypatch.setattr(extension, "prove", prove)

    def change(message: VoleRequest) -> VoleRequest:
        correction = message.request.correction
        session, choosing = made[correction]
        return VoleRequest(original(session, choosing, flipped(correction, row * 640 + 1)))

    return change


def test_dkls23_round1_consistent_cheat_ends_with_the_first_bit_it_would_learn(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Each attempt goes unseen if the guessed bit is 0; the first 1 destroys the state."""
    bench = Bench(2, 2)
    state = bench.pairs[1].state(2)
    delta = bytes(state.chosen_keys.choices.view())
    first = next(row for row in range(256) if bit(delta, row))
    for row in range(first + 1):
        # The cheat, too, notices that something is wrong, and starts from a copy of its state.
        honest = Bench(2, 2).signing(2)
        cheat = cheating(honest, VoleRequest, consistent_cheat(monkeypatch, row))
        session_id = stream(f"attempt/{row}")(32)
        network = Network({1: bench.signing(1), 2: cheat}, session_id=session_id).deliver()
        if row < first:
            assert not network.verdicts(2)
            assert 2 in rounds_of(network, 1)
        else:
            assert network.verdicts(2) == {1: ("ban", frozenset({2}), "ot-rows")}
    assert bench.pairs[1].banned == {2}
    assert all(secret.wiped for secret in state.secrets())
    with pytest.raises(PeerBanned):
        Network({1: bench.signing(1), 2: bench.signing(2)}).deliver()


@pytest.mark.parametrize("halfway", [1, 2])
def test_dkls23_a_ban_ends_the_other_sessions_with_that_peer(halfway: int) -> None:
    """Many requests at once learn no more than one: all others are dropped unjudged."""
    bench = BENCH.copy()
    other = Network(runs(bench), session_id=b"\x07" * 32)
    waiting = {i: session.start() for i, session in other.sessions.items()}
    for _ in range(halfway - 1):
        said = [envelope for out in waiting.values() for envelope in out]
        waiting = {i: [] for i in SIGNERS}
        for envelope in said:
            for i in SIGNERS:
                if i != envelope.sender and envelope.recipient in {None, i}:
                    waiting[i] += other.sessions[i].receive(envelope)
    cheat = cheating(bench.signing(2), VoleRequest, REQUEST_CHANGES["U"], only=1)
    Network(runs(bench, p2=cheat)).deliver()
    assert bench.pairs[1].banned == {2}
    for envelope in [envelope for out in waiting.values() for envelope in out]:
        if envelope.sender != 1 and envelope.recipient in {None, 1}:
            other.step(1, lambda e=envelope: other.sessions[1].receive(e))
    assert other.verdicts()[1] == ("ban", frozenset({2}), "banned")


def replaced_payload(kind: str, sender: int, to: int, payload: bytes) -> Wire:
    def wire(envelope: Envelope, receiver: int) -> Iterable[Envelope]:
        if (envelope.sender, envelope.kind, receiver) == (sender, kind, to):
            return [replace(envelope, payload=payload)]
        return [envelope]

    return wire


def sent(network: Network, kind: str, sender: int, to: int) -> bytes:
    (found,) = [
        e.payload for e in network.sent if (e.kind, e.sender, e.recipient) == (kind, sender, to)
    ]
    return found


@pytest.mark.parametrize(("sender", "to"), [(3, 1), (2, 3), (1, 2)], ids=["pair", "peer", "back"])
def test_dkls23_round1_request_of_another_pair_or_direction_bans_who_repeats_it(
    sender: int, to: int
) -> None:
    honest = Network(runs(BENCH)).deliver()
    payload = sent(honest, "dkls23.vole-request", sender, to)
    bench = BENCH.copy()
    wire = replaced_payload("dkls23.vole-request", 2, 1, payload)
    assert_banned(bench, Network(runs(bench), wire=wire).deliver(), "ot-rows", (1,))


def test_dkls23_round1_request_of_another_session_bans_who_repeats_it() -> None:
    honest = Network(runs(BENCH), session_id=bytes(32)).deliver()
    bench = BENCH.copy()
    payload = sent(honest, "dkls23.vole-request", 2, 1)
    network = Network(runs(bench), wire=replaced_payload("dkls23.vole-request", 2, 1, payload))
    assert_banned(bench, network.deliver(), "ot-rows", (1,))


@pytest.mark.parametrize("elsewhere", ["session", "pair"])
def test_dkls23_round2_reply_of_elsewhere_bans_who_repeats_it(elsewhere: str) -> None:
    session_id = bytes(32) if elsewhere == "session" else SESSION_ID
    honest = Network(runs(BENCH), session_id=session_id).deliver()
    payload = sent(honest, "dkls23.vole-reply", 2, 1 if elsewhere == "session" else 3)
    bench = BENCH.copy()
    network = Network(runs(bench), wire=replaced_payload("dkls23.vole-reply", 2, 1, payload))
    assert_banned(bench, network.deliver(), "vole-inputs", (1,))


# Round 2: check (1), commitments


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda m: replace(m, nonce_point=POINT), "commitment-opening"),
        (lambda m: replace(m, nonce_point=m.key_point), "commitment-opening"),
        (lambda m: replace(m, blind=bytes(32)), "commitment-opening"),
        (lambda m: replace(m, commitments=bytes(32)), "commitments-digest"),
        *((lambda m, p=p: replace(m, key_point=p), "opening-point") for p in INVALID_POINTS),
    ],
)
def test_dkls23_round2_opening_blames_sender(change: Change, check: str) -> None:
    bench, network = with_cheat(Opening, change)
    assert_blamed(network, {2}, check)
    assert not bench.pairs[1].banned


def test_dkls23_round1_other_commitment_blames_sender() -> None:
    _, network = with_cheat(Commitment, lambda m: replace(m, digest=bytes(32)))
    # The cheat itself knows no better than that its commitment was the honest one.
    assert {v[:2] for v in network.verdicts(2).values()} == {("blame", frozenset({2}))}
    assert not set(network.outcomes)


def test_dkls23_round1_equivocation_blames_no_honest_signer() -> None:
    wire = rewrite(2, "dkls23.commitment", lambda m: replace(m, digest=bytes(32)), to=3)
    network = Network(runs(BENCH.copy()), wire=wire).deliver()
    expected = ("retry", frozenset(), "echo-broadcast")
    assert set(network.verdicts(2).values()) == {expected}
    one, three = (network.sessions[i].received_envelopes() for i in (1, 3))
    assert find_equivocation(one, three) == {2}
    assert not network.outcomes.keys() & {1, 3}


def test_dkls23_round2_equivocation_gives_no_signature() -> None:
    wire = rewrite(2, "dkls23.opening", lambda m: replace(m, commitments=bytes(32)), to=3)
    network = Network(runs(BENCH.copy()), wire=wire).deliver()
    assert all(culprits <= {2} for _, culprits, _ in network.verdicts(2).values())
    assert not network.outcomes.keys() & {1, 3}


# Round 2: check (2), the multiplication


REPLY_CHANGES = {
    "atilde": inner("reply", "corrections", add_one),
    "atilde-last": inner("reply", "corrections", lambda data: add_one(data, 3 * 416 - 1)),
    "eta": inner("reply", "combined", add_one),
    "mu": inner("reply", "digest", flipped),
    "nonce": lambda m: replace(m, nonce=bytes(32)),
}


@pytest.mark.parametrize("change", REPLY_CHANGES.values(), ids=REPLY_CHANGES)
def test_dkls23_round2_multiplication_check_bans_sender(change: Change) -> None:
    bench, network = with_cheat(VoleReply, change)
    assert_banned(bench, network, "vole-inputs", (1, 3))
    assert all(max(rounds_of(network, i)) == 2 for i in (1, 3))


@pytest.mark.parametrize(
    ("change", "check"),
    [
        *((lambda m, p=p: replace(m, nonce_product=p), "reply-encoding") for p in INVALID_POINTS),
        *((lambda m, p=p: replace(m, key_product=p), "reply-encoding") for p in INVALID_POINTS),
        (lambda m: replace(m, difference=OUT_OF_RANGE), "reply-encoding"),
        (inner("reply", "combined", lambda _: OUT_OF_RANGE), "reply-scalar"),
        (inner("reply", "corrections", lambda d: OUT_OF_RANGE + d[32:]), "reply-scalar"),
    ],
)
def test_dkls23_round2_malformed_reply_blames_sender(change: Change, check: str) -> None:
    bench, network = with_cheat(VoleReply, change)
    assert_blamed(network, {2}, check)
    assert not bench.pairs[1].banned


def test_dkls23_round2_ban_goes_before_blame() -> None:
    bench = BENCH.copy()
    two = cheating(bench.signing(2), VoleReply, REPLY_CHANGES["mu"], 1)
    malformed = inner("reply", "combined", lambda _: OUT_OF_RANGE)
    three = cheating(bench.signing(3), VoleReply, malformed, 1)
    network = Network(runs(bench, p2=two, p3=three)).deliver()
    assert network.verdicts(2, 3) == {1: ("ban", frozenset({2}), "vole-inputs")}


# Round 2: checks (3) and (4), the committed nonce and key


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (VoleReply, lambda m: replace(m, nonce_product=POINT)),
        (VoleReply, lambda m: replace(m, key_product=POINT)),
        (VoleReply, lambda m: replace(m, nonce_product=m.key_product, key_product=m.nonce_product)),
        (Opening, lambda m: replace(m, key_point=POINT)),
        (Opening, lambda m: replace(m, key_point=m.nonce_point)),
        (Opening, lambda m: replace(m, key_point=SECP256K1.negate(m.key_point))),
    ],
    ids=["gamma-u", "gamma-v", "gammas-swapped", "pk", "pk-is-R", "pk-negated"],
)
def test_dkls23_round2_point_check_bans_sender(kind: type, change: Change) -> None:
    bench, network = with_cheat(kind, change)
    assert_banned(bench, network, "vole-points", (1, 3))


def test_dkls23_round2_nonce_other_than_committed_bans_sender(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The commitment opens, but to another R_2 than the one that was multiplied."""
    bench = BENCH.copy()
    original = Nonces.draw

    def cheat(party: Any) -> Any:
        def draw(random: Random) -> Nonces:
            return replace(original(random), R_i=POINT)

        async def play() -> Any:
            monkeypatch.setattr(Nonces, "draw", draw)
            return await bench.signing(2)(party)

        return play()

    # Sessions start in order: the last to start sees the change, all others drew before.
    ordered = {i: bench.signing(i) for i in (1, 3)} | {2: cheat}
    network = Network(ordered).deliver()
    assert_banned(bench, network, "vole-points", (1, 3))


def substituted(bench: Bench, monkeypatch: pytest.MonkeyPatch, which: str, peer: int) -> Network:
    """Let party 2 put another nonce, or key, into its multiplication with one peer."""
    original = signing.answer_request

    def answer(
        pairs: Any, session: Any, asked: Any, random: Any, *, nonces: Any, sk_i: Any, chi: Any
    ) -> Any:
        other = SecretBytes(SECP256K1.scalar(5))
        if pairs.me == 2 and asked.peer == peer:
            nonces = replace(nonces, r_i=other) if which == "nonce" else nonces
            sk_i = other if which == "key" else sk_i
        return original(pairs, session, asked, random, nonces=nonces, sk_i=sk_i, chi=chi)

    monkeypatch.setattr(run, "answer_request", answer)
    return Network(runs(bench)).deliver()


@pytest.mark.parametrize("which", ["nonce", "key"])
@pytest.mark.parametrize("peer", [1, 3])
def test_dkls23_round2_other_input_to_one_peer_bans_sender(
    monkeypatch: pytest.MonkeyPatch, which: str, peer: int
) -> None:
    bench = BENCH.copy()
    network = substituted(bench, monkeypatch, which, peer)
    assert network.verdicts(2) == {peer: ("ban", frozenset({2}), "vole-points")}
    assert bench.pairs[peer].banned == {2}
    assert not network.outcomes


# Check (5), the key points make the key


def wrong_share(offset: int = 1) -> Bench:
    """Party 2 has another share than it should, and uses it throughout."""
    bench = BENCH.copy()
    value = int.from_bytes(bench.keys[2].secret.view(), "big") + offset
    secret = SecretBytes(SECP256K1.scalar(value))
    bench.keys = {**bench.keys, 2: replace(bench.keys[2], secret=secret)}
    return bench


@pytest.mark.parametrize("tweak", [None, TWEAK])
def test_dkls23_round2_other_key_share_blames_who_used_it(tweak: bytes | None) -> None:
    bench = wrong_share()
    network = Network({i: bench.signing(i, tweak=tweak) for i in SIGNERS}).deliver()
    assert_blamed(network, {2}, "key-points")
    assert not bench.pairs[1].banned


def test_dkls23_round2_wrong_tweak_of_the_lowest_blames_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    original = signing.key_input

    def key_input(parameters: Any, share: Any, fragments: Any) -> Any:
        changed = (
            replace(parameters, tweak=SECP256K1.scalar(0)) if parameters.me == 1 else parameters
        )
        return original(changed, share, fragments)

    monkeypatch.setattr(run, "key_input", key_input)
    network = Network({i: BENCH.signing(i, tweak=TWEAK) for i in SIGNERS}).deliver()
    assert_blamed(network, {1}, "key-points")


@pytest.mark.parametrize(
    "change",
    [
        lambda f: f[:1],
        lambda f: f[::-1],
        lambda f: (f[0], f[0]),
        lambda f: (f[0], replace(f[1], value=OUT_OF_RANGE)),
        lambda f: (*f, replace(f[1], peer=4)),
    ],
    ids=["few", "order", "twice", "range", "many"],
)
def test_dkls23_round3_malformed_fragments_blame_sender(change: Change) -> None:
    bench = wrong_share()
    cheat = cheating(bench.signing(2), Fragments, lambda m: Fragments(change(m.fragments)))
    assert_blamed(Network(runs(bench, p2=cheat)).deliver(), {2}, "fragments-encoding")


def test_dkls23_round3_wrong_fragment_blames_sender() -> None:
    bench = wrong_share()

    def lie(message: Fragments) -> Fragments:
        one, three = message.fragments
        return Fragments((replace(one, value=add_one(one.value)), three))

    network = Network(runs(bench, p2=cheating(bench.signing(2), Fragments, lie))).deliver()
    assert_blamed(network, {2}, "key-points")


def test_dkls23_round3_fragment_that_explains_the_point_is_known_as_a_lie_by_its_pair() -> None:
    """Party 1 knows better; party 3 cannot tell whether 1 or 2 lies, and blames neither."""
    bench = wrong_share()
    weight = signing.cached_lagrange(2, SIGNERS)

    def lie(message: Fragments) -> Fragments:
        one, three = message.fragments
        value = int.from_bytes(one.value, "big") - weight
        return Fragments((replace(one, value=SECP256K1.scalar(value)), three))

    network = Network(runs(bench, p2=cheating(bench.signing(2), Fragments, lie))).deliver()
    assert network.verdicts(2) == {
        1: ("blame", frozenset({2}), "fragment"),
        3: ("freeze", frozenset(), "fragment"),
    }
    assert "pairs [(1, 2)] contradict" in network.aborts[3].reason


# Check (6) and round 3


def test_dkls23_degenerate_nonce_is_tried_again(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(run, "nonce_coordinate", lambda _point: 0)
    network = Network(runs(BENCH)).deliver()
    assert network.verdicts() == dict.fromkeys(SIGNERS, ("retry", frozenset(), "group-nonce"))


@pytest.mark.parametrize(
    ("kind", "change"),
    [
        (Partial, lambda m: replace(m, numerator=add_one(m.numerator))),
        (Partial, lambda m: replace(m, denominator=add_one(m.denominator))),
        (Partial, lambda m: replace(m, numerator=m.denominator, denominator=m.numerator)),
        (VoleReply, lambda m: replace(m, difference=add_one(m.difference))),
    ],
    ids=["w", "u", "swapped", "psi"],
)
def test_dkls23_wrong_signature_freezes_the_key_and_blames_nobody(
    kind: type, change: Change
) -> None:
    bench, network = with_cheat(kind, change)
    expected = ("freeze", frozenset(), "group-signature")
    assert network.verdicts(2) == dict.fromkeys((1, 3), expected)
    assert not network.outcomes.keys() & {1, 3}
    assert not bench.pairs[1].banned


@pytest.mark.parametrize(
    ("change", "check"),
    [
        (lambda m: replace(m, numerator=OUT_OF_RANGE), "partial-encoding"),
        (lambda m: replace(m, denominator=b"\xff" * 32), "partial-encoding"),
        (lambda m: replace(m, binding=bytes(32)), "group-nonce"),
    ],
)
def test_dkls23_round3_malformed_partial_blames_sender(change: Change, check: str) -> None:
    assert_blamed(with_cheat(Partial, change)[1], {2}, check)


def test_dkls23_denominators_that_cancel_out_freeze_the_key() -> None:
    presigned = Bench(2, 2).presigned((1, 2))
    for i, value in ((1, 5), (2, N - 5)):
        secret = SecretBytes(SECP256K1.scalar(value))
        presigned[i] = replace(presigned[i], denominator=secret)
    network = Network({i: online(p) for i, p in presigned.items()}).deliver()
    assert network.verdicts() == dict.fromkeys((1, 2), ("freeze", frozenset(), "group-signature"))


# What the parties sign


@pytest.mark.parametrize(
    "arguments", [{"digest": bytes(32)}, {"tweak": TWEAK}, {"tweak": SECP256K1.scalar(1)}]
)
def test_dkls23_parties_that_mean_different_signatures_blame_nobody(
    arguments: dict[str, bytes],
) -> None:
    other = BENCH.signing(2, **arguments)
    network = Network(runs(BENCH, p2=other)).deliver()
    assert network.verdicts() == dict.fromkeys(SIGNERS, ("retry", frozenset(), "terms"))


def test_dkls23_parties_of_different_epochs_blame_nobody() -> None:
    bench = BENCH.copy()
    bench.pairs[2].setup_id = bytes(32)
    network = Network(runs(bench)).deliver()
    assert network.verdicts() == dict.fromkeys(SIGNERS, ("retry", frozenset(), "terms"))


def test_dkls23_no_two_sessions_share_pads() -> None:
    """With the same randomness everywhere, the session id alone keeps two runs apart."""
    one, two = (
        Network(runs(BENCH), session_id=session_id).deliver() for session_id in (bytes(32), DIGEST)
    )
    for kind in ("dkls23.vole-request", "dkls23.vole-reply"):
        assert sent(one, kind, 1, 2) != sent(two, kind, 1, 2)
