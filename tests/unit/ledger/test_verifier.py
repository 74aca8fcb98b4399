"""The verifier of exports: every check fires by itself, and names the first line that is wrong."""

import base64
import hashlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from console.adapters.ledger.chain import GENESIS, record_hash
from console.adapters.ledger.verifier import (
    FORMAT,
    FORMAT_WITHOUT_ROOT,
    ExportInvalid,
    main,
    verify_export,
)
from console.tlog.checkpoint import Checkpoint
from console.tlog.note import Note, NoteKey, NoteSignature
from tests.fakes.growing_tree import Growing
from tests.unit.tlog.test_notes import ANA, BEN

Lines = list[dict[str, Any]]
Change = Callable[[Lines], object]


def chained(payloads: tuple[bytes, ...] = (b"{}", b"[]", b"{}"), chain: str = "alice") -> Lines:
    """Give an export with one record for each payload, in two streams, and with right hashes."""
    records: Lines = []
    versions: dict[str, int] = {}
    previous = GENESIS
    for sequence, payload in enumerate(payloads, 1):
        stream = "ab"[sequence % 2]
        versions[stream] = versions.get(stream, 0) + 1
        fields = (sequence, stream, versions[stream], "name.v1", 1000, payload, previous)
        digest = record_hash(chain, *fields)  # type: ignore[arg-type]
        records.append(
            {
                "sequence": sequence,
                "stream": stream,
                "version": versions[stream],
                "name": "name.v1",
                "recorded_at_ms": 1000,
                "payload": base64.b64encode(payload).decode(),
                "previous_hash": previous.hex(),
                "hash": digest.hex(),
            }
        )
        previous = digest
    return signed([{"format": FORMAT, "chain": chain, "records": len(records)}, *records])


def signed(lines: Lines) -> Lines:
    """Give an export the header of its records, signed by Ana's key."""
    header, *records = lines
    root = Growing(bytes.fromhex(record["hash"]) for record in records).frontier.root
    key = NoteKey(origin(header["chain"]), ANA.key.public)
    text = Checkpoint(key.name, header["records"], root).text()
    header |= {
        "head": records[-1]["hash"] if records else GENESIS.hex(),
        "root": root.hex(),
        "checkpoint": Note(text, (key.signed(ANA.sign(text.encode())),)).encoded().decode(),
        "key": ANA.key.public.hex(),
    }
    return lines


def origin(chain: str, key: bytes = ANA.key.public) -> str:
    return f"quorate/{chain}/{hashlib.sha256(key).hexdigest()[:16]}"


def written(path: Path, lines: Lines) -> Path:
    texts = [json.dumps(line, separators=(",", ":"), sort_keys=True) + "\n" for line in lines]
    path.write_text("".join(texts))
    return path


def test_an_export_holds_and_names_its_head(tmp_path: Path) -> None:
    lines = chained()
    verified = verify_export(written(tmp_path / "export", lines))
    assert (verified.chain, verified.records) == ("alice", 3)
    assert verified.head.hex() == lines[-1]["hash"]
    assert verified.root.hex() == lines[0]["root"]
    empty = verify_export(written(tmp_path / "empty", chained(())))
    assert (empty.records, empty.head) == (0, GENESIS)


def test_an_export_of_before_there_was_a_tree_holds(tmp_path: Path) -> None:
    lines = chained()
    root = lines[0].pop("root")
    del lines[0]["key"], lines[0]["checkpoint"]
    with pytest.raises(ExportInvalid, match="line 1 is not the header"):
        verify_export(written(tmp_path / "export", lines))
    lines[0]["format"] = FORMAT_WITHOUT_ROOT
    assert verify_export(written(tmp_path / "export", lines)).root.hex() == root


@pytest.mark.parametrize("count", [0, 1, 2, 3, 4, 7, 8, 100])
def test_the_root_is_that_of_the_tree(tmp_path: Path, count: int) -> None:
    lines = chained((b"{}",) * count)
    verified = verify_export(written(tmp_path / "export", lines))
    assert verified.root.hex() == lines[0]["root"]
    lines[0]["root"] = bytes(32).hex()
    with pytest.raises(ExportInvalid, match="not the root that the header names"):
        verify_export(written(tmp_path / "export", lines))


def test_numbers_at_their_bounds_are_numbers(tmp_path: Path) -> None:
    for at_ms in (0, (1 << 63) - 1):
        lines = chained()
        rehashed(3, recorded_at_ms=at_ms)(lines)
        assert verify_export(written(tmp_path / "export", lines)).records == 3


def changed(line: int, **values: Any) -> Change:
    return lambda lines: lines[line].update(values)


