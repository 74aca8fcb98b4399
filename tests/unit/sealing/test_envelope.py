"""Envelopes: bound to their share, strict, and small for the vault whatever the share's size."""

from dataclasses import dataclass, field
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.application.errors import HsmError, SealBroken
from console.domain.ids import MemberId
from console.protocols.kernel.secret import SecretBytes
from console.sealing import sealed_record
from console.sealing.envelope import MAX_SEALED_KEY, open_envelope, seal_envelope
from console.sealing.sealed_record import (
    DIRECT,
    ENVELOPE,
    NAMED,
    ShareFiles,
    decode_share_record,
    encode_share_record,
    record_name,
    share_associated_data,
    unwrap_secret,
    wrap_secret,
)
from tests.fakes.vault import FakeSealer
from tests.unit.sealing.test_share_files import LABEL, OLD, stored

ASSOCIATED = b"of one share"


@dataclass
class Counting(FakeSealer):
    """Notes how much the vault is given at once."""

    given: list[int] = field(default_factory=list)

    def __post_init__(self) -> None:
        super().__init__()

    def seal(self, associated: bytes, secret: SecretBytes) -> bytes:
        self.given.append(len(associated) + len(secret))
        return super().seal(associated, secret)

    def open(self, associated: bytes, sealed: bytes) -> SecretBytes:
        self.given.append(len(associated) + len(sealed))
        return super().open(associated, sealed)


def opened(sealer: FakeSealer, associated: bytes, envelope: bytes) -> bytes:
    with open_envelope(sealer, associated, envelope) as share:
        return bytes(share)


@given(st.binary(min_size=1, max_size=300))
def test_an_envelope_opens_to_what_was_sealed(share: bytes) -> None:
    sealer = FakeSealer()
    envelope = seal_envelope(sealer, ASSOCIATED, SecretBytes(share))
    assert opened(sealer, ASSOCIATED, envelope) == share
    assert envelope != seal_envelope(sealer, ASSOCIATED, SecretBytes(share))


def test_the_vault_is_never_given_more_than_a_kilobyte() -> None:
    sealer = Counting()
    share = bytes(200_000)
    envelope = seal_envelope(sealer, b"a" * 4_000, SecretBytes(share))
    assert opened(sealer, b"a" * 4_000, envelope) == share
    assert max(sealer.given) < 1_024


def test_every_byte_is_bound_and_so_is_the_label() -> None:
    sealer = FakeSealer()
    envelope = seal_envelope(sealer, ASSOCIATED, SecretBytes(b"a share"))
    for place in range(len(envelope)):
        altered = bytearray(envelope)
        altered[place] ^= 1
        with pytest.raises(SealBroken):
            open_envelope(sealer, ASSOCIATED, bytes(altered))
    for other in (b"of another share", ASSOCIATED + b"s"):
        with pytest.raises(SealBroken):
            open_envelope(sealer, other, envelope)


def test_parts_of_two_envelopes_do_not_open_together() -> None:
    sealer = FakeSealer()
    one, other = (seal_envelope(sealer, ASSOCIATED, SecretBytes(text)) for text in (b"one", b"two"))
    size = 2 + int.from_bytes(one[:2], "big")
    with pytest.raises(SealBroken):
        open_envelope(sealer, ASSOCIATED, one[:size] + other[size:])


@pytest.mark.parametrize("length", [0, 1, 2, 30, 61, 62, 90])
def test_an_envelope_that_is_cut_off_is_refused(length: int) -> None:
    sealer = FakeSealer()
    envelope = seal_envelope(sealer, ASSOCIATED, SecretBytes(b"a"))
    assert length < len(envelope)
    with pytest.raises(SealBroken):
        open_envelope(sealer, ASSOCIATED, envelope[:length])


def test_a_key_of_an_impossible_size_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    sealer = FakeSealer()
    envelope = seal_envelope(sealer, ASSOCIATED, SecretBytes(b"a"))
    with monkeypatch.context() as changed:
        changed.setattr(sealer, "open", lambda _associated, _sealed: SecretBytes(bytes(16)))
        with pytest.raises(SealBroken, match="size"):
            open_envelope(sealer, ASSOCIATED, envelope)
    monkeypatch.setattr(sealer, "seal", lambda _associated, _secret: bytes(MAX_SEALED_KEY + 1))
    with pytest.raises(SealBroken, match="length"):
        seal_envelope(sealer, ASSOCIATED, SecretBytes(b"a"))


