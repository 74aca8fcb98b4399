from dataclasses import dataclass
from typing import Annotated

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import console.protocols.frost
import console.protocols.keygen  # noqa: F401  registers the messages under test
from console.protocols.kernel.envelope import Envelope, decode_envelope, encode_envelope
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.wire import (
    Count,
    MalformedMessage,
    Range,
    Size,
    decode,
    decode_kind,
    encode,
    message,
    message_type,
    registered_kinds,
)


@dataclass(frozen=True, slots=True)
class Inner:
    number: Annotated[int, Range(1, 300)]


@message("test.everything")
@dataclass(frozen=True, slots=True)
class Everything:
    exact: Annotated[bytes, Size(2)]
    loose: Annotated[bytes, Size(0, 5)]
    secret: Annotated[SecretBytes, Size(3)]
    items: Annotated[tuple[Inner, ...], Count(1, 3)]
    blobs: Annotated[tuple[Annotated[bytes, Size(1)], ...], Count(0, 2)]


def sample(**changes) -> Everything:
    fields = {
        "exact": b"ab",
        "loose": b"",
        "secret": SecretBytes(b"xyz"),
        "items": (Inner(1), Inner(300)),
        "blobs": (b"q",),
    }
    return Everything(**{**fields, **changes})


ENCODED = encode(sample())


def test_message_round_trips_without_showing_its_secret() -> None:
    decoded = decode(Everything, ENCODED)
    assert decoded == sample()
    assert decode_kind("test.everything", ENCODED) == decoded
    assert "xyz" not in repr(decoded)


@pytest.mark.parametrize(
    "changes",
    [
        {"exact": b"a"},
        {"exact": b"abc"},
        {"exact": bytearray(b"ab")},
        {"exact": SecretBytes(b"ab")},
        {"loose": b"abcdef"},
        {"secret": b"xyz"},
        {"secret": SecretBytes(b"xy")},
        {"items": ()},
        {"items": (Inner(1),) * 4},
        {"items": [Inner(1)]},
        {"items": (Inner(0),)},
        {"items": (Inner(301),)},
        {"items": (Inner(True),)},
        {"items": (b"x",)},
        {"blobs": (b"",)},
    ],
)
def test_message_out_of_bounds_is_not_encoded(changes) -> None:
    with pytest.raises(MalformedMessage):
        encode(sample(**changes))


def test_every_cut_and_every_tail_is_refused() -> None:
    for cut in range(len(ENCODED)):
        with pytest.raises(MalformedMessage):
            decode(Everything, ENCODED[:cut])
    for tail in (b"\x00", b"\x00" * 4, bytes(1000)):
        with pytest.raises(MalformedMessage):
            decode(Everything, ENCODED + tail)


def test_bounds_are_checked_when_decoding() -> None:
    number = ENCODED.index((300).to_bytes(4, "big"))
    count = ENCODED.index((2).to_bytes(4, "big") + (1).to_bytes(4, "big"))
    for at, value in ((number, 301), (number, 0), (0, 3), (0, 2**32 - 1), (count, 2**32 - 1)):
        with pytest.raises(MalformedMessage):
            decode(Everything, ENCODED[:at] + value.to_bytes(4, "big") + ENCODED[at + 4 :])


@given(st.sampled_from(sorted(registered_kinds())), st.binary(max_size=200))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_refused_or_canonical(kind: str, data: bytes) -> None:
    try:
        value = decode_kind(kind, data)
    except MalformedMessage:
        return
    assert encode(value) == data


@given(st.integers(0, len(ENCODED) - 1), st.integers(1, 255))
@settings(max_examples=200, deadline=None)
def test_a_changed_byte_is_refused_or_means_something_else(at: int, flip: int) -> None:
    data = bytearray(ENCODED)
    data[at] ^= flip
    try:
        value = decode(Everything, bytes(data))
    except MalformedMessage:
        return
    assert value != sample()
    assert encode(value) == bytes(data)


def test_message_longer_than_its_kind_is_refused_before_it_is_read() -> None:
    longest = message_type(Everything).maximum
    with pytest.raises(MalformedMessage, match="too long for its kind"):
        decode(Everything, bytes(longest + 1))
    with pytest.raises(MalformedMessage, match="out of bounds"):
        decode(Everything, bytes(longest))


@pytest.mark.parametrize("field", [b"", b"a", b"abc"])
def test_well_framed_field_of_another_size_is_refused(field: bytes) -> None:
    with pytest.raises(MalformedMessage, match="out of bounds"):
        decode(Everything, len(field).to_bytes(4, "big") + field + ENCODED[6:])


@pytest.mark.parametrize("count", [0, 4])
def test_well_framed_list_of_another_length_is_refused(count: int) -> None:
    start = ENCODED.index((2).to_bytes(4, "big") + (1).to_bytes(4, "big"))
    items = count.to_bytes(4, "big") + (7).to_bytes(4, "big") * count
    with pytest.raises(MalformedMessage, match="list"):
        decode(Everything, ENCODED[:start] + items + ENCODED[start + 12 :])


