"""Logs: short plain values pass; bytes, objects and exception texts do not."""

import io
import json
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from console.logs import MAX_VALUE, log_to, log_warnings
from console.protocols.kernel.secret import SecretBytes

CANARY = "canary-7f3a91"


@pytest.fixture
def log_file(tmp_path: Path) -> Iterator[Path]:
    before = structlog.get_config()
    path = tmp_path / "node.log"
    file = log_to(path)
    yield path
    file.close()
    structlog.configure(**before)


def lines(path: Path) -> list[dict[str, object]]:
    return [json.loads(line) for line in path.read_text().splitlines()]


def test_secrets_in_any_container_are_dropped(log_file: Path) -> None:
    secret = CANARY.encode()
    structlog.get_logger().info(
        "said",
        raw=secret,
        held=SecretBytes(secret),
        listed=[secret, CANARY],
        mapped={"pin": CANARY},
        view=memoryview(secret),
        whole=object(),
    )
    (line,) = lines(log_file)
    text = log_file.read_text()
    assert CANARY not in text
    assert secret.hex() not in text
    assert line["raw"] == "<bytes>"
    assert line["held"] == "<SecretBytes>"


def test_an_exception_is_not_quoted(log_file: Path) -> None:
    try:
        int(CANARY)
    except ValueError:
        structlog.get_logger().exception("tripped")
    assert CANARY not in log_file.read_text()
    assert lines(log_file)[0]["event"] == "tripped"


def test_a_value_cannot_forge_a_line(log_file: Path) -> None:
    structlog.get_logger().info("said", why='x\n{"event": "forged"}\r\n\u2028', long="y" * 10_000)
    (line,) = lines(log_file)
    assert "\n" not in str(line["why"])
    assert len(str(line["long"])) == MAX_VALUE


def test_numbers_and_short_words_pass(log_file: Path) -> None:
    structlog.get_logger().info("said", count=3, ok=True, part=0.5, nothing=None, peer="ana")
    (line,) = lines(log_file)
    assert [line[key] for key in ("count", "ok", "part", "nothing", "peer")] == [
        3,
        True,
        0.5,
        None,
        "ana",
    ]


def test_debug_is_not_kept(log_file: Path) -> None:
    structlog.get_logger().debug("said", peer="ana")
    assert lines(log_file) == []


def test_warnings_go_to_standard_error_as_it_is_then(monkeypatch: pytest.MonkeyPatch) -> None:
    before = structlog.get_config()
    first, second = io.StringIO(), io.StringIO()
    try:
        monkeypatch.setattr(sys, "stderr", first)
        log_warnings()
        logger = structlog.get_logger()
        logger.warning("one")
        monkeypatch.setattr(sys, "stderr", second)
        first.close()
        logger.warning("two", raw=CANARY.encode())
    finally:
        structlog.configure(**before)
    assert json.loads(second.getvalue()) == {"level": "warning", "event": "two", "raw": "<bytes>"}
