"""Verifies an exported ledger, or single records of one, with the standard library alone.

    python3 -I verifier.py FILE [KEY]

This file may be copied out of the product; it shares no code with the ledger that it checks.
Record hash: SHA-256 over the domain `quorate/ledger-record/1`, chain, sequence, stream, version,
name, recorded_at_ms, payload, previous_hash; each with its length before it (4 bytes, big endian),
text in UTF-8, numbers as 8 bytes big endian. The first record's previous hash is 32 zero bytes.
Root: that of the Merkle tree of RFC 9162, section 2.1, whose leaves are the records' hashes; a
record's proof is that of section 2.1.3. Checkpoint: C2SP tlog-checkpoint, signed with ECDSA on
P-256 by the member's key. KEY is that key, or its SHA-256, in hexadecimal, as another member knows
it: without it the signature says only that whoever wrote the file had the key it names.
"""

import base64
import hashlib
import json
import re
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

FORMAT = "quorate-ledger-export/2"
FORMAT_WITHOUT_ROOT = "quorate-ledger-export/1"
FORMAT_OF_PROOFS = "quorate-ledger-proof/1"
MAX_LINE = 8 << 20
MAX_PROOF = 64
MAX_SIGNATURE = 72
_SIGNED = {"root", "checkpoint", "key"}
_HEADERS = {
    FORMAT: {"format", "chain", "records", "head", *_SIGNED},
    FORMAT_WITHOUT_ROOT: {"format", "chain", "records", "head"},
    FORMAT_OF_PROOFS: {"format", "chain", "records", "proven", *_SIGNED},
}
_MEMBER = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,30}[a-z0-9])?")
_TEXT = ("stream", "name", "payload", "previous_hash", "hash")
_NUMBERS = ("sequence", "version", "recorded_at_ms")
_P = 2**256 - 2**224 + 2**192 + 2**96 - 1
_N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
_B = 0x5AC635D8AA3A93E7B3EBBD55769886BC651D06B0CC53B0F63BCE3C3E27D2604B
_G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
_SPKI = bytes.fromhex("3059301306072a8648ce3d020106082a8648ce3d030107034200")
_Point = tuple[int, int] | None


class ExportInvalid(Exception):
    """The export is not valid; the message names the first wrong line."""


@dataclass(frozen=True)
class VerifiedExport:
    """What was verified: `proven` of the ledger's `records`, and the root over all of them.

    Compare the root with what the member's vault or a peer holds for this number of records.
    `head` is the newest record's hash, empty if not all records are there; `key` signed the
    checkpoint (65 bytes), empty if nobody did.
    """

    chain: str
    records: int
    proven: int
    head: bytes
    root: bytes
    key: bytes


def verify_export(path: Path, key: str | None = None) -> VerifiedExport:
    """Recompute the tree of an export, or the way from each record to its root.

    `key` is the key that has to have signed it, or its SHA-256, in hexadecimal; None takes any.
    Raises: ExportInvalid.
    """
    with path.open("rb") as stream:
        header = _header(_parse(stream, 1))
        if header["format"] == FORMAT_OF_PROOFS:
            verified = _verify_proofs(stream, header)
        else:
            verified = _verify_all(stream, header)
    known = {verified.key.hex(), hashlib.sha256(verified.key).hexdigest()} if verified.key else {}
    if key is not None and key.lower() not in known:
        raise ExportInvalid("the ledger was not signed by the key that you gave")
    return verified


