import itertools
from collections.abc import Callable
from dataclasses import replace

import pytest
from coincurve import PublicKey
from coincurve.ecdsa import cdata_to_der, deserialize_compact
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256

from console.protocols.derivation import derive
from console.protocols.dkls23 import (
    EcdsaSignature,
    PeerBanned,
    SigningRefused,
    run,
    sign,
    verify,
)
from console.protocols.dkls23.messages import VoleReply, VoleRequest
from console.protocols.math.ed25519 import ED25519
from console.protocols.math.group import BadEncoding
from console.protocols.math.secp256k1 import SECP256K1, N
from tests.adversary.erasure import remembered
from tests.adversary.keys import dealt
from tests.adversary.network import Network, cheating, stream
from tests.unit.protocols.dkls23.dealt import DIGEST, TWEAK, Bench, dealt_pairs
from tests.unit.protocols.ot.keys import flipped

TWO, THREE = Bench(2, 3), Bench(3, 5)


def signature_of(network: Network) -> EcdsaSignature:
    assert not network.aborts
    assert len(network.outcomes) == len(network.runs)
    (signature,) = set(network.outcomes.values())
    return signature


def check(key: bytes, signature: EcdsaSignature, digest: bytes = DIGEST) -> None:
    """Verify with three libraries' eyes, and find the key from the signature."""
    verify(key, digest, signature)
    der = cdata_to_der(deserialize_compact(signature.compact))
    assert PublicKey(key).verify(der, digest, hasher=None)
    recoverable = signature.compact + bytes((signature.recovery_id,))
    assert PublicKey.from_signature_and_message(recoverable, digest, hasher=None).format() == key
    public = ec.EllipticCurvePublicKey.from_encoded_point(ec.SECP256K1(), key)
    encoded = encode_dss_signature(signature.r, signature.s)
    public.verify(encoded, digest, ec.ECDSA(Prehashed(SHA256())))
    assert signature.s <= N // 2


@pytest.mark.parametrize("signers", list(itertools.combinations(range(1, 4), 2)))
def test_any_two_of_three_sign(signers: tuple[int, ...]) -> None:
    network = Network({i: TWO.signing(i) for i in signers}).deliver()
    check(TWO.public.group_key, signature_of(network))


@pytest.mark.parametrize("signers", list(itertools.combinations(range(1, 6), 3)))
def test_any_three_of_five_sign(signers: tuple[int, ...]) -> None:
    network = Network({i: THREE.signing(i) for i in signers}, seed=str(signers)).deliver()
    check(THREE.public.group_key, signature_of(network))


@pytest.mark.parametrize("tweak", [TWEAK, SECP256K1.scalar(1), SECP256K1.scalar(0)])
def test_the_tweak_moves_the_key(tweak: bytes) -> None:
    network = Network({i: TWO.signing(i, tweak=tweak) for i in (2, 3)}).deliver()
    key = SECP256K1.add(TWO.public.group_key, SECP256K1.base(tweak))
    check(key, signature_of(network))


def test_a_derived_key_signs_with_the_pair_states_of_its_parent() -> None:
    children = {i: derive(TWO.keys[i], (44, 7)) for i in (1, 2)}
    network = Network(
        {
            i: lambda p, i=i: sign(p, children[i], TWO.pairs[i], DIGEST, stream(f"child/{i}"))
            for i in (1, 2)
        }
    ).deliver()
    check(children[1].public.group_key, signature_of(network))


@pytest.mark.parametrize("digest", [bytes(32), N.to_bytes(32, "big"), b"\xff" * 32])
def test_odd_digests_are_signed(digest: bytes) -> None:
    network = Network({i: TWO.signing(i, digest) for i in (1, 2)}).deliver()
    verify(TWO.public.group_key, digest, signature_of(network))


def test_signatures_of_both_parities_come_out() -> None:
    found = set()
    for seed in range(12):
        network = Network({i: TWO.signing(i, seed=f"parity/{seed}") for i in (1, 2)}).deliver()
        signature = signature_of(network)
        check(TWO.public.group_key, signature)
        found.add(signature.recovery_id)
    assert {0, 1} <= found


def test_nothing_secret_of_a_session_outlives_it(monkeypatch: pytest.MonkeyPatch) -> None:
    bench = THREE.copy()
    made = remembered(monkeypatch)
    network = Network({i: bench.signing(i) for i in (1, 2, 3)}).deliver()
    assert len(network.outcomes) == 3
    assert len(made) > 50
    assert all(secret.wiped for secret in made)


