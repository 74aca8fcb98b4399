"""Any threshold, any signers, any delivery order: one key, valid signatures, no blame."""

from collections.abc import Iterable
from dataclasses import replace

from hypothesis import given
from hypothesis import strategies as st

from console.protocols.derivation import derive, tap_tweak
from console.protocols.frost import (
    FROST_ED25519,
    FROST_SECP256K1,
    FROST_TAPROOT,
    Suite,
    sign,
    sign_with,
    verify,
)
from console.protocols.kernel.session import Envelope, decode_envelope, encode_envelope
from console.protocols.keygen import KeyShare
from console.protocols.keygen.dkg import KeygenParameters, generate
from console.protocols.keygen.share import decode_share, encode_share
from tests.adversary.keys import dealt
from tests.adversary.network import Network, stream
from tests.adversary.runs import each
from tests.properties.depth import examples
from tests.properties.oracles import bip340_accepts, ed25519_accepts, rfc9591_accepts

SUITES = st.sampled_from([FROST_ED25519, FROST_SECP256K1, FROST_TAPROOT])
PATHS = st.lists(st.integers(0, 2**31 - 1), max_size=2)
SEEDS = st.text("abc", max_size=3)
LATE = st.frozensets(st.integers(1, 9), max_size=4)


def over_the_wire(envelope: Envelope, _to: int) -> Iterable[Envelope]:
    """Encode, decode, and now and then deliver twice."""
    again = decode_envelope(encode_envelope(envelope))
    return [again] * (1 + (envelope.digest[0] & 1))


@st.composite
def quorums(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    n = draw(st.integers(1, 9))
    t = draw(st.integers(1, n))
    size = draw(st.integers(t, n))
    signers = draw(st.permutations(range(1, n + 1)))[:size]
    return t, n, signers


def signed(
    suite: Suite,
    shares: dict[int, KeyShare],
    signers: Iterable[int],
    message: bytes = b"m",
    seed: str = "s",
    late: frozenset[int] = frozenset(),
) -> bytes:
    """Let the signers sign, who must agree, and have the signature judged by somebody else."""
    signing = Network(
        each(signers, lambda i, p: sign_with(suite, p, shares[i], message, stream(f"{seed}/{i}"))),
        seed,
        over_the_wire,
        session_id=b"\x02" * 32,
        late=late,
    ).deliver()
    assert not signing.aborts
    assert set(signing.outcomes) == set(signing.runs)
    (signature,) = set(signing.outcomes.values())
    key = next(iter(shares.values())).public.group_key
    if suite is FROST_ED25519:
        ed25519_accepts(key, message, signature)
    else:
        accepts = bip340_accepts if suite is FROST_TAPROOT else rfc9591_accepts
        assert accepts(key, message, signature)
    return bytes(signature)


@given(quorums(), SUITES, PATHS, SEEDS, st.binary(max_size=40), LATE)
@examples(25)
def test_any_quorum_signs_with_a_generated_key(
    quorum: tuple[int, int, list[int]],
    suite: Suite,
    path: list[int],
    seed: str,
    message: bytes,
    late: frozenset[int],
) -> None:
    """The key is made, stored, derived along a path and, for Taproot, tweaked; then it signs."""
    t, n, signers = quorum
    parameters = KeygenParameters(suite.group, t, b"property")
    ceremony = Network(
        each(range(1, n + 1), lambda i, p: generate(p, parameters, stream(f"{seed}/{i}"))),
        seed,
        over_the_wire,
        late=late,
    ).deliver()
    assert not ceremony.aborts
    results = ceremony.outcomes
    assert len(results) == n
    assert len({(result.transcript, result.share.public) for result in results.values()}) == 1
    shares = {i: decode_share(encode_share(result.share)) for i, result in results.items()}
    shares = {i: derive(share, path) for i, share in shares.items()}
    if suite is FROST_TAPROOT:
        shares = {i: tap_tweak(share, None) for i, share in shares.items()}
    for share in shares.values():
        share.check()
    signed(suite, shares, signers, message, seed, late)


@given(st.integers(1, 3), st.integers(0, 400), st.integers(1, 255), st.integers(0, 5))
@examples(40)
def test_a_changed_byte_never_blames_an_honest_party(
    victim: int, at: int, flip: int, which: int
) -> None:
    """One byte of one of party 2's payloads is changed on its way to one receiver."""
    keys = dealt(2, 3)
    seen = 0

    def wire(envelope: Envelope, to: int) -> Iterable[Envelope]:
        nonlocal seen
        if envelope.sender != 2 or to != victim or not envelope.payload:
            return [envelope]
        seen += 1
        if seen != which + 1:
            return [envelope]
        payload = bytearray(envelope.payload)
        payload[at % len(payload)] ^= flip
        return [replace(envelope, payload=bytes(payload))]

    network = Network(
        each((1, 2, 3), lambda i, p: sign(p, keys[i], b"m", stream(f"fuzz/{i}"))), wire=wire
    ).deliver()
    for _, culprits, _ in network.verdicts(2).values():
        assert culprits <= {2}
    for signature in network.outcomes.values():
        verify(keys[1].public.group_key, b"m", signature)
