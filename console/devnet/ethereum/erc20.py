"""An ERC-20 token for the devnet: its source in EVM opcodes, and a small assembler.

The complete supply belongs to one holder from the start. It cannot mint, burn or pause.
"""

from dataclasses import dataclass

from eth_utils.crypto import keccak

WHOLE_SUPPLY = 10**12
"""In whole tokens, so times ten to the power of the decimals in base units."""
MAX_TEXT = 31
MAX_DECIMALS = 36
_OPCODES = {
    "STOP": 0x00, "ADD": 0x01, "SUB": 0x03, "LT": 0x10, "EQ": 0x14, "ISZERO": 0x15, "NOT": 0x19,
    "SHR": 0x1C, "KECCAK256": 0x20, "CALLER": 0x33, "CALLVALUE": 0x34, "CALLDATALOAD": 0x35,
    "CALLDATASIZE": 0x36, "CODECOPY": 0x39, "POP": 0x50, "MSTORE": 0x52, "SLOAD": 0x54,
    "SSTORE": 0x55, "JUMP": 0x56, "JUMPI": 0x57, "JUMPDEST": 0x5B, "DUP1": 0x80, "DUP2": 0x81,
    "DUP3": 0x82, "DUP5": 0x84, "SWAP1": 0x90, "LOG3": 0xA3, "RETURN": 0xF3, "REVERT": 0xFD,
}  # fmt: skip
_PUSH1 = 0x60
_JUMP_BYTES = 2
_ERROR_SELECTOR = "08c379a0"

# Solidity's layout: slot 0 maps an owner to a balance, slot 1 an owner to a spender's allowances.
_BALANCE_SLOT = "0 MSTORE 0 0x20 MSTORE 0x40 0 KECCAK256"
"""owner -> slot."""
_ALLOWANCE_SLOT = "0 MSTORE 1 0x20 MSTORE 0x40 0 KECCAK256 0x20 MSTORE 0 MSTORE 0x40 0 KECCAK256"
"""spender owner -> slot."""


@dataclass(frozen=True, slots=True)
class TokenContract:
    """A token's name, symbol and supply; texts are at most 31 bytes."""

    name: str
    symbol: str
    decimals: int

    def __post_init__(self) -> None:
        texts = (self.name.encode(), self.symbol.encode())
        if not all(0 < len(text) <= MAX_TEXT for text in texts):
            raise ValueError("a name and a symbol have 1 to 31 bytes")
        if not 0 <= self.decimals <= MAX_DECIMALS:
            raise ValueError("at most 36 decimals")

    @property
    def supply(self) -> int:
        """Return the supply in base units."""
        return WHOLE_SUPPLY * int(10**self.decimals)


def creation_code(token: TokenContract, holder: bytes) -> bytes:
    """Return the code that creates the contract and gives the supply to `holder` (20 bytes)."""
    runtime = assemble(_runtime_source(token))
    owner = f"0x{holder.hex()}"
    start = f"""
        {token.supply} {owner} {_BALANCE_SLOT} SSTORE
        {token.supply} 0 MSTORE {owner} 0 {_topic("Transfer(address,address,uint256)")} 0x20 0 LOG3
        {len(runtime)} DUP1 @runtime 0 CODECOPY 0 RETURN :runtime"""
    # The last label is no code: the runtime replaces its JUMPDEST.
    return assemble(start)[:-1] + runtime


def assemble(source: str) -> bytes:
    """Return bytecode from words: opcodes, numbers to push, `:label`, `@label` to push it."""
    words = source.split()
    places: dict[str, int] = {}
    position = 0
    for word in words:
        if word.startswith(":"):
            places[word[1:]] = position
        position += len(_encoded(word, {}))
    return b"".join(_encoded(word, places) for word in words)


