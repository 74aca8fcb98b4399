"""Token and Token-2022 (`TokenInstruction`, by its number), and associated token accounts."""

from dataclasses import replace
from typing import Final

from console.adapters.chains.solana.instructions.shape import (
    Kind,
    NotUnderstood,
    Reading,
    Shape,
    read,
    read_tagged,
)
from console.adapters.chains.solana.message import Call
from console.adapters.chains.solana.programs import TOKEN_2022

_AMOUNT, _DECIMALS = ("Amount", Kind.U64), ("Decimals", Kind.U8)
_MINTERS = (_DECIMALS, ("Mint authority", Kind.KEY), ("Freeze authority", Kind.OPTIONAL_KEY))
_APPROVAL = "It lets another key take tokens out of the account at any later time"
_MAKES = "It makes new tokens"
_BURNS = "It destroys tokens"
_OPENS = "It sets up a token account in a way that is not this wallet's"

TRANSFER: Final = Shape(
    "Token transfer",
    ("Token account", "To token account", "Authority"),
    (_AMOUNT,),
    danger="The token transfer does not say of which token",
)
TRANSFER_CHECKED: Final = Shape(
    "Token transfer",
    ("Token account", "Mint", "To token account", "Authority"),
    (_AMOUNT, _DECIMALS),
)
TRANSFER_WITH_FEE: Final = Shape(
    "Token transfer with fee",
    TRANSFER_CHECKED.accounts,
    (_AMOUNT, _DECIMALS, ("Withheld fee", Kind.U64)),
    danger="The token withholds a fee: less arrives than is sent",
)

SYNC_NATIVE: Final = Shape("Count wrapped coins", ("Token account",))
NAMED_TRANSFERS: Final = (TRANSFER_CHECKED, TRANSFER_WITH_FEE)
"""Those that name their token."""

SHAPES: Final = {
    0: Shape("Create mint", ("Mint", "Rent"), _MINTERS, danger=_MAKES),
    1: Shape("Create token account", ("Account", "Mint", "Owner", "Rent"), danger=_OPENS),
    3: TRANSFER,
    4: Shape("Approve", ("Token account", "Delegate", "Authority"), (_AMOUNT,), danger=_APPROVAL),
    5: Shape("Revoke", ("Token account", "Authority"), own=("Authority",)),
    6: Shape(
        "Change token authority",
        ("Account", "Authority"),
        (("Kind of authority", Kind.U8), ("New authority", Kind.OPTIONAL_KEY)),
        danger="It gives a token account or a mint to another key",
    ),
    7: Shape("Mint tokens", ("Mint", "Token account", "Authority"), (_AMOUNT,), danger=_MAKES),
    8: Shape("Burn tokens", ("Token account", "Mint", "Authority"), (_AMOUNT,), danger=_BURNS),
    9: Shape(
        "Close token account",
        ("Token account", "Deposit goes to", "Authority"),
        own=("Deposit goes to", "Authority"),
    ),
    10: Shape(
        "Freeze token account",
        ("Token account", "Mint", "Authority"),
        danger="It freezes a token account",
    ),
    11: Shape(
        "Thaw token account",
        ("Token account", "Mint", "Authority"),
        danger="It changes who may move tokens",
    ),
    12: TRANSFER_CHECKED,
    13: Shape(
        "Approve",
        ("Token account", "Mint", "Delegate", "Authority"),
        (_AMOUNT, _DECIMALS),
        danger=_APPROVAL,
    ),
    14: Shape(
        "Mint tokens",
        ("Mint", "Token account", "Authority"),
        (_AMOUNT, _DECIMALS),
        danger=_MAKES,
    ),
    15: Shape(
        "Burn tokens",
        ("Token account", "Mint", "Authority"),
        (_AMOUNT, _DECIMALS),
        danger=_BURNS,
    ),
    16: Shape(
        "Create token account",
        ("Account", "Mint", "Rent"),
        (("Owner", Kind.KEY),),
        danger=_OPENS,
    ),
    17: SYNC_NATIVE,
    18: Shape("Create token account", ("Account", "Mint"), (("Owner", Kind.KEY),), danger=_OPENS),
    20: Shape("Create mint", ("Mint",), _MINTERS, danger=_MAKES),
    22: Shape("Fix token account's owner", ("Account",), danger=_OPENS),
}
NAMES: Final = {
    2: "create multisig",
    19: "create multisig",
    21: "size of a token account",
    23: "write an amount",
    24: "read an amount",
    25: "authority to close a mint",
    26: "fees on transfers",
    27: "confidential transfers",
    28: "state of new accounts",
    29: "reallocate account",
    30: "memos on transfers",
    31: "create native mint",
    32: "tokens that cannot be transferred",
    33: "interest",
    34: "guard against programs",
    35: "permanent delegate",
    36: "hook on transfers",
    37: "fees on confidential transfers",
    38: "withdraw excess coins",
    39: "metadata",
    40: "group of mints",
    41: "member of a group of mints",
    42: "confidential mint and burn",
    43: "scaled amounts",
    44: "pausing",
}
"""Names of instructions; from 25 on they are Token-2022's extensions."""
_FEES, _TRANSFER_WITH_FEE = 26, 1

CREATE_ASSOCIATED: Final = Shape(
    "Create token account",
    ("Payer", "Token account", "Owner", "Mint", "System program", "Token program"),
)
_CREATE_OLDER: Final = Shape(CREATE_ASSOCIATED.name, (*CREATE_ASSOCIATED.accounts, "Rent"))
"""As programs wrote it when the rent was still an account: the seventh is ignored by now."""
_CREATIONS = frozenset({b"", b"\0", b"\1"})
"""Create, in its older and newer form, and create idempotent."""


def read_token(call: Call) -> Reading:
    """Return the reading of an instruction of either token program. Raises: NotUnderstood."""
    if call.program == TOKEN_2022 and call.data[:2] == bytes((_FEES, _TRANSFER_WITH_FEE)):
        return read(call, TRANSFER_WITH_FEE, call.data[2:])
    return read_tagged(call, SHAPES, Kind.U8, NAMES)


def read_associated(call: Call) -> Reading:
    """Return the reading of the creation of an associated token account. Raises: NotUnderstood."""
    if call.data not in _CREATIONS:
        raise NotUnderstood("recover nested account" if call.data == b"\2" else "")
    if len(call.accounts) == len(_CREATE_OLDER.accounts):
        return replace(read(call, _CREATE_OLDER, b""), shape=CREATE_ASSOCIATED)
    return read(call, CREATE_ASSOCIATED, b"")