def test_unregistered_and_unbounded_types_are_refused() -> None:
    with pytest.raises(MalformedMessage):
        encode(Inner(1))
    with pytest.raises(MalformedMessage):
        decode_kind("test.nothing", b"")

    @dataclass(frozen=True, slots=True)
    class Unbounded:
        data: bytes

    with pytest.raises(TypeError):
        message("test.unbounded")(Unbounded)
    for kind in ("test.everything", "", "x" * 41, "é"):
        with pytest.raises(TypeError):
            message(kind)(Inner)


def test_name_of_a_kind_may_have_40_characters() -> None:
    name = "test.".ljust(40, "x")

    @message(name)
    @dataclass(frozen=True, slots=True)
    class Long:
        number: Annotated[int, Range(1, 2)]

    assert message_type(Long).kind == name
    assert decode_kind(name, encode(Long(2))) == Long(2)


def test_no_kind_is_larger_than_an_envelope_may_be() -> None:
    assert all(message_type(kind).maximum <= 1 << 20 for kind in registered_kinds())
    assert "echo" not in registered_kinds()


def sample_envelope(**changes) -> Envelope:
    fields = {
        "session_id": b"s" * 32,
        "sender": 2,
        "recipient": None,
        "round": 1,
        "kind": "test.everything",
        "echo": b"",
        "payload": b"payload",
    }
    return Envelope(**{**fields, **changes})


envelopes = st.builds(
    Envelope,
    session_id=st.binary(min_size=32, max_size=32),
    sender=st.integers(1, 65535),
    recipient=st.none() | st.integers(1, 65535),
    round=st.integers(1, 65535),
    kind=st.from_regex(r"[a-z.\-]{1,40}", fullmatch=True),
    echo=st.just(b"") | st.binary(min_size=32, max_size=32),
    payload=st.binary(max_size=64),
)


@given(envelopes)
@settings(max_examples=100, deadline=None)
def test_envelope_round_trips(envelope: Envelope) -> None:
    data = encode_envelope(envelope)
    assert decode_envelope(data) == envelope
    for wrong in (data[:-1], data + b"\x00", b"X" + data[1:]):
        with pytest.raises(MalformedMessage):
            decode_envelope(wrong)


def test_envelope_whose_kind_is_no_text_or_swallows_the_rest_is_refused() -> None:
    data = encode_envelope(
        Envelope(
            session_id=bytes(32),
            sender=1,
            recipient=None,
            round=1,
            kind="test",
            echo=b"",
            payload=b"payload",
        )
    )
    at = 4 + 32 + 12
    for wrong in (data[: at + 1] + b"\xff" + data[at + 2 :], data[:at] + b"\xff" + data[at + 1 :]):
        with pytest.raises(MalformedMessage, match="cut short"):
            decode_envelope(wrong)


@given(st.binary(max_size=300) | st.binary(max_size=200).map(lambda b: b"QEN1" + b))
@settings(max_examples=300, deadline=None)
def test_any_bytes_are_refused_or_one_envelope(data: bytes) -> None:
    try:
        envelope = decode_envelope(data)
    except MalformedMessage:
        return
    assert encode_envelope(envelope) == data


@given(envelopes, st.data())
@settings(max_examples=150, deadline=None)
def test_a_changed_envelope_is_refused_or_differs(envelope: Envelope, data: st.DataObject) -> None:
    encoded = bytearray(encode_envelope(envelope))
    at = data.draw(st.integers(0, len(encoded) - 1))
    encoded[at] ^= data.draw(st.integers(1, 255))
    try:
        changed = decode_envelope(bytes(encoded))
    except MalformedMessage:
        return
    assert changed != envelope
    assert encode_envelope(changed) == bytes(encoded)


@pytest.mark.parametrize(
    "changes",
    [
        {"session_id": bytes(31)},
        {"sender": 0},
        {"sender": 1 << 16},
        {"recipient": 0},
        {"round": 0},
        {"recipient": 1 << 16},
        {"round": 1 << 16},
        {"kind": ""},
        {"kind": "é"},
        {"kind": "k" * 41},
        {"echo": bytes(31)},
    ],
)
def test_envelope_out_of_bounds_does_not_exist(changes) -> None:
    with pytest.raises(MalformedMessage):
        sample_envelope(**changes)


def test_oversize_envelope_is_neither_encoded_nor_decoded() -> None:
    with pytest.raises(MalformedMessage):
        encode_envelope(sample_envelope(payload=bytes((1 << 20) + 1)))
    with pytest.raises(MalformedMessage):
        decode_envelope(b"QEN1" + bytes(2 << 20))


def test_envelope_reaches_to_its_bounds() -> None:
    for changes in (
        {"sender": 0xFFFF, "recipient": 0xFFFF, "round": 0xFFFF},
        {"sender": 1, "recipient": 1, "round": 1},
        {"kind": "k" * 40},
        {"payload": bytes(1 << 20)},
    ):
        envelope = sample_envelope(**changes)
        assert decode_envelope(encode_envelope(envelope)) == envelope


def test_envelope_shows_no_payload() -> None:
    envelope = sample_envelope(recipient=3, payload=b"f_i(j)")
    assert "f_i" not in repr(envelope)
    assert envelope.confidential
    assert b"f_i" not in envelope.header
    assert b"f_i" not in envelope.evidence()
    assert sample_envelope().evidence() == encode_envelope(sample_envelope())
