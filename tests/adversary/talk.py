"""A small protocol of words and whispers, for tests of the session itself."""

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Annotated, Any

from console.protocols.kernel.evidence import Told
from console.protocols.kernel.party import Party
from console.protocols.kernel.secret import SecretBytes
from console.protocols.kernel.session import Envelope, Session
from console.protocols.kernel.wire import Count, Delivery, Range, Size, encode, message
from tests.adversary.network import SESSION_ID, Run, signed


@message("test.word")
@dataclass(frozen=True, slots=True)
class Word:
    text: Annotated[bytes, Size(0, 16)]


@message("test.second")
@dataclass(frozen=True, slots=True)
class Second:
    number: Annotated[int, Range(0, 9)]


@message("test.whisper", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class Whisper:
    text: Annotated[bytes, Size(0, 16)]


@dataclass(frozen=True, slots=True)
class Inner:
    secret: Annotated[SecretBytes, Size(0, 16)]


@message("test.sealed", Delivery.DIRECT)
@dataclass(frozen=True, slots=True)
class Sealed:
    inner: Annotated[tuple[Inner, ...], Count(0, 2)]


@message("test.shown")
@dataclass(frozen=True, slots=True)
class Shown:
    told: Told


SEALED = Sealed((Inner(SecretBytes(b"sealed")),))


@message("test.other")
@dataclass(frozen=True, slots=True)
class Other:
    number: Annotated[int, Range(0, 9)]


async def talk(party: Party) -> list[bytes]:
    """Two rounds: words to all and whispers to each, then a number."""
    await party.broadcast(Word(b"word %d" % party.me))
    for j in party.others:
        await party.send(j, Whisper(b"to %d" % j))
    words = await party.gather(Word)
    whispers = await party.gather(Whisper)
    await party.broadcast(Second(party.me))
    numbers = await party.gather(Second)
    assert all(numbers[j].number == j and whispers[j].text for j in party.others)
    return [words[j].text for j in sorted(words)]


async def talk_once(party: Party) -> None:
    """One round of words, then a number without waiting for the others'."""
    await party.broadcast(Word(b"word 2"))
    await party.gather(Word)
    await party.broadcast(Second(2))
    await party.gather(Second)


def session(me: int = 1, parties: Iterable[int] = (1, 2, 3), run: Run = talk) -> Session[Any]:
    return Session(session_id=SESSION_ID, me=me, parties=parties, run=run, signed=signed)


def envelope(kind: type = Word, sender: int = 2, round_: int = 1, **changes: Any) -> Envelope:
    value = Word(b"word 2") if kind is Word else Whisper(b"to 1") if kind is Whisper else kind(2)
    names = {Word: "test.word", Whisper: "test.whisper", Second: "test.second", Other: "test.other"}
    fields: dict[str, Any] = {
        "session_id": SESSION_ID,
        "sender": sender,
        "recipient": 1 if kind is Whisper else None,
        "round": round_,
        "kind": names[kind],
        "echo": b"",
        "payload": encode(value),
    }
    return Envelope(**{**fields, **changes})
