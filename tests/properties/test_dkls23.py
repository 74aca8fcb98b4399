"""Any threshold, any signers, any delivery order: valid ECDSA signatures, and no honest blame."""

from collections.abc import Iterable
from dataclasses import replace
from functools import cache

from hypothesis import given
from hypothesis import strategies as st

from console.protocols.dkls23 import decode_presignature, encode_presignature, verify
from console.protocols.kernel.session import Envelope
from console.protocols.math.group import Point
from console.protocols.math.secp256k1 import SECP256K1, N
from tests.adversary.network import Network
from tests.properties.depth import examples
from tests.properties.oracles import ecdsa_accepts
from tests.properties.test_threshold import LATE, over_the_wire
from tests.unit.protocols.dkls23.dealt import DIGEST, Bench, online


@cache
def bench(threshold: int, parties: int) -> Bench:
    return Bench(threshold, parties)


@st.composite
def quorums(draw: st.DrawFn) -> tuple[Bench, list[int]]:
    n = draw(st.integers(2, 9))
    t = draw(st.integers(2, n))
    signers = draw(st.permutations(range(1, n + 1)))[:t]
    return bench(t, n), signers


@given(
    quorums(),
    st.text("abc", max_size=3),
    st.binary(min_size=32, max_size=32),
    st.none() | st.integers(0, N - 1),
    LATE,
)
@examples(12)
def test_any_quorum_signs(
    quorum: tuple[Bench, list[int]],
    seed: str,
    digest: bytes,
    tweak: int | None,
    late: frozenset[int],
) -> None:
    key, signers = quorum
    scalar = None if tweak is None else SECP256K1.scalar(tweak)
    runs = {i: key.signing(i, digest, scalar, seed) for i in signers}
    network = Network(runs, seed, over_the_wire, late=late).deliver()
    assert not network.aborts
    assert set(network.outcomes) == set(signers)
    (signature,) = set(network.outcomes.values())
    offset = SECP256K1.base(SECP256K1.scalar(tweak or 0))
    point = SECP256K1.add(Point(key.public.group_key), offset)
    ecdsa_accepts(point, digest, signature.r, signature.s)
    verify(point, digest, signature)  # the recovery id as well


@given(quorums(), st.text("abc", max_size=3), st.binary(min_size=32, max_size=32))
@examples(6)
def test_any_quorum_signs_with_presignatures(
    quorum: tuple[Bench, list[int]], seed: str, digest: bytes
) -> None:
    key, signers = quorum
    made = key.presigned(signers, seed=seed)
    loaded = {i: decode_presignature(encode_presignature(p)) for i, p in made.items()}
    network = Network(
        {i: online(p, digest) for i, p in loaded.items()}, seed=seed, wire=over_the_wire
    ).deliver()
    assert set(network.outcomes) == set(signers)
    (signature,) = set(network.outcomes.values())
    ecdsa_accepts(key.public.group_key, digest, signature.r, signature.s)


@given(
    st.integers(1, 3),
    st.integers(0, 60_000),
    st.integers(1, 255),
    st.sampled_from(["commitment", "vole-request", "opening", "vole-reply", "partial"]),
)
@examples(40)
def test_a_changed_byte_never_blames_an_honest_party(
    victim: int, at: int, flip: int, kind: str
) -> None:
    """One byte of one of party 2's payloads is changed on its way to one receiver."""
    key = bench(3, 3).copy()

    def wire(envelope: Envelope, to: int) -> Iterable[Envelope]:
        if (envelope.sender, envelope.kind, to) != (2, f"dkls23.{kind}", victim):
            return [envelope]
        payload = bytearray(envelope.payload)
        payload[at % len(payload)] ^= flip
        return [replace(envelope, payload=bytes(payload))]

    network = Network({i: key.signing(i) for i in (1, 2, 3)}, wire=wire).deliver()
    for _, culprits, _ in network.verdicts(2).values():
        assert culprits <= {2}
    assert all(key.pairs[i].banned <= {2} for i in (1, 3))
    for signature in network.outcomes.values():
        verify(key.public.group_key, DIGEST, signature)
