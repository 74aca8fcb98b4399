import copy
import pickle

import pytest

from console.protocols.dkls23.pairs import (
    BadPairStates,
    PairStates,
    PeerBanned,
    decode_pairs,
    encode_pairs,
)
from console.protocols.kernel.secret import SecretBytes, wipe_all
from tests.unit.protocols.dkls23.dealt import dealt_pairs

RECORD = 5 + 64 + 32 + 3 * 256 * 32


def pairs() -> PairStates:
    return dealt_pairs((1, 2, 5))[2]


def test_encoding_is_a_round_trip_with_bans() -> None:
    one = pairs()
    one.ban([5])
    encoded = encode_pairs(one)
    assert len(encoded) == 44 + 2 * RECORD
    again = decode_pairs(encoded)
    assert (again.me, again.setup_id, again.peers) == (2, one.setup_id, (1, 5))
    assert again.banned == {5}
    assert again.state(1).secrets() == one.state(1).secrets()
    assert again.state(1).gadget_id == one.state(1).gadget_id
    assert encode_pairs(again) == encoded
    assert decode_pairs(encoded.view()).peers == (1, 5)
    assert not any(encoded.view()[44 + RECORD + 5 :])


def test_both_ends_of_a_pair_fit() -> None:
    states = dealt_pairs((1, 2))
    assert states[1].gadget_from(2) == states[2].gadget_to(1)
    assert states[1].gadget_to(2) == states[2].gadget_from(1)
    assert states[1].gadget_to(2) != states[1].gadget_from(2)


def test_a_ban_destroys_the_state_for_good() -> None:
    one = pairs()
    state = one.state(5)
    one.ban([5, 7])
    assert all(secret.wiped for secret in state.secrets())
    one.ban([5])
    assert one.banned == {5}
    for peer in (5, 7):
        with pytest.raises(PeerBanned):
            one.state(peer)
    assert not any(secret.wiped for secret in one.state(1).secrets())
    one.wipe()
    assert one.banned == {1, 5}


def test_only_states_with_owners_of_the_key_are_kept() -> None:
    one = dealt_pairs((1, 2, 5, 6))[2]
    one.ban([6])
    left, kept = one.state(1), one.state(5)
    one.keep((2, 3, 5, 6))
    assert one.peers == (5, 6)
    assert one.banned == {6}
    assert all(secret.wiped for secret in left.secrets())
    assert one.state(5) is kept
    assert not any(secret.wiped for secret in kept.secrets())
    with pytest.raises(PeerBanned):
        one.state(1)
    assert decode_pairs(encode_pairs(one)).peers == (5, 6)


def test_an_unreleased_outcome_is_wiped_by_its_session() -> None:
    one = pairs()
    state = one.state(1)
    wipe_all([one])
    assert all(secret.wiped for secret in state.secrets())


def test_states_are_not_copied_or_shown() -> None:
    one = pairs()
    for duplicate in (copy.copy, copy.deepcopy, pickle.dumps):
        with pytest.raises(BadPairStates):
            duplicate(one)
    assert bytes(one.state(1).zero_seed.view()).hex() not in repr(one)


def put(at: int, value: bytes) -> SecretBytes:
    encoded = encode_pairs(pairs())
    encoded.view()[at : at + len(value)] = value
    return encoded


@pytest.mark.parametrize(
    ("at", "value"),
    [
        (0, b"QDP2"),
        (4, bytes(4)),
        (4, b"\x00\x00\x00\x05"),
        (4, b"\x00\x01\x00\x00"),
        (8, b"\x00\x00\x00\x01"),
        (8, b"\x00\x00\x00\x03"),
        (8, bytes(4)),
        (44, bytes(4)),
        (44, b"\x00\x00\x00\x05"),
        (44, b"\x00\x00\x00\x06"),
        (44 + RECORD, b"\x00\x01\x00\x00"),
        (48, b"\x01"),
        (48, b"\x02"),
    ],
)
def test_other_encodings_are_refused(at: int, value: bytes) -> None:
    with pytest.raises(BadPairStates):
        decode_pairs(put(at, value))


@pytest.mark.parametrize("size", [0, 3, 43, 44, 44 + RECORD, 44 + 2 * RECORD - 1])
def test_encodings_cut_short_are_refused(size: int) -> None:
    with pytest.raises(BadPairStates):
        decode_pairs(encode_pairs(pairs()).view()[:size])


def test_no_more_peers_than_a_key_can_have() -> None:
    encoded = SecretBytes.zeros(44)
    encoded.view()[:12] = b"QDP1\x00\x00\x00\x01" + (1024).to_bytes(4, "big")
    with pytest.raises(BadPairStates):
        decode_pairs(encoded)
