"""The functions that are understood, and strict decoding of their arguments."""

from dataclasses import dataclass
from typing import Any

from eth_abi.abi import encode
from eth_abi.codec import ABICodec
from eth_abi.decoding import ContextFramesBytesIO
from eth_abi.exceptions import DecodingError, EncodingError
from eth_abi.registry import registry
from eth_utils.abi import function_signature_to_4byte_selector

SELECTOR_BYTES = 4
READS = 4
"""How often each byte of canonical arguments may be read: once, and offsets once more for each
container around them, to check where they lead.
"""

_SOURCES = (
    # ERC-20
    "transfer(address to,uint256 amount)",
    "approve(address spender,uint256 amount)",
    "transferFrom(address from,address to,uint256 amount)",
    "increaseAllowance(address spender,uint256 amount)",
    "decreaseAllowance(address spender,uint256 amount)",
    # ERC-721
    "safeTransferFrom(address from,address to,uint256 id)",
    "safeTransferFrom(address from,address to,uint256 id,bytes data)",
    "setApprovalForAll(address operator,bool approved)",
    # ERC-1155
    "safeTransferFrom(address from,address to,uint256 id,uint256 amount,bytes data)",
    "safeBatchTransferFrom(address from,address to,uint256[] ids,uint256[] amounts,bytes data)",
    # EIP-2612, and the older form of one token
    (
        "permit(address owner,address spender,uint256 amount,uint256 deadline,uint8 v,bytes32 r,"
        "bytes32 s)"
    ),
    (
        "permit(address owner,address spender,uint256 nonce,uint256 deadline,bool allowed,uint8 v,"
        "bytes32 r,bytes32 s)"
    ),
    # Permit2
    "approve(address token,address spender,uint160 amount,uint48 deadline)",
    # Safe
    (
        "execTransaction(address to,uint256 value,bytes data,uint8 operation,uint256 safeTxGas,"
        "uint256 baseGas,uint256 gasPrice,address gasToken,address refundReceiver,bytes signatures)"
    ),
    "multiSend(bytes transactions)",
    "addOwnerWithThreshold(address owner,uint256 threshold)",
    "removeOwner(address previous,address owner,uint256 threshold)",
    "swapOwner(address previous,address owner,address successor)",
    "changeThreshold(uint256 threshold)",
    "enableModule(address module)",
    "disableModule(address previous,address module)",
    "setGuard(address guard)",
    "setFallbackHandler(address handler)",
    # Smart accounts
    "execute(address to,uint256 value,bytes data)",
    "executeBatch(address[] to,bytes[] data)",
    "executeBatch(address[] to,uint256[] value,bytes[] data)",
)


class Bounded(ContextFramesBytesIO):
    """Arguments of a call, of which each byte is read a few times and no more.

    Thousands of offsets may lead to one large element. The library would copy it for each of them
    before the encoding is found not to be the canonical one, in which they share nothing.
    """

    def __init__(self, data: bytes) -> None:
        super().__init__(data)  # type: ignore[no-untyped-call]  # the library has no type here
        self._left = READS * len(data)

    def read(self, size: int | None = -1, /) -> bytes:
        """Read, as of a file. Raises: DecodingError after too many bytes."""
        found = super().read(size)
        self._left -= len(found)
        if self._left < 0:
            raise DecodingError("parts of the data are read more often than once")
        return found


class BoundedCodec(ABICodec):
    """The library's codec, for data of which nobody knows where it leads."""

    stream_class = Bounded


@dataclass(frozen=True, slots=True)
class Function:
    """One function; `signature` is its canonical form, `selector` the first 4 bytes of its hash."""

    signature: str
    types: tuple[str, ...]
    names: tuple[str, ...]
    selector: bytes

    def encode(self, *values: Any) -> bytes:
        """Return a call's data. Raises: EncodingError of eth_abi."""
        return self.selector + bytes(encode(self.types, values))


@dataclass(frozen=True, slots=True)
class Decoded:
    """A call of a function that is understood. Addresses are 20 bytes, numbers int."""

    function: Function
    values: dict[str, Any]


def _parse(source: str) -> Function:
    name, _, rest = source.rstrip(")").partition("(")
    pairs = [part.split(" ") for part in rest.split(",")]
    types = tuple(kind for kind, _ in pairs)
    signature = f"{name}({','.join(types)})"
    selector = function_signature_to_4byte_selector(signature)
    return Function(signature, types, tuple(name for _, name in pairs), selector)


FUNCTIONS = {function.signature: function for function in map(_parse, _SOURCES)}
_CODEC = BoundedCodec(registry)
_BY_SELECTOR = {function.selector: function for function in FUNCTIONS.values()}


def function_of(data: bytes) -> Function | None:
    """Return the function that a call's data names, if it is known."""
    return _BY_SELECTOR.get(data[:SELECTOR_BYTES])


def decode_call(data: bytes) -> Decoded | None:
    """Decode a call's data; None if the function is unknown or its arguments are not canonical.

    A contract may read sloppy data in another way than a decoder, so only the one canonical
    encoding counts as understood. What it reads is bounded (`Bounded`), so it may be as large as
    a transaction is.
    """
    function = function_of(data)
    if function is None:
        return None
    arguments = data[SELECTOR_BYTES:]
    try:
        values = _CODEC.decode(function.types, arguments)
        if encode(function.types, values) != arguments:
            return None
    except (DecodingError, EncodingError, ValueError, OverflowError, IndexError):
        return None
    return Decoded(function, dict(zip(function.names, map(_plain, values), strict=True)))


def _plain(value: Any) -> Any:
    """Turn the library's address texts into bytes, also inside of arrays."""
    if isinstance(value, str):
        return bytes.fromhex(value[2:])
    if isinstance(value, tuple):
        return tuple(_plain(part) for part in value)
    return value
