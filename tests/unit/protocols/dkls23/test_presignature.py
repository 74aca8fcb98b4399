import copy
import pickle
from dataclasses import replace

import pytest

from console.protocols.dkls23 import (
    BadPresignature,
    Presignature,
    PresignatureUsed,
    SigningRefused,
    decode_presignature,
    encode_presignature,
    verify,
)
from console.protocols.kernel.secret import SecretBytes, SecretCopied, wipe_all
from console.protocols.math.secp256k1 import SECP256K1, N
from tests.adversary.network import Network, stream
from tests.unit.protocols.dkls23.dealt import DIGEST, SETUP_ID, TWEAK, Bench, online

BENCH = Bench(2, 3)


def made() -> Presignature:
    """Give one without a protocol behind it."""
    secrets = [SecretBytes(SECP256K1.scalar(value)) for value in (7, 8, 9)]
    point = SECP256K1.base(SECP256K1.random_scalar(stream("R")))
    return Presignature(bytes(32), 2, (2, 3), SETUP_ID, SECP256K1.generator, point, *secrets)


def signature_of(presigned: dict[int, Presignature], digest: bytes = DIGEST) -> set[object]:
    network = Network({i: online(p, digest) for i, p in presigned.items()}).deliver()
    assert not network.aborts
    return set(network.outcomes.values())


def test_a_presignature_makes_one_signature_after_storage() -> None:
    presigned = BENCH.presigned((1, 3))
    assert len({(p.id, p.point, p.key, p.setup_id, p.parties) for p in presigned.values()}) == 1
    stored = {i: encode_presignature(p) for i, p in presigned.items()}
    assert all(p.used for p in presigned.values())
    assert all(len(encoded) < 50_000 for encoded in stored.values())
    loaded = {i: decode_presignature(encoded) for i, encoded in stored.items()}
    (signature,) = signature_of(loaded)
    verify(BENCH.public.group_key, DIGEST, signature)
    assert all(p.used for p in loaded.values())


def test_a_presignature_is_bound_to_its_tweak() -> None:
    (signature,) = signature_of(BENCH.presigned((2, 3), TWEAK))
    key = SECP256K1.add(BENCH.public.group_key, SECP256K1.base(TWEAK))
    verify(key, DIGEST, signature)


def test_a_presignature_answers_once() -> None:
    presigned = BENCH.presigned((1, 2))
    signature_of(presigned)
    for digest in (DIGEST, bytes(32)):
        with pytest.raises(PresignatureUsed):
            Network({i: online(p, digest) for i, p in presigned.items()}).deliver()
    with pytest.raises(PresignatureUsed):
        encode_presignature(presigned[1])


def test_an_answer_uses_it_up_even_if_nobody_else_answers() -> None:
    presigned = BENCH.presigned((1, 2))
    network = Network({i: online(p) for i, p in presigned.items()})
    network.sessions[1].start()
    network.sessions[1].close()
    assert presigned[1].used
    assert not presigned[2].used


def test_secrets_are_erased_on_use_and_cannot_be_copied() -> None:
    one = made()
    for duplicate in (copy.deepcopy, pickle.dumps):
        with pytest.raises(SecretCopied):
            duplicate(one)
    shallow = copy.copy(one)
    assert one.consume() == tuple(map(SECP256K1.scalar, (7, 8, 9)))
    assert shallow.used
    assert all(s.wiped for s in (one.mask, one.denominator, one.product))
    with pytest.raises(PresignatureUsed):
        one.consume()
    other = made()
    wipe_all([other])
    assert other.used
    third = made()
    third.wipe()
    assert third.used


@pytest.mark.parametrize("parties", [(1, 3), (2, 3)])
def test_other_parties_are_refused_with_the_presignature_unused(parties: tuple[int, ...]) -> None:
    presigned = BENCH.presigned((1, 2))
    with pytest.raises(SigningRefused):
        Network({i: online(presigned[1]) for i in parties}).deliver()
    assert not presigned[1].used
    presigned[1].wipe()


