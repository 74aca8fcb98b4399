"""Notes and checkpoints: their one spelling, who signed, and what is no note."""

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.utils import decode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from hypothesis import given
from hypothesis import strategies as st

from console.tlog.checkpoint import Checkpoint, parse_checkpoint
from console.tlog.note import (
    MAX_NOTE,
    MAX_SIGNATURES,
    Note,
    NoteInvalid,
    NoteKey,
    cosigned_message,
    parse_note,
    require_signed,
    witnesses,
)

ROOT = bytes(range(32))
TEXT = Checkpoint("quorate/ana", 20852163, ROOT).text()
AT_S = 1679315147


class Signer:
    """A key, and what it signs as a member's token does."""

    def __init__(self, name: str, secret: int) -> None:
        self._key = ec.derive_private_key(secret, ec.SECP256R1())
        public = self._key.public_key()
        self.key = NoteKey(name, public.public_bytes(Encoding.X962, PublicFormat.UncompressedPoint))

    @property
    def spki(self) -> bytes:
        return self._key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)

    def sign(self, message: bytes) -> bytes:
        r, s = decode_dss_signature(self._key.sign(message, ec.ECDSA(SHA256())))
        return r.to_bytes(32, "big") + s.to_bytes(32, "big")


ANA, BEN = Signer("quorate/ana", 7), Signer("quorate/ben", 8)


def checkpoint_note() -> Note:
    line = ANA.key.signed(ANA.sign(TEXT.encode()))
    witness = BEN.key.cosigned(AT_S, BEN.sign(cosigned_message(TEXT, AT_S)))
    return Note(TEXT, (line, witness))


def test_a_checkpoint_has_the_form_of_the_specification() -> None:
    assert TEXT == "quorate/ana\n20852163\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n"
    assert parse_checkpoint(TEXT) == Checkpoint("quorate/ana", 20852163, ROOT)


def test_a_note_is_read_as_it_was_written() -> None:
    note = checkpoint_note()
    data = note.encoded()
    assert parse_note(data) == note
    lines = data.decode().split("\n")
    assert lines[3] == ""
    assert lines[4].startswith("\u2014 quorate/ana ")
    assert cosigned_message(TEXT, AT_S) == f"quorate/cosignature/v1\ntime {AT_S}\n{TEXT}".encode()


def test_who_signed_and_who_cosigned() -> None:
    note = parse_note(checkpoint_note().encoded())
    require_signed(note, ANA.key)
    assert witnesses(note, [BEN.key]) == {"quorate/ben": AT_S}
    with pytest.raises(NoteInvalid, match="quorate/ben did not sign"):
        require_signed(note, BEN.key)
    assert witnesses(note, [ANA.key]) == {}


def test_a_key_of_the_same_name_is_another_key() -> None:
    impostor = Signer("quorate/ana", 9)
    with pytest.raises(NoteInvalid, match="did not sign"):
        require_signed(checkpoint_note(), impostor.key)


@pytest.mark.parametrize("line", [0, 1])
def test_a_wrong_signature_of_a_known_key_is_refused(line: int) -> None:
    note = checkpoint_note()
    signatures = list(note.signatures)
    bad = bytearray(signatures[line].signature)
    bad[-1] ^= 1
    signatures[line] = signatures[line]._replace(signature=bytes(bad))
    forged = Note(TEXT, tuple(signatures))
    with pytest.raises(NoteInvalid, match="is wrong"):
        (require_signed(forged, ANA.key), witnesses(forged, [BEN.key]))


def test_a_cosignature_at_another_time_is_refused() -> None:
    line = BEN.key.cosigned(AT_S + 1, BEN.sign(cosigned_message(TEXT, AT_S)))
    with pytest.raises(NoteInvalid, match="is wrong"):
        witnesses(Note(TEXT, (line,)), [BEN.key])


def test_a_signature_is_no_cosignature_and_the_other_way_round() -> None:
    own = ANA.key.signed(ANA.sign(TEXT.encode()))
    turned = own._replace(key_id=ANA.key.witness_id, signature=bytes(8) + own.signature)
    with pytest.raises(NoteInvalid, match="is wrong"):
        witnesses(Note(TEXT, (turned,)), [ANA.key])
    seen = ANA.key.cosigned(AT_S, ANA.sign(cosigned_message(TEXT, AT_S)))
    with pytest.raises(NoteInvalid, match="is wrong"):
        require_signed(Note(TEXT, (seen._replace(key_id=ANA.key.key_id),)), ANA.key)


def test_a_cosignature_without_a_time_is_refused() -> None:
    short = BEN.key.cosigned(AT_S, BEN.sign(b"x"))._replace(signature=bytes(8))
    with pytest.raises(NoteInvalid, match="wrong form"):
        witnesses(Note(TEXT, (short,)), [BEN.key])


GOOD = checkpoint_note().encoded()


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"text\n",
        b"text\n\n",
        TEXT.encode(),
        GOOD[:-1],
        GOOD + b"\n",
        GOOD.replace(b"\n\n", b"\n"),
        GOOD.replace("\u2014".encode(), b"-"),
        GOOD.replace(b" quorate/ben ", b" quorate/ben"),
        GOOD.replace(b" quorate/ben ", b" quo+rate "),
        GOOD.replace(b" quorate/ben ", "\u2003ben ".encode()),
        GOOD.replace(b"quorate/ana\n", b"quorate\tana\n"),
        GOOD.replace(b"quorate/ana\n", b"quorate/\xff\n"),
        GOOD[:-2] + b"!\n",
        b"text\n\n\xe2\x80\x94 ana AAAA\n",
        b"text\n\n\xe2\x80\x94 ana AAAAAAB=\n",
        b"t" * MAX_NOTE + GOOD,
        b"text\n\n" + b"\xe2\x80\x94 ana AAAAAAA=\n" * (MAX_SIGNATURES + 1),
    ],
)
def test_what_is_no_note_is_refused(data: bytes) -> None:
    with pytest.raises(NoteInvalid):
        parse_note(data)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "ana\n5\n",
        "\n5\nAAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n",
        TEXT[:-1],
        TEXT + "more\n",
        TEXT.replace("20852163", "020852163"),
        TEXT.replace("20852163", "-1"),
        TEXT.replace("20852163", ""),
        TEXT.replace("20852163", "\u0663"),
        TEXT.replace("20852163", "9" * 5000),
        TEXT.replace("20852163", str((1 << 62) + 1)),
        TEXT.replace("Hh8=", "Hh9="),
        TEXT.replace("Hh8=", "Hh8"),
        TEXT.replace("AAEC", "AA-C"),
        "ana\n5\nAAEC\n",
    ],
)
def test_what_is_no_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(NoteInvalid):
        parse_checkpoint(text)


@given(st.binary(max_size=200))
def test_whatever_is_sent_is_a_note_or_refused(data: bytes) -> None:
    try:
        note = parse_note(data)
    except NoteInvalid:
        return
    assert note.encoded() == data


def test_keys_and_times_that_are_none() -> None:
    with pytest.raises(NoteInvalid, match="no point"):
        _ = NoteKey("ana", bytes(65)).key_id
    with pytest.raises(NoteInvalid, match="no blanks"):
        NoteKey("a na", ANA.key.public).signed(bytes(64))
    with pytest.raises(ValueError, match="64 bytes"):
        ANA.key.signed(bytes(63))
    with pytest.raises(ValueError, match="seconds since 1970"):
        cosigned_message(TEXT, -1)
