"""No value that holds a secret shows it when it is printed, logged, or part of a traceback."""

import ast
import dataclasses
import importlib
import re
import sys
import types
import typing
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.adapters.network.tls import create_identity
from console.protocols.frost.nonces import Commitment, SigningNonces
from console.protocols.kernel.secret import SecretBytes
from tests.architecture.sources import sources

MARK = bytes(range(0xA0, 0xC0))
SECRET_NAMES = re.compile(
    r"(^|_)(pin|pins|secret|secrets|kek|passphrase|password|private_key|seed)$"
)
PUBLIC = {"tls_pin"}  # a hash of a public key
PROGRAMS = ("console.cli", "console.demo.")


def _classes() -> Iterator[type[Any]]:
    for source in sources(("console", "hsm")):
        if source.name.startswith(PROGRAMS) and source.name != "console.demo.cluster":
            continue
        module = importlib.import_module(source.name)
        for value in vars(module).values():
            if (
                isinstance(value, type)
                and value.__module__ == source.name
                and (_is_dataclass(value) or issubclass(value, msgspec.Struct))
            ):
                yield value


def _is_dataclass(kind: type[Any]) -> bool:
    return dataclasses.is_dataclass(kind)


def _fields(kind: type[Any]) -> dict[str, Any]:
    if not _is_dataclass(kind):
        hints = typing.get_type_hints(kind)
        return {name: hints[name] for name in kind.__struct_fields__}
    return {field.name: _resolved(field.type, kind) for field in dataclasses.fields(kind)}


def _resolved(annotation: object, kind: type[Any]) -> object:
    """Evaluate an annotation that is written as text; one that only a type checker can read
    must not speak of secrets.
    """
    if not isinstance(annotation, str):
        return annotation
    try:
        return eval(annotation, vars(sys.modules[kind.__module__]))  # noqa: S307
    except TypeError:
        assert "Secret" not in annotation
        return object


def _holds_secret(annotation: object) -> bool:
    """Whether a SecretBytes can be a value of this annotation, directly or inside."""
    if annotation is SecretBytes:
        return True
    if isinstance(annotation, type) and annotation in ALL:
        return annotation in HOLDERS
    return any(_holds_secret(part) for part in typing.get_args(annotation))


def _filled(annotation: object) -> object:
    """Return a value of this annotation, with the mark wherever a secret can be."""
    if annotation is SecretBytes:
        return SecretBytes(bytearray(MARK))
    if isinstance(annotation, type) and annotation in HOLDERS:
        return _built(annotation)
    arguments = typing.get_args(annotation)
    origin = typing.get_origin(annotation)
    inner = next((part for part in arguments if _holds_secret(part)), None)
    if inner is None:
        return None
    if origin in {typing.Union, types.UnionType, typing.Annotated}:
        return _filled(inner)
    if isinstance(origin, type) and issubclass(origin, tuple | list):
        return origin([_filled(inner)])
    if (isinstance(origin, type) and issubclass(origin, dict)) or "Mapping" in str(origin):
        return {1: _filled(inner)}
    return _filled(inner)


def _built(kind: type[Any]) -> object:
    """Build an instance past its checks: only its fields matter here."""
    if issubclass(kind, msgspec.Struct):
        values = {n: _filled(a) if _holds_secret(a) else None for n, a in _fields(kind).items()}
        return kind(**values)
    value = object.__new__(kind)
    for name, annotation in _fields(kind).items():
        content = _filled(annotation) if _holds_secret(annotation) else None
        object.__setattr__(value, name, content)
    return value


def _closure() -> set[type[Any]]:
    """Return every class that can hold a secret, however deep."""
    holders: set[type[Any]] = set()
    while True:
        found = {
            kind
            for kind in ALL
            if any(_mentions(annotation, holders) for annotation in _fields(kind).values())
        }
        if found == holders:
            return holders
        holders = found


def _mentions(annotation: object, holders: set[type[Any]]) -> bool:
    if annotation is SecretBytes or (isinstance(annotation, type) and annotation in holders):
        return True
    return any(_mentions(part, holders) for part in typing.get_args(annotation))


ALL = set(_classes())
HOLDERS = _closure()


def _shown(value: object) -> str:
    return f"{value!r} {value!s}"


def test_the_search_finds_the_known_holders() -> None:
    names = {kind.__name__ for kind in HOLDERS}
    assert {"KeyShare", "KeygenResult", "Unlock", "FileKeys"} <= names


@pytest.mark.parametrize("kind", sorted(HOLDERS, key=lambda k: k.__qualname__))
def test_a_holder_of_secrets_does_not_show_them(kind: type[Any]) -> None:
    shown = _shown(_built(kind))
    for form in (MARK.hex(), repr(MARK)[2:20], repr(list(MARK))[1:20], str(int.from_bytes(MARK))):
        assert form not in shown


@pytest.mark.parametrize("kind", sorted(ALL, key=lambda k: f"{k.__module__}.{k.__qualname__}"))
def test_bytes_or_text_named_like_a_secret_are_not_in_the_repr(kind: type[Any]) -> None:
    shown = {f.name for f in dataclasses.fields(kind) if f.repr} if _is_dataclass(kind) else None
    for name, annotation in _fields(kind).items():
        if annotation not in {bytes, bytearray, str, bytes | None, str | None}:
            continue
        if SECRET_NAMES.search(name) and name not in PUBLIC:
            assert shown is not None, f"{kind.__qualname__}.{name} is shown"
            assert name not in shown, f"{kind.__qualname__}.{name} is shown"


def test_only_secrets_say_how_they_are_shown() -> None:
    # A plain class prints its name and address; these print less than they hold, tested below.
    found = {
        source.name
        for source in sources(("console", "hsm"))
        for node in ast.walk(source.tree)
        if isinstance(node, ast.FunctionDef) and node.name in {"__repr__", "__str__", "__format__"}
    }
    assert found == {
        "console.adapters.network.tls",
        "console.client.set_up.messages",
        "console.protocols.frost.nonces",
        "console.protocols.kernel.secret",
        "console.set_up.trial_files",
    }


def test_nonces_and_tls_keys_are_not_shown(tmp_path: Path) -> None:
    hiding, binding = (SecretBytes(bytearray(MARK)) for _ in range(2))
    nonces = SigningNonces(hiding, binding, Commitment(b"D", b"E"))
    identity = create_identity(tmp_path, "peer", "peer")
    for value, secret in ((nonces, MARK), (identity, identity.key_pem[40:90])):
        assert secret.hex() not in _shown(value)
        assert repr(secret)[2:20] not in _shown(value)


def test_a_secret_refuses_to_be_shown_or_copied() -> None:
    secret = SecretBytes(bytearray(MARK))
    assert _shown(secret) == "<SecretBytes 32 bytes> <SecretBytes 32 bytes>"
    assert f"{secret}" == "<SecretBytes 32 bytes>"