def test_nothing_secret_of_an_abandoned_session_outlives_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    bench = TWO.copy()
    made = remembered(monkeypatch)
    for start in (bench.signing, bench.presigning):
        network = Network({i: start(i) for i in (1, 2)})
        first = network.sessions[1].start()
        network.sessions[2].start()
        for envelope in first:
            network.sessions[2].receive(envelope)
        assert not all(secret.wiped for secret in made)
        for session in network.sessions.values():
            session.close()
        assert all(secret.wiped for secret in made)


def bad_request(message: VoleRequest) -> VoleRequest:
    choice = flipped(message.request.hashed_choice)
    return VoleRequest(replace(message.request, hashed_choice=choice))


def bad_reply(message: VoleReply) -> VoleReply:
    return replace(message, reply=replace(message.reply, digest=flipped(message.reply.digest)))


@pytest.mark.parametrize(("kind", "change"), [(VoleRequest, bad_request), (VoleReply, bad_reply)])
def test_nothing_secret_outlives_a_session_in_which_one_of_two_cheats(
    monkeypatch: pytest.MonkeyPatch, kind: type, change: Callable[..., object]
) -> None:
    """What was computed with the honest one is of no use either."""
    bench = THREE.copy()
    made = remembered(monkeypatch)
    runs = {i: bench.signing(i) for i in (1, 2, 3)}
    runs[2] = cheating(runs[2], kind, change, only=1)
    network = Network(runs).deliver()
    assert network.verdicts(2)[1][:2] == ("ban", frozenset({2}))
    for session in network.sessions.values():
        session.close()
    assert all(secret.wiped for secret in made)


@pytest.mark.parametrize("step", ["key_input", "answer_request", "finish_products", "_answer"])
def test_nothing_secret_outlives_a_session_that_ends_with_a_bug(
    monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise RuntimeError(step)

    bench = THREE.copy()
    monkeypatch.setattr(run, step, fail)
    made = remembered(monkeypatch)
    network = Network({i: bench.signing(i) for i in (1, 2, 3)})
    with pytest.raises(RuntimeError, match=step):
        network.deliver()
    for session in network.sessions.values():
        session.close()
    assert all(secret.wiped for secret in made)


REFUSED: list[tuple[str, Callable[[Bench], None], str]] = [
    ("share", lambda b: b.keys.update({1: b.keys[2]}), "another party's"),
    ("pairs", lambda b: b.pairs.update({1: b.pairs[2]}), "another party's"),
    ("group", lambda b: b.keys.update(dealt(2, 3, group=ED25519)), "group"),
    ("few", lambda b: b.keys.update(Bench(3, 3).keys), "as many as the threshold"),
    ("many", lambda b: b.keys.update(dealt(1, 3, group=SECP256K1)), "as many as the threshold"),
    ("stranger", lambda b: b.keys.update(dealt(1, 1, group=SECP256K1)), "belong to the key"),
    ("banned", lambda b: b.pairs[1].ban([2]), "no state"),
    ("unpaired", lambda b: b.pairs.update(dealt_pairs((1, 3))), "no state"),
]


@pytest.mark.parametrize(
    ("change", "reason"), [r[1:] for r in REFUSED], ids=[r[0] for r in REFUSED]
)
def test_parties_that_cannot_sign_are_refused_before_anything_is_said(
    change: Callable[[Bench], None], reason: str
) -> None:
    bench = TWO.copy()
    bench.keys = dict(bench.keys)
    change(bench)
    for start in (bench.signing, bench.presigning):
        network = Network({i: start(i) for i in (1, 2)})
        with pytest.raises((SigningRefused, PeerBanned), match=reason):
            network.sessions[1].start()
        assert not network.sent


def test_one_signer_alone_is_refused() -> None:
    bench = TWO.copy()
    bench.keys = dealt(1, 3, group=SECP256K1)
    network = Network({1: bench.signing(1)})
    with pytest.raises(SigningRefused, match="two"):
        network.sessions[1].start()


def test_bad_tweaks_and_digests_are_refused() -> None:
    x = sum(
        SECP256K1.public_int(SECP256K1.parse_scalar(TWO.keys[i].secret.view())) * weight
        for i, weight in ((1, 2), (2, -1))
    )
    cases = [
        (BadEncoding, {"tweak": N.to_bytes(32, "big")}),
        (BadEncoding, {"tweak": b""}),
        (SigningRefused, {"tweak": SECP256K1.scalar(-x)}),
        (ValueError, {"digest": DIGEST[:31]}),
    ]
    for error, arguments in cases:
        network = Network({i: TWO.signing(i, **arguments) for i in (1, 2)})
        with pytest.raises(error):
            network.sessions[1].start()
