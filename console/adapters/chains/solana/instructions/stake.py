"""The Stake program (`StakeInstruction`, by its number)."""

from typing import Final

from console.adapters.chains.solana.instructions.shape import Kind, Shape

_AUTHORITY = "It gives a stake to another key"

INITIALIZE: Final = Shape(
    "Stake",
    ("Stake account", "Rent"),
    (
        ("Staker", Kind.KEY),
        ("Withdrawer", Kind.KEY),
        ("Locked until", Kind.I64),
        ("Locked until epoch", Kind.U64),
        ("Custodian of the lock", Kind.KEY),
    ),
    own=("Staker", "Withdrawer"),
)
DELEGATE: Final = Shape(
    "Delegate stake",
    ("Stake account", "Validator", "Clock", "Stake history", "Stake config", "Authority"),
    own=("Authority",),
)
WITHDRAW: Final = Shape(
    "Withdraw stake",
    ("Stake account", "To", "Clock", "Stake history", "Authority"),
    (("Lamports", Kind.U64),),
    own=("To", "Authority"),
)

SHAPES: Final = {
    0: INITIALIZE,
    1: Shape(
        "Change stake's authority",
        ("Stake account", "Clock", "Authority"),
        (("New authority", Kind.KEY), ("Kind of authority", Kind.U32)),
        danger=_AUTHORITY,
    ),
    2: DELEGATE,
    3: Shape(
        "Split stake",
        ("Stake account", "New stake account", "Authority"),
        (("Lamports", Kind.U64),),
        danger="It moves a part of a stake to another account",
    ),
    4: WITHDRAW,
    5: Shape("Deactivate stake", ("Stake account", "Clock", "Authority"), own=("Authority",)),
    7: Shape(
        "Merge stakes",
        ("Into stake account", "Stake account", "Clock", "Stake history", "Authority"),
        danger="It moves a stake to another account",
    ),
    10: Shape(
        "Change stake's authority",
        ("Stake account", "Clock", "Authority", "New authority"),
        (("Kind of authority", Kind.U32),),
        danger=_AUTHORITY,
    ),
}
NAMES: Final = {
    6: "lock a stake",
    8: "change stake's authority",
    9: "create stake",
    11: "change stake's authority",
    12: "lock a stake",
    13: "least delegation",
    14: "deactivate a late validator's stake",
    15: "redelegate stake",
    16: "move stake",
    17: "move coins of stakes",
}