def test_a_digest_of_another_length_is_refused_with_the_presignature_unused() -> None:
    one = made()
    with pytest.raises(ValueError, match="32"):
        Network(dict.fromkeys((2, 3), online(one, b"short"))).deliver()
    assert not one.used


def test_encoding_is_strict() -> None:
    encoded = encode_presignature(made())
    again = decode_presignature(encoded.view())
    assert (again.me, again.parties, again.setup_id) == (2, (2, 3), SETUP_ID)
    same = made()
    assert (again.id, again.key, again.point) == (same.id, same.key, same.point)
    assert again.consume() == tuple(map(SECP256K1.scalar, (7, 8, 9)))


HEAD = 12 + 8


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"QDS2"),
        (4, b"\x00\x00\x00\x01"),
        (8, b"\x00\x00\x00\x01"),
        (8, b"\x00\x00\x00\x03"),
        (8, b"\xff\xff\xff\xff"),
        (12, b"\x00\x00\x00\x03"),
        (12, b"\x00\x00\x00\x04"),
        (12, bytes(4)),
        (16, b"\x00\x01\x00\x00"),
        (HEAD + 64, bytes(33)),
        (HEAD + 97, b"\x04"),
        (HEAD + 130, bytes(32)),
        (HEAD + 162, N.to_bytes(32, "big")),
        (HEAD + 194, b"\xff" * 32),
    ],
)
def test_other_encodings_are_refused(at: int, value: bytes) -> None:
    encoded = encode_presignature(made())
    encoded.view()[at : at + len(value)] = value
    with pytest.raises(BadPresignature):
        decode_presignature(encoded)


@pytest.mark.parametrize("size", [0, 11, 12, HEAD, HEAD + 225])
def test_encodings_cut_short_are_refused(size: int) -> None:
    with pytest.raises(BadPresignature):
        decode_presignature(encode_presignature(made()).view()[:size])


def test_encodings_with_a_tail_or_another_number_of_parties_are_refused() -> None:
    encoded = bytes(encode_presignature(made()).view())

    def counted(parties: list[int]) -> bytes:
        rows = b"".join(party.to_bytes(4, "big") for party in parties)
        head = encoded[:8] + len(parties).to_bytes(4, "big")
        return head + rows + encoded[HEAD:]

    assert decode_presignature(SecretBytes(counted([2, 3]))).parties == (2, 3)
    assert decode_presignature(SecretBytes(counted([2, 0xFFFF]))).parties == (2, 0xFFFF)
    assert len(decode_presignature(SecretBytes(counted([*range(1, 65)]))).parties) == 64
    wrong = (counted([2]), counted([*range(1, 66)]), counted([2, 1 << 16]), counted([0, 2]))
    for data in (encoded + b"\x00", encoded[:-1], *wrong):
        with pytest.raises(BadPresignature):
            decode_presignature(SecretBytes(data))


def test_parties_that_use_different_presignatures_or_digests_blame_nobody() -> None:
    one, two = BENCH.presigned((1, 2)), BENCH.presigned((1, 2), seed="other")
    network = Network({1: online(one[1]), 2: online(two[2])}).deliver()
    assert network.verdicts() == dict.fromkeys((1, 2), ("retry", frozenset(), "terms"))
    network = Network({1: online(two[1]), 2: online(one[2], bytes(32))}).deliver()
    assert network.verdicts() == dict.fromkeys((1, 2), ("retry", frozenset(), "terms"))
    assert all(p.used for p in (*one.values(), *two.values()))


def test_a_presignature_that_does_not_fit_freezes_the_key() -> None:
    presigned = BENCH.presigned((1, 2))
    presigned[2] = replace(presigned[2], denominator=SecretBytes(SECP256K1.scalar(1)))
    network = Network({i: online(p) for i, p in presigned.items()}).deliver()
    assert network.verdicts() == dict.fromkeys((1, 2), ("freeze", frozenset(), "group-signature"))
