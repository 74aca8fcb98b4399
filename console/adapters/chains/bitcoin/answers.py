"""What Bitcoin's nodes may answer: strict JSON, and the ranges of its parts."""

from typing import Annotated, Any

import msgspec

from console.adapters.chains.bitcoin.limits import MAX_MONEY
from console.adapters.rpc.strict_json import MalformedJson, strict_json
from console.application.errors import ChainUnavailable

Hash = Annotated[str, msgspec.Meta(pattern=r"\A[0-9a-f]{64}\Z")]
Height = Annotated[int, msgspec.Meta(ge=0, lt=1 << 31)]
Sats = Annotated[int, msgspec.Meta(ge=0, le=MAX_MONEY)]


def read_json(data: bytes, kind: Any) -> Any:
    """Read JSON as `kind`, a type that msgspec knows. Raises: ChainUnavailable."""
    try:
        return strict_json(data, kind)
    except MalformedJson:
        raise ChainUnavailable("the Bitcoin node answers something else than it should") from None