def _verify_all(stream: BinaryIO, header: dict[str, object]) -> VerifiedExport:
    chain, records = str(header["chain"]), int(str(header["records"]))
    previous = bytes(32)
    versions: dict[str, int] = {}
    subtrees: list[tuple[int, bytes]] = []
    for sequence in range(1, records + 1):
        record = _parse(stream, sequence + 1)
        digest = _verify_record(record, chain, sequence + 1)
        _require_place(record, sequence, previous, versions)
        previous = digest
        _add_leaf(subtrees, previous)
    _require_end(stream, records + 2)
    root = _root(subtrees)
    if previous.hex() != header["head"]:
        raise ExportInvalid("the last record is not the head that the header names")
    if header["format"] == FORMAT_WITHOUT_ROOT:
        return VerifiedExport(chain, records, records, previous, root, b"")
    if root.hex() != header["root"]:
        raise ExportInvalid("the records have not the root that the header names")
    return VerifiedExport(chain, records, records, previous, root, _verify_checkpoint(header))


def _verify_proofs(stream: BinaryIO, header: dict[str, object]) -> VerifiedExport:
    chain, size = str(header["chain"]), int(str(header["records"]))
    root, proven, last = _hash(header["root"], 1), int(str(header["proven"])), 0
    for line in range(2, proven + 2):
        record = _parse(stream, line)
        proof = record.pop("proof", None)
        digest = _verify_record(record, chain, line)
        sequence = int(str(record["sequence"]))
        if not last < sequence <= size:
            raise ExportInvalid(f"line {line} is out of order")
        last = sequence
        if not isinstance(proof, list) or len(proof) > MAX_PROOF:
            raise ExportInvalid(f"line {line} has no proof")
        nodes = [_hash(node, line) for node in proof]
        if _root_from(digest, sequence - 1, size, nodes) != root:
            raise ExportInvalid(f"line {line} is not in the tree with the header's root")
    _require_end(stream, proven + 2)
    return VerifiedExport(chain, size, proven, b"", root, _verify_checkpoint(header))


def _require_end(stream: BinaryIO, line: int) -> None:
    if stream.read(1):
        raise ExportInvalid(f"line {line} exceeds the header's number of records")


def _header(header: dict[str, object]) -> dict[str, object]:
    fields = _HEADERS.get(str(header.get("format")))
    if fields is None or set(header) != fields:
        raise ExportInvalid("line 1 is not the header of a ledger export")
    numbers = fields & {"records", "proven"}
    if not all(type(header[name]) is int and _is_size(header[name]) for name in numbers):
        raise ExportInvalid("line 1 is not the header of a ledger export")
    if not all(isinstance(header[name], str) for name in fields - numbers):
        raise ExportInvalid("line 1 is not the header of a ledger export")
    if not _MEMBER.fullmatch(str(header["chain"])):
        raise ExportInvalid("line 1 names a member as no member is called")
    return header


def _is_size(value: object) -> bool:
    return isinstance(value, int) and 0 <= value < 1 << 62


def _hash(value: object, line: int) -> bytes:
    try:
        found = bytes.fromhex(str(value))
    except ValueError:
        found = b""
    if len(found) != 32 or found.hex() != value:
        raise ExportInvalid(f"line {line} has a hash that is none")
    return found


def _verify_checkpoint(header: dict[str, object]) -> bytes:
    """Check that the key signed a checkpoint of this member, size and root; return the key."""
    try:
        key = bytes.fromhex(str(header["key"]))
    except ValueError:
        key = b""
    if key.hex() != header["key"]:
        raise ExportInvalid("the header names a key that is none")
    origin = f"quorate/{header['chain']}/{hashlib.sha256(key).hexdigest()[:16]}"
    root = base64.b64encode(_hash(header["root"], 1)).decode()
    text = f"{origin}\n{header['records']}\n{root}\n"
    start, end = f"{text}\n\u2014 {origin} ", "\n"
    note = str(header["checkpoint"])
    if not note.startswith(start) or not note.endswith(end):
        raise ExportInvalid("the checkpoint is not that of the header's member, size, root and key")
    signed = _decoded(note[len(start) : -len(end)]) or b""
    if signed[:4] != hashlib.sha256(_SPKI + key).digest()[:4]:
        raise ExportInvalid("the checkpoint is not signed by the key that the header names")
    if not _is_signed(key, text.encode(), signed[4:]):
        raise ExportInvalid("the checkpoint's signature is wrong")
    return key


