"""The record format: strict, bound to its label, and unable to leave its folder."""

import struct
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.application.errors import SealBroken
from console.application.ports.share_storage import ShareLabel
from console.domain.ids import MemberId, WalletId
from console.domain.values import SignatureKind
from console.sealing.sealed_record import (
    DIRECT,
    ENVELOPE,
    decode_share_record,
    encode_share_record,
    record_name,
    share_associated_data,
    wrap_associated_data,
)
from console.sealing.sealer import length_prefixed

LABEL = ShareLabel(WalletId("wl-1"), MemberId("alice"), SignatureKind.EDDSA_ED25519, 1)
SEALED = bytes(range(12 + 32 + 16))
LABELS = st.builds(
    ShareLabel,
    st.text(max_size=40).map(WalletId),
    st.text(max_size=40).map(MemberId),
    st.sampled_from(SignatureKind),
    st.integers(0, (1 << 63) - 1),
)


@given(LABELS, st.binary(min_size=29, max_size=200), st.sampled_from((DIRECT, ENVELOPE)))
def test_a_record_comes_back(label: ShareLabel, sealed: bytes, version: int) -> None:
    record = encode_share_record(label, sealed, version)
    assert decode_share_record(record) == (version, label, sealed)


@given(LABELS, LABELS)
def test_two_labels_never_share_name_or_binding(one: ShareLabel, other: ShareLabel) -> None:
    assert (one == other) == (share_associated_data(one) == share_associated_data(other))
    assert (one == other) == (record_name(one) == record_name(other))


@given(LABELS)
def test_a_name_stays_in_its_folder(label: ShareLabel) -> None:
    assert record_name(label).removesuffix(".share").isalnum()


@given(st.binary(max_size=300))
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(SealBroken):
        decode_share_record(b"\x02\x00\x10" + data)


@given(st.lists(st.binary(max_size=8)), st.lists(st.binary(max_size=8)))
def test_lists_are_joined_without_collision(one: list[bytes], other: list[bytes]) -> None:
    assert (one == other) == (length_prefixed(*one) == length_prefixed(*other))


@pytest.mark.parametrize("version", [0, 4, 255])
def test_another_version_is_refused(version: int) -> None:
    record = bytes([version]) + encode_share_record(LABEL, SEALED)[1:]
    with pytest.raises(SealBroken, match="version"):
        decode_share_record(record)


def test_a_header_longer_than_the_record_is_refused() -> None:
    record = bytearray(encode_share_record(LABEL, SEALED))
    for size in (0, 5, len(record), 513, 65535):
        struct.pack_into(">H", record, 1, size)
        with pytest.raises(SealBroken):
            decode_share_record(bytes(record))


def test_an_oversized_record_is_refused() -> None:
    with pytest.raises(SealBroken, match="size"):
        decode_share_record(encode_share_record(LABEL, bytes((1 << 20) + 1700)))


@pytest.mark.parametrize("epoch", [-1, 1 << 63])
def test_an_epoch_out_of_range_is_refused(epoch: int) -> None:
    with pytest.raises(ValueError, match="epoch"):
        share_associated_data(replace(LABEL, epoch=epoch))


def test_a_label_that_is_too_long_is_refused() -> None:
    with pytest.raises(ValueError, match="long"):
        share_associated_data(replace(LABEL, wallet=WalletId("w" * 600)))


def test_wrapped_secrets_are_bound_to_member_and_purpose() -> None:
    bound = {
        wrap_associated_data(MemberId(member), purpose)
        for member, purpose in [("a", "b"), ("ab", "c"), ("a", "bc"), ("b", "a")]
    }
    assert len(bound) == 4
    for purpose in ("", "p" * 65):
        with pytest.raises(ValueError, match="purpose"):
            wrap_associated_data(MemberId("a"), purpose)
