"""Any threshold, any signers, any delivery order: one key, valid signatures, no blame."""

from collections.abc import Iterable

from hypothesis import given, settings
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
from console.protocols.keygen.dkg import KeygenParameters, generate
from console.protocols.keygen.share import decode_share, encode_share
from tests.adversary.keys import dealt
from tests.adversary.network import Network, stream


def over_the_wire(envelope: Envelope, _to: int) -> Iterable[Envelope]:
    """Encode, decode, and now and then deliver twice."""
    again = decode_envelope(encode_envelope(envelope))
    return [again] * (1 + (envelope.digest[0] & 1))


@st.composite
def quorums(draw: st.DrawFn) -> tuple[int, int, list[int]]:
    n = draw(st.integers(1, 6))
    t = draw(st.integers(1, n))
    size = draw(st.integers(t, n))
    signers = draw(st.permutations(range(1, n + 1)))[:size]
    return t, n, signers


SUITES = st.sampled_from([FROST_ED25519, FROST_SECP256K1, FROST_TAPROOT])
PATHS = st.lists(st.integers(0, 2**31 - 1), max_size=2)


@given(quorums(), SUITES, PATHS, st.text("abc", max_size=3), st.binary(max_size=40))
@settings(max_examples=40, deadline=None)
def test_any_quorum_signs_with_a_generated_key(
    quorum: tuple[int, int, list[int]], suite: Suite, path: list[int], seed: str, message: bytes
) -> None:
    """The key is made, stored, derived along a path and, for Taproot, tweaked; then it signs."""
    t, n, signers = quorum
    parameters = KeygenParameters(suite.group, t, b"property")
    ceremony = Network(
        {i: lambda p, i=i: generate(p, parameters, stream(f"{seed}/{i}")) for i in range(1, n + 1)},
        seed=seed,
        wire=over_the_wire,
    ).deliver()
    assert not ceremony.aborts
    results = ceremony.outcomes
    assert len(results) == n
    assert len({result.transcript for result in results.values()}) == 1
    shares = {i: decode_share(encode_share(result.share)) for i, result in results.items()}
    shares = {i: derive(share, path) for i, share in shares.items()}
    if suite is FROST_TAPROOT:
        shares = {i: tap_tweak(share, None) for i, share in shares.items()}
    for share in shares.values():
        share.check()
    signing = Network(
        {
            i: lambda p, i=i: sign_with(suite, p, shares[i], message, stream(f"{seed}/s/{i}"))
            for i in signers
        },
        seed=seed,
        wire=over_the_wire,
        session_id=b"\x02" * 32,
    ).deliver()
    assert not signing.aborts
    assert len(signing.outcomes) == len(signers)
    (signature,) = set(signing.outcomes.values())
    suite.verify(shares[1].public.group_key, message, signature)


@given(st.integers(1, 3), st.integers(0, 400), st.integers(1, 255), st.integers(0, 5))
@settings(max_examples=40, deadline=None)
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
        return [
            Envelope(
                session_id=envelope.session_id,
                sender=2,
                recipient=envelope.recipient,
                round=envelope.round,
                kind=envelope.kind,
                echo=envelope.echo,
                payload=bytes(payload),
            )
        ]

    network = Network(
        {i: lambda p, i=i: sign(p, keys[i], b"m", stream(f"fuzz/{i}")) for i in (1, 2, 3)},
        wire=wire,
    ).deliver()
    for _, culprits, _ in network.verdicts(2).values():
        assert culprits <= {2}
    for signature in network.outcomes.values():
        verify(keys[1].public.group_key, b"m", signature)