def _is_text(value: object) -> bool:
    """Return whether it is text that UTF-8 can carry."""
    return isinstance(value, str) and not any("\ud800" <= c <= "\udfff" for c in value)


def _decoded(text: str) -> bytes | None:
    """Return what base64 spells; None if it is not spelt in the one way that is valid."""
    try:
        data = base64.b64decode(text, validate=True)
    except ValueError:
        return None
    return data if base64.b64encode(data).decode("ascii") == text else None


def _is_signed(key: bytes, message: bytes, signature: bytes) -> bool:
    """Verify ECDSA on P-256 with SHA-256; the signature is in DER. SEC 1, section 4.1.4."""
    x, y = int.from_bytes(key[1:33], "big"), int.from_bytes(key[33:], "big")
    if len(key) != 65 or key[0] != 4 or max(x, y) >= _P or (y * y - x**3 + 3 * x - _B) % _P:
        return False
    numbers = _integers(signature)
    if numbers is None or not all(0 < number < _N for number in numbers):
        return False
    r, s = numbers
    digest = int.from_bytes(hashlib.sha256(message).digest(), "big")
    inverse = pow(s, -1, _N)
    point = _add(_times(digest * inverse % _N, _G), _times(r * inverse % _N, (x, y)))
    return point is not None and point[0] % _N == r


def _integers(der: bytes) -> tuple[int, int] | None:
    """Return the two integers of a signature in DER; None if it is not spelt so."""
    if not 6 <= len(der) <= MAX_SIGNATURE or der[3] == 0 or len(der) < 6 + der[3]:
        return None
    r = int.from_bytes(der[4 : 4 + der[3]], "big", signed=True)
    s = int.from_bytes(der[6 + der[3] :], "big", signed=True)
    parts = b"".join(_integer(number) for number in (r, s) if number > 0)
    return (r, s) if der == bytes((0x30, len(parts))) + parts else None