def _encoded(word: str, places: dict[str, int]) -> bytes:
    if word in _OPCODES:
        return bytes([_OPCODES[word]])
    if word.startswith(":"):
        return bytes([_OPCODES["JUMPDEST"]])
    if word.startswith("@"):
        data = places.get(word[1:], 0).to_bytes(_JUMP_BYTES, "big")
    else:
        number = int(word, 0)
        data = number.to_bytes(max(1, (number.bit_length() + 7) // 8), "big")
    return bytes([_PUSH1 + len(data) - 1]) + data


def _runtime_source(token: TokenContract) -> str:
    return f"""
        CALLVALUE @fail JUMPI
        4 CALLDATASIZE LT @fail JUMPI
        0 CALLDATALOAD 224 SHR
        {_entry("transfer(address,uint256)")}
        {_entry("balanceOf(address)")}
        {_entry("approve(address,uint256)")}
        {_entry("allowance(address,address)")}
        {_entry("transferFrom(address,address,uint256)")}
        {_entry("decimals()")}
        {_entry("symbol()")}
        {_entry("name()")}
        {_entry("totalSupply()")}
        :fail 0 0 REVERT

        :balanceOf {_arguments(1)} {_address(0)} {_BALANCE_SLOT} SLOAD @word JUMP
        :allowance {_arguments(2)} {_address(1)} {_address(0)} {_ALLOWANCE_SLOT} SLOAD @word JUMP
        :decimals {token.decimals} @word JUMP
        :totalSupply {token.supply} @word JUMP
        :name {_returned_text(token.name)}
        :symbol {_returned_text(token.symbol)}
        :true 1
        :word 0 MSTORE 0x20 0 RETURN

        :approve {_arguments(2)}
            0x24 CALLDATALOAD {_address(0)} CALLER {_ALLOWANCE_SLOT} SSTORE
            0x24 CALLDATALOAD 0 MSTORE
            4 CALLDATALOAD CALLER {_topic("Approval(address,address,uint256)")} 0x20 0 LOG3
            @true JUMP

        :transfer {_arguments(2)}
            0x24 CALLDATALOAD {_address(0)} CALLER
            @move JUMP

        :transferFrom {_arguments(3)}
            0x44 CALLDATALOAD
            CALLER {_address(0)} {_ALLOWANCE_SLOT} DUP1 SLOAD
            DUP3 DUP2 LT @notAllowed JUMPI
            DUP1 NOT ISZERO @unlimited JUMPI
            DUP3 SWAP1 SUB SWAP1 SSTORE
            @allowed JUMP
        :unlimited POP POP
        :allowed {_address(1)} {_address(0)}
            @move JUMP

        :move
            DUP2 ISZERO @fail JUMPI
            DUP1 {_BALANCE_SLOT} DUP1 SLOAD
            DUP5 DUP2 LT @tooLittle JUMPI
            DUP5 SWAP1 SUB SWAP1 SSTORE
            DUP2 {_BALANCE_SLOT} DUP1 SLOAD DUP5 ADD SWAP1 SSTORE
            DUP3 0 MSTORE
            {_topic("Transfer(address,address,uint256)")} 0x20 0 LOG3
            @true JUMP

        :tooLittle {_revert("transfer exceeds balance")}
        :notAllowed {_revert("transfer exceeds allowance")}"""


def _entry(signature: str) -> str:
    """Return code that jumps to a function's label if its selector is on the stack."""
    selector = keccak(text=signature)[:4].hex()
    return f"DUP1 0x{selector} EQ @{signature.partition('(')[0]} JUMPI"


def _topic(signature: str) -> str:
    return f"0x{keccak(text=signature).hex()}"


def _arguments(count: int) -> str:
    """Return code that requires arguments and drops the selector."""
    return f"POP {4 + 32 * count} CALLDATASIZE LT @fail JUMPI"


def _address(number: int) -> str:
    """Return code that pushes an argument, which must be an address."""
    return f"{4 + 32 * number} CALLDATALOAD DUP1 160 SHR @fail JUMPI"


def _padded(text: str) -> str:
    return f"0x{text.encode().ljust(32, bytes(1)).hex()}"


def _returned_text(text: str) -> str:
    length = len(text.encode())
    return f"0x20 0 MSTORE {length} 0x20 MSTORE {_padded(text)} 0x40 MSTORE 0x60 0 RETURN"


def _revert(reason: str) -> str:
    """Return code that reverts as Solidity's `require` does: Error(string)."""
    selector = f"0x{_ERROR_SELECTOR}{'00' * 28}"
    head = f"{selector} 0 MSTORE 0x20 4 MSTORE {len(reason)} 0x24 MSTORE"
    return f"{head} {_padded(reason)} 0x44 MSTORE 0x64 0 REVERT"
