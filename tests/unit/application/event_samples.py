"""One example of every event, filled by its types; `python -m` prints lines for the golden file."""

import dataclasses
import json
from enum import Enum
from types import UnionType
from typing import Any, NewType, get_args, get_origin, get_type_hints

from console.application.event_codec import encode_event
from console.domain.events import EVENT_TYPES, Event


def sample(kind: type[Event]) -> Event:
    """Build an event whose fields are all set and all different."""
    event = _filled(kind, kind.__name__)
    assert isinstance(event, Event)
    return event


def _filled(kind: Any, name: str) -> object:
    if isinstance(kind, NewType):
        return _filled(kind.__supertype__, name)
    if dataclasses.is_dataclass(kind) and isinstance(kind, type):
        if kind.__name__ == "Quorum":
            return kind(2, ("ana", "ben", "chiara"))
        hints = get_type_hints(kind)
        fields = dataclasses.fields(kind)
        return kind(**{f.name: _filled(hints[f.name], f.name) for f in fields})
    if get_origin(kind) is tuple:
        inner = get_args(kind)
        if inner[1:] == (...,):
            return (_filled(inner[0], f"{name} 1"), _filled(inner[0], f"{name} 2"))
        return tuple(_filled(part, f"{name} {place}") for place, part in enumerate(inner))
    assert not isinstance(kind, UnionType)
    if issubclass(kind, Enum):
        return next(iter(kind))
    if kind is str:
        return f"{name} \u00e9\u2028\u0000"
    if kind is bytes:
        return b"\x00\xff" + name.encode()
    if kind is bool:
        return False
    assert kind is int
    return sum(name.encode()) + (1 << 60)


def golden_line(event: Event) -> str:
    name, data = encode_event(event)
    return json.dumps({"name": name, "stored": data.decode()})


if __name__ == "__main__":
    for event_type in EVENT_TYPES:
        print(golden_line(sample(event_type)))