def _integer(number: int) -> bytes:
    data = number.to_bytes(number.bit_length() // 8 + 1, "big")
    return bytes((2, len(data))) + data


def _times(scalar: int, point: _Point) -> _Point:
    total: _Point = None
    for bit in f"{scalar:b}":
        total = _add(total, total)
        if bit == "1":
            total = _add(total, point)
    return total


def _add(left: _Point, right: _Point) -> _Point:
    if left is None or right is None:
        return left or right
    (x1, y1), (x2, y2) = left, right
    if x1 == x2 and (y1 + y2) % _P == 0:
        return None
    if left == right:
        slope = (3 * x1 * x1 - 3) * pow(2 * y1, -1, _P)
    else:
        slope = (y2 - y1) * pow(x2 - x1, -1, _P)
    x = (slope * slope - x1 - x2) % _P
    return x, (slope * (x1 - x) - y1) % _P


def _add_leaf(subtrees: list[tuple[int, bytes]], data: bytes) -> None:
    """Add a leaf to a row of whole subtrees, each with its size."""
    size, root = 1, hashlib.sha256(b"\0" + data).digest()
    while subtrees and subtrees[-1][0] == size:
        root = hashlib.sha256(b"\1" + subtrees.pop()[1] + root).digest()
        size *= 2
    subtrees.append((size, root))


def _root(subtrees: list[tuple[int, bytes]]) -> bytes:
    if not subtrees:
        return hashlib.sha256().digest()
    root = subtrees[-1][1]
    for _, left in reversed(subtrees[:-1]):
        root = hashlib.sha256(b"\1" + left + root).digest()
    return root


def _root_from(data: bytes, index: int, size: int, proof: list[bytes]) -> bytes | None:
    """Return the root that a proof leads to; None if it is not one for this leaf and size."""
    root, last = hashlib.sha256(b"\0" + data).digest(), size - 1
    for node in proof:
        if last == 0:
            return None
        if index & 1 or index == last:
            root = hashlib.sha256(b"\1" + node + root).digest()
            while not index & 1 and index:
                index, last = index >> 1, last >> 1
        else:
            root = hashlib.sha256(b"\1" + root + node).digest()
        index, last = index >> 1, last >> 1
    return None if last else root


def _verify_record(record: dict[str, object], chain: str, line: int) -> bytes:
    """Return a record's hash, which is the one that it names."""
    if set(record) != {*_TEXT, *_NUMBERS}:
        raise ExportInvalid(f"line {line} is not a record")
    if not all(_is_text(record[key]) for key in _TEXT):
        raise ExportInvalid(f"line {line} is not a record")
    numbers = [record[key] for key in _NUMBERS]
    if not all(type(number) is int and 0 <= number < 1 << 63 for number in numbers):
        raise ExportInvalid(f"line {line} is not a record")
    payload = _decoded(str(record["payload"]))
    if payload is None:
        raise ExportInvalid(f"line {line} has a payload that is not base64")
    digest = hashlib.sha256()
    for part in (
        b"quorate/ledger-record/1",
        chain.encode(),
        _number(record["sequence"]),
        str(record["stream"]).encode(),
        _number(record["version"]),
        str(record["name"]).encode(),
        _number(record["recorded_at_ms"]),
        payload,
        _hash(record["previous_hash"], line),
    ):
        digest.update(len(part).to_bytes(4, "big") + part)
    if digest.hexdigest() != record["hash"]:
        raise ExportInvalid(f"line {line} has a wrong hash")
    return digest.digest()


def _require_place(
    record: dict[str, object], sequence: int, previous: bytes, versions: dict[str, int]
) -> None:
    """Check that a record follows the one before it, in the ledger and in its stream."""
    stream = str(record["stream"])
    if record["sequence"] != sequence or record["version"] != versions.get(stream, 0) + 1:
        raise ExportInvalid(f"line {sequence + 1} is out of order")
    versions[stream] = versions.get(stream, 0) + 1
    if record["previous_hash"] != previous.hex():
        raise ExportInvalid(f"line {sequence + 1} does not follow the one before it")


def _number(value: object) -> bytes:
    if not isinstance(value, int):
        raise ExportInvalid("a number is not a number")
    return value.to_bytes(8, "big")


def _parse(stream: BinaryIO, line: int) -> dict[str, object]:
    text = stream.readline(MAX_LINE)
    if not text.endswith(b"\n"):
        raise ExportInvalid(f"line {line} is missing or truncated")
    try:
        value: object = json.loads(text)
        # Only one encoding: otherwise two files with one head could read differently.
        one = _spelling(value) == text
    except (ValueError, RecursionError):
        raise ExportInvalid(f"line {line} is not JSON") from None
    if not isinstance(value, dict) or not one:
        raise ExportInvalid(f"line {line} is not in the canonical encoding")
    return value


def _spelling(value: object) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode("ascii") + b"\n"


def main(arguments: list[str]) -> int:
    """Verify the file named on the command line and print the result; return an exit code."""
    if len(arguments) not in {1, 2}:
        sys.stderr.write("usage: verifier.py FILE [KEY]\n")
        return 2
    try:
        verified = verify_export(Path(arguments[0]), *arguments[1:])
    except (ExportInvalid, OSError) as error:
        sys.stderr.write(f"INVALID: {error}\n")
        return 1
    sys.stdout.write(f"VALID: {told(verified)}\n")
    return 0


def told(verified: VerifiedExport) -> str:
    """Return what was verified, in words."""
    said = f"{verified.records} records of {verified.chain}, root {verified.root.hex()}"
    if verified.head:
        said += f", newest record {verified.head.hex()}"
    else:
        said = f"{verified.proven} of {said}"
    if not verified.key:
        return f"{said}, signed by nobody"
    return f"{said}, signed by the key with SHA-256 {hashlib.sha256(verified.key).hexdigest()}"


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
