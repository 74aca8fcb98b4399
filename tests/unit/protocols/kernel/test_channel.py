import secrets

import pytest

from console.protocols.kernel.channel import ChannelKeys, ChannelRefused, PairwiseChannels
from tests.adversary.network import stream

SID = b"s" * 32
KEYS = {i: ChannelKeys.generate(stream(f"channel/{i}")) for i in (1, 2, 3)}
PUBLIC = {i: keys.public for i, keys in KEYS.items()}


def channels(i: int, session_id: bytes = SID) -> PairwiseChannels:
    return PairwiseChannels(i, KEYS[i], PUBLIC, session_id)


def test_sealed_payload_opens_at_its_recipient() -> None:
    one, two = channels(1), channels(2)
    for text in (b"", b"share", b"x" * 1000):
        sealed = one.seal(2, text, b"header")
        assert len(sealed) == len(text) + 24
        assert text == b"" or text not in sealed
        assert two.open(1, sealed, b"header") == text


def test_payloads_may_arrive_out_of_order_but_once() -> None:
    one, two = channels(1), channels(2)
    sealed = [one.seal(2, b"%d" % k, b"") for k in range(3)]
    assert len(set(sealed)) == 3
    assert [two.open(1, s, b"") for s in reversed(sealed)] == [b"2", b"1", b"0"]
    with pytest.raises(ChannelRefused, match="again"):
        two.open(1, sealed[1], b"")


def test_payload_for_somebody_else_does_not_open() -> None:
    one = channels(1)
    sealed = one.seal(2, b"share", b"h")
    wrong = [
        lambda: channels(3).open(1, sealed, b"h"),
        lambda: channels(2).open(3, sealed, b"h"),
        lambda: one.open(2, sealed, b"h"),
        lambda: channels(2).open(1, sealed, b"other"),
        lambda: channels(2, b"t" * 32).open(1, sealed, b"h"),
        lambda: channels(2).open(9, sealed, b"h"),
        lambda: channels(2).open(1, sealed[:20], b"h"),
        lambda: channels(2).open(1, b"", b"h"),
        lambda: channels(2).open(1, b"\xff" * 8 + sealed[8:], b"h"),
    ]
    for attempt in wrong:
        with pytest.raises(ChannelRefused):
            attempt()


@pytest.mark.parametrize("at", [0, 7, 8, 20, -1])
def test_changed_payload_is_refused_and_the_right_one_still_opens(at: int) -> None:
    sealed = bytearray(channels(1).seal(2, b"share", b"h"))
    good = bytes(sealed)
    sealed[at] ^= 1
    two = channels(2)
    with pytest.raises(ChannelRefused):
        two.open(1, bytes(sealed), b"h")
    assert two.open(1, good, b"h") == b"share"


@pytest.mark.parametrize(
    "public",
    [
        bytes(32),
        b"\x01" + bytes(31),
        bytes.fromhex("ecffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff7f"),
        bytes.fromhex("e0eb7a7c3b41b8ae1656e3faf19fc46ada098deb9c32b1fd866205165f49b800"),
        b"short",
        PUBLIC[1],
    ],
)
def test_unacceptable_peer_key_is_refused(public: bytes) -> None:
    with pytest.raises(ChannelRefused):
        PairwiseChannels(1, KEYS[1], {2: public}, SID)


def test_used_up_channel_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("console.protocols.kernel.channel.MAX_MESSAGES", 1)
    one = channels(1)
    one.seal(2, b"", b"")
    with pytest.raises(ChannelRefused, match="used up"):
        one.seal(2, b"", b"")


def test_keys_are_fresh_and_not_shown() -> None:
    a, b = ChannelKeys.generate(secrets.token_bytes), ChannelKeys.generate(secrets.token_bytes)
    assert a.public != b.public
    assert "private" not in repr(a)
    with pytest.raises(ValueError, match="32 bytes"):
        PairwiseChannels(1, a, {}, b"short")
