"""Events as stored bytes: JSON under their stable names, decoded strictly into their types."""

import msgspec

from console.application.errors import LedgerCorrupted, LedgerNewer
from console.domain.events import EVENT_TYPES, Event
from console.version import VERSION

_BY_NAME: dict[str, type[Event]] = {kind.NAME: kind for kind in EVENT_TYPES}
_encoder = msgspec.json.Encoder()
_DECODERS = {name: msgspec.json.Decoder(kind) for name, kind in _BY_NAME.items()}


def encode_event(event: Event) -> tuple[str, bytes]:
    """Return the event's stable name and its JSON bytes (binary fields in base64)."""
    return event.NAME, _encoder.encode(event)


def decode_event(name: str, data: bytes) -> Event:
    """Rebuild an event whose hash was checked.

    Raises: LedgerNewer for a name that only a later version can have written, LedgerCorrupted
    for a wrong shape.
    """
    decoder = _DECODERS.get(name)
    if decoder is None:
        raise LedgerNewer(f"the ledger was written by a later version of Quorate than {VERSION}")
    try:
        return decoder.decode(data)
    except (msgspec.MsgspecError, UnicodeDecodeError, RecursionError):
        raise LedgerCorrupted(f"an event {name} does not have its shape") from None