def stored_before(folder: Path, sealer: FakeSealer) -> ShareFiles:
    """Store a share as programs before envelopes did."""
    sealed = sealer.seal(share_associated_data(LABEL, DIRECT), SecretBytes(OLD))
    path = folder / record_name(LABEL)
    path.write_bytes(encode_share_record(LABEL, sealed, DIRECT))
    return ShareFiles(folder)


def version_of(folder: Path) -> int:
    return decode_share_record((folder / record_name(LABEL)).read_bytes()).version


def test_a_share_that_the_vault_itself_sealed_is_read_and_sealed_anew(tmp_path: Path) -> None:
    sealer = FakeSealer()
    files = stored_before(tmp_path, sealer)
    assert files.labels() == (LABEL,)
    assert stored(files, sealer) == OLD
    assert version_of(tmp_path) == ENVELOPE
    assert stored(files, sealer) == OLD
    assert [path.name for path in tmp_path.iterdir()] == [record_name(LABEL)]


def test_a_share_that_cannot_be_sealed_anew_is_read_all_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    sealer = FakeSealer()
    files = stored_before(tmp_path, sealer)

    def full(_path: Path, _data: bytes) -> None:
        raise HsmError("No space left on device")

    with monkeypatch.context() as failing:
        failing.setattr(sealed_record, "replace_file", full)
        assert stored(files, sealer) == OLD
    assert version_of(tmp_path) == DIRECT
    assert stored(files, sealer) == OLD
    assert version_of(tmp_path) == ENVELOPE


def test_a_record_is_not_taken_for_one_of_another_version(tmp_path: Path) -> None:
    sealer = FakeSealer()
    files = stored_before(tmp_path, sealer)
    path = tmp_path / record_name(LABEL)
    path.write_bytes(bytes([ENVELOPE]) + path.read_bytes()[1:])
    with pytest.raises(SealBroken):
        files.unseal(LABEL, sealer)


class Named(FakeSealer):
    """A vault that seals by a method of its own, and opens what GCM with our nonce sealed."""

    method = 4

    def __init__(self, before: FakeSealer) -> None:
        super().__init__()
        self.before = before

    def by(self, method: int) -> FakeSealer:
        return self.before if method == self.before.method else super().by(method)


@pytest.mark.parametrize("version", [DIRECT, ENVELOPE])
def test_a_share_of_another_method_is_read_and_sealed_anew(tmp_path: Path, version: int) -> None:
    before = FakeSealer()
    files = stored_before(tmp_path, before)
    if version == ENVELOPE:
        assert stored(files, before) == OLD
    assert version_of(tmp_path) == version
    now = Named(before)
    assert stored(files, now) == OLD
    record = decode_share_record((tmp_path / record_name(LABEL)).read_bytes())
    assert record.version == NAMED
    assert record.sealed[0] == now.method
    assert stored(files, now) == OLD
    with pytest.raises(SealBroken, match="method"):
        stored(files, before)


def test_a_record_without_the_key_of_its_method_is_broken(tmp_path: Path) -> None:
    files = stored_before(tmp_path, FakeSealer())
    stored_by = Named(FakeSealer())
    with pytest.raises(SealBroken):
        stored(files, stored_by)


def test_a_wrapped_secret_names_its_method_unless_it_is_the_first() -> None:
    first, member = FakeSealer(), MemberId("alice")
    named = Named(first)
    old = wrap_secret(first, member, "ledger", SecretBytes(b"k" * 32))
    new = wrap_secret(named, member, "ledger", SecretBytes(b"k" * 32))
    assert (old[0], new[0], new[1]) == (DIRECT, NAMED, named.method)
    for blob in (old, new):
        assert unwrap_secret(named, member, "ledger", blob) == SecretBytes(b"k" * 32)
    with pytest.raises(SealBroken):
        unwrap_secret(named, member, "ledger", bytes([NAMED]) + old[1:])
    with pytest.raises(SealBroken):
        unwrap_secret(named, member, "ledger", bytes([DIRECT]) + new[1:])