def rehashed(line: int, **values: Any) -> Change:
    """Change a record and give it the hash that then is right; the chain goes on as before."""

    def change(lines: Lines) -> None:
        record = lines[line]
        record.update(values)
        fields = (
            record["sequence"],
            record["stream"],
            record["version"],
            record["name"],
            record["recorded_at_ms"],
            base64.b64decode(record["payload"]),
            bytes.fromhex(record["previous_hash"]),
        )
        record["hash"] = record_hash("alice", *fields).hex()  # type: ignore[arg-type]
        if line == len(lines) - 1:
            signed(lines)

    return change


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (changed(0, format="quorate-ledger-export/3"), "line 1 is not the header"),
        (changed(0, more=1), "line 1 is not the header"),
        (lambda lines: lines[0].pop("head"), "line 1 is not the header"),
        (changed(0, chain=5), "line 1 is not the header"),
        (changed(0, records="3"), "line 1 is not the header"),
        (changed(0, records=True), "line 1 is not the header"),
        (changed(0, head=5), "line 1 is not the header"),
        (changed(0, chain="bob"), "line 2 has a wrong hash"),
        (changed(0, chain="alice\n\x1b[8m"), "as no member is called"),
        (changed(0, chain="\ud800"), "as no member is called"),
        (changed(2, stream="\ud800"), "line 3 is not a record"),
        (changed(0, checkpoint="\ud800"), "not that of the header's member"),
        (changed(0, records=2), "line 4 exceeds the header's number of records"),
        (changed(0, records=4), "line 5 is missing or truncated"),
        (changed(0, head="00" * 32), "not the head that the header names"),
        (changed(2, more=1), "line 3 is not a record"),
        (lambda lines: lines[2].pop("name"), "line 3 is not a record"),
        (changed(2, stream=5), "line 3 is not a record"),
        (changed(2, hash=None), "line 3 is not a record"),
        (changed(2, recorded_at_ms=True), "line 3 is not a record"),
        (changed(2, recorded_at_ms=-1), "line 3 is not a record"),
        (changed(2, recorded_at_ms=1 << 63), "line 3 is not a record"),
        (changed(2, recorded_at_ms=1000.0), "line 3 is not a record"),
        (rehashed(3, sequence=4), "line 4 is out of order"),
        (rehashed(3, version=1), "line 4 is out of order"),
        (rehashed(3, version=3), "line 4 is out of order"),
        (rehashed(3, stream="z"), "line 4 is out of order"),
        (rehashed(3, previous_hash="00" * 32), "line 4 does not follow the one before it"),
        (rehashed(2, payload="e30="), "line 4 does not follow the one before it"),
        (changed(2, payload="*"), "line 3 has a payload that is not base64"),
        (changed(2, payload="e30=\n"), "line 3 has a payload that is not base64"),
        (changed(2, name="other.v1"), "line 3 has a wrong hash"),
        (changed(2, recorded_at_ms=1001), "line 3 has a wrong hash"),
        (changed(2, payload="e30="), "line 3 has a wrong hash"),
        (changed(2, hash="00" * 32), "line 3 has a wrong hash"),
        (lambda lines: lines.pop(2), "line 3 is out of order"),
        (lambda lines: lines.reverse(), "line 1 is not the header"),
    ],
)
def test_every_change_of_an_export_is_found_where_it_is(
    tmp_path: Path, change: Change, words: str
) -> None:
    lines = chained()
    change(lines)
    with pytest.raises(ExportInvalid, match=words):
        verify_export(written(tmp_path / "export", lines))


@pytest.mark.parametrize(
    ("change", "words"),
    [
        (lambda data: data[:-1], "line 4 is missing or truncated"),
        (lambda data: b"", "line 1 is missing or truncated"),
        (lambda data: data + b"\n", "line 5 exceeds the header's number"),
        (
            lambda data: data.replace(b'"name"', b'"name" ', 1),
            "line 2 is not in the canonical encoding",
        ),
        (lambda data: data.replace(b"\n", b"\r\n"), "line 1 is not in the canonical encoding"),
        (lambda data: b"[]\n" + data, "line 1 is not in the canonical encoding"),
        (lambda data: b"{\n" + data, "line 1 is not JSON"),
        (lambda data: b"[" * 200_000 + b"\n", "line 1 is not JSON"),
        (lambda data: b"\xff\n" + data, "line 1 is not JSON"),
        (lambda data: b'{"a":' * 990 + b"1" + b"}" * 990 + b"\n", "line 1 is not"),
    ],
)
def test_an_export_has_one_spelling(
    tmp_path: Path, change: Callable[[bytes], bytes], words: str
) -> None:
    path = written(tmp_path / "export", chained())
    path.write_bytes(change(path.read_bytes()))
    with pytest.raises(ExportInvalid, match=words):
        verify_export(path)


