"""Verifies an exported ledger with the standard library alone: `python verifier.py FILE`.

This file may be copied out of the product; it shares no code with the ledger that it checks.
Record hash: SHA-256 over the domain `quorate/ledger-record/1`, chain, sequence, stream, version,
name, recorded_at_ms, payload, previous_hash; each with its length before it (4 bytes, big endian),
text in UTF-8, numbers as 8 bytes big endian. The first record's previous hash is 32 zero bytes.
Root: that of the Merkle tree of RFC 9162, section 2.1, whose leaves are the records' hashes.
"""

import base64
import hashlib
import json
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO

FORMAT = "quorate-ledger-export/2"
FORMAT_WITHOUT_ROOT = "quorate-ledger-export/1"
MAX_LINE = 8 << 20
_TEXT = ("stream", "name", "payload", "previous_hash", "hash")
_NUMBERS = ("sequence", "version", "recorded_at_ms")


class ExportInvalid(Exception):
    """The export is not valid; the message names the first wrong line."""


@dataclass(frozen=True)
class VerifiedExport:
    """The ledger's member, its newest record's hash, and the root over all records.

    Compare the root with what the member's vault or a peer holds for this number of records.
    """

    chain: str
    records: int
    head: bytes
    root: bytes


def verify_export(path: Path) -> VerifiedExport:
    """Recompute the chain of an export. Raises: ExportInvalid."""
    with path.open("rb") as stream:
        header = _header(_parse(stream, 1))
        chain, records = str(header["chain"]), int(str(header["records"]))
        previous = bytes(32)
        versions: dict[str, int] = {}
        subtrees: list[tuple[int, bytes]] = []
        for sequence in range(1, records + 1):
            previous = _verify_record(
                _parse(stream, sequence + 1), chain, sequence, previous, versions
            )
            _add_leaf(subtrees, previous)
        if stream.read(1):
            raise ExportInvalid(f"line {records + 2} exceeds the header's number of records")
    root = _root(subtrees)
    if previous.hex() != header["head"]:
        raise ExportInvalid("the last record is not the head that the header names")
    if root.hex() != header.get("root", root.hex()):
        raise ExportInvalid("the records have not the root that the header names")
    return VerifiedExport(chain, records, previous, root)


def _header(header: dict[str, object]) -> dict[str, object]:
    fields = {"format", "chain", "records", "head"}
    if header.get("format") == FORMAT:
        fields.add("root")
    known = header.get("format") in {FORMAT, FORMAT_WITHOUT_ROOT}
    if not known or set(header) != fields or type(header["records"]) is not int:
        raise ExportInvalid("line 1 is not the header of a ledger export")
    if not all(isinstance(header[name], str) for name in fields - {"records"}):
        raise ExportInvalid("line 1 is not the header of a ledger export")
    return header


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


def _verify_record(
    record: dict[str, object], chain: str, sequence: int, previous: bytes, versions: dict[str, int]
) -> bytes:
    line = sequence + 1
    if set(record) != {*_TEXT, *_NUMBERS}:
        raise ExportInvalid(f"line {line} is not a record")
    if not all(isinstance(record[key], str) for key in _TEXT):
        raise ExportInvalid(f"line {line} is not a record")
    numbers = [record[key] for key in _NUMBERS]
    if not all(type(number) is int and 0 <= number < 1 << 63 for number in numbers):
        raise ExportInvalid(f"line {line} is not a record")
    stream = str(record["stream"])
    if record["sequence"] != sequence or record["version"] != versions.get(stream, 0) + 1:
        raise ExportInvalid(f"line {line} is out of order")
    versions[stream] = versions.get(stream, 0) + 1
    if record["previous_hash"] != previous.hex():
        raise ExportInvalid(f"line {line} does not follow the one before it")
    try:
        payload = base64.b64decode(str(record["payload"]), validate=True)
    except ValueError:
        raise ExportInvalid(f"line {line} has a payload that is not base64") from None
    digest = hashlib.sha256()
    for part in (
        b"quorate/ledger-record/1",
        chain.encode(),
        _number(record["sequence"]),
        stream.encode(),
        _number(record["version"]),
        str(record["name"]).encode(),
        _number(record["recorded_at_ms"]),
        payload,
        previous,
    ):
        digest.update(len(part).to_bytes(4, "big") + part)
    if digest.hexdigest() != record["hash"]:
        raise ExportInvalid(f"line {line} has a wrong hash")
    return digest.digest()


def _number(value: object) -> bytes:
    if not isinstance(value, int):
        raise ExportInvalid("a number is not a number")
    return value.to_bytes(8, "big")


def _parse(stream: BinaryIO, line: int) -> dict[str, object]:
    text = stream.readline(MAX_LINE)
    if not text.endswith(b"\n"):
        raise ExportInvalid(f"line {line} is missing or truncated")
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        raise ExportInvalid(f"line {line} is not JSON") from None
    # Only one encoding: otherwise two files with one head could read differently.
    if not isinstance(value, dict) or _spelling(value) != text:
        raise ExportInvalid(f"line {line} is not in the canonical encoding")
    return value


def _spelling(value: dict[str, object]) -> bytes:
    return json.dumps(value, separators=(",", ":"), sort_keys=True).encode("ascii") + b"\n"


def main(arguments: list[str]) -> int:
    """Verify the file named on the command line and print the result; return an exit code."""
    if len(arguments) != 1:
        sys.stderr.write("usage: verifier.py FILE\n")
        return 2
    try:
        verified = verify_export(Path(arguments[0]))
    except (ExportInvalid, OSError) as error:
        sys.stderr.write(f"INVALID: {error}\n")
        return 1
    sys.stdout.write(
        f"VALID: {verified.records} records of {verified.chain}, head {verified.head.hex()}, "
        f"root {verified.root.hex()}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