def test_the_command_tells_what_it_found(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    lines = chained()
    path = written(tmp_path / "export", lines)
    assert main([str(path)]) == 0
    key = hashlib.sha256(ANA.key.public).hexdigest()
    told = f"3 records of alice, root {lines[0]['root']}, newest record {lines[-1]['hash']}"
    told += f", signed by the key with SHA-256 {key}"
    assert capsys.readouterr().out == f"VALID: {told}\n"
    path.write_bytes(b"")
    assert main([str(path)]) == 1
    assert "INVALID: line 1" in capsys.readouterr().err
    assert main([str(tmp_path / "nothing")]) == 1
    assert "INVALID" in capsys.readouterr().err
    assert main([]) == main(["one", "two", "three"]) == 2
    assert "usage" in capsys.readouterr().err


def resigned(lines: Lines, der: bytes) -> Lines:
    """Put another signature under the checkpoint."""
    text = lines[0]["checkpoint"].partition("\n\n")[0] + "\n"
    line = NoteSignature(origin("alice"), ANA.key.key_id, der)
    lines[0]["checkpoint"] = Note(text, (line,)).encoded().decode()
    return lines


def integers(*numbers: bytes) -> bytes:
    """Spell a signature's integers, right or wrong, in DER."""
    parts = b"".join(bytes((2, len(number))) + number for number in numbers)
    return bytes((0x30, len(parts))) + parts


@pytest.mark.parametrize("count", range(12))
def test_signatures_are_verified_as_other_libraries_make_them(tmp_path: Path, count: int) -> None:
    """The verifier has its own arithmetic: the standard library has none of curves."""
    lines = chained((b"{}",) * count)
    path = written(tmp_path / "export", lines)
    assert verify_export(path, ANA.key.public.hex()).key == ANA.key.public
    with pytest.raises(ExportInvalid, match="not signed by the key that you gave"):
        verify_export(path, BEN.key.public.hex())
    lines[0]["key"] = BEN.key.public.hex()
    with pytest.raises(ExportInvalid, match="not that of the header's member, size, root and key"):
        verify_export(written(path, lines))


ORDER = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
N = b"\0" + ORDER.to_bytes(32, "big")


@pytest.mark.parametrize(
    "signature",
    [
        b"",
        b"\x30",
        integers(),
        integers(b"\1"),
        integers(b"", b""),
        integers(b"\0", b"\1"),
        integers(b"\1", b"\0"),
        integers(b"\1", b"\1"),
        integers(N, b"\1"),
        integers(b"\1", N),
        integers(b"\xff", b"\1"),
        integers(b"\1", b"\xff"),
        integers(b"\0\1", b"\1"),
        integers(b"\1", b"\1", b"\1"),
        integers(b"\1", b"\1") + b"\0",
        b"\x30\x81\x06" + integers(b"\1", b"\1")[2:],
        b"\x31" + integers(b"\1", b"\1")[1:],
        b"\x30\x06\x02\xff\x01\x02\x01\x01",
        bytes(64),
        b"\x30\x82" + integers(b"\1" * 100, b"\1" * 100)[2:],
        integers(b"\1" * 70, b"\1" * 70),
        b"\xff" * 72,
    ],
)
def test_what_is_no_signature_is_refused(tmp_path: Path, signature: bytes) -> None:
    lines = resigned(chained(), signature)
    with pytest.raises(ExportInvalid, match=r"signature is wrong|not signed by the key that the"):
        verify_export(written(tmp_path / "export", lines))


@pytest.mark.parametrize(
    "key", [b"", bytes(65), b"\4" + b"\xff" * 64, b"\2" + ANA.key.public[1:33], b"\4" * 65]
)
def test_what_is_no_key_has_signed_nothing(tmp_path: Path, key: bytes) -> None:
    lines = chained()
    lines[0]["key"] = key.hex()
    spki = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200") + key
    named = origin("alice", key)
    line = NoteSignature(named, hashlib.sha256(spki).digest()[:4], integers(b"\1", b"\1"))
    text = lines[0]["checkpoint"].partition("\n\n")[0] + "\n"
    text = text.replace(origin("alice"), named)
    lines[0]["checkpoint"] = Note(text, (line,)).encoded().decode()
    with pytest.raises(ExportInvalid, match="signature is wrong"):
        verify_export(written(tmp_path / "export", lines))


def test_a_key_that_is_not_given_takes_any_and_an_empty_one_none(tmp_path: Path) -> None:
    path = written(tmp_path / "export", chained())
    assert verify_export(path).key == ANA.key.public
    with pytest.raises(ExportInvalid, match="not signed by the key that you gave"):
        verify_export(path, "")
    assert main([str(path), ""]) == 1


def test_one_member_s_checkpoint_says_nothing_of_another_s_ledger(tmp_path: Path) -> None:
    """An empty export binds its member by the checkpoint alone."""
    lines = chained(())
    lines[0]["chain"] = "bob"
    with pytest.raises(ExportInvalid, match="not that of the header's member"):
        verify_export(written(tmp_path / "export", lines))


@pytest.mark.parametrize("more", ["\n", "x\n", "\0", "\u2014 bob AAAAAAA=\n", " "])
def test_nothing_else_stands_under_a_checkpoint(tmp_path: Path, more: str) -> None:
    lines = chained()
    lines[0]["checkpoint"] += more
    with pytest.raises(ExportInvalid):
        verify_export(written(tmp_path / "export", lines))
