"""The System program: coins, accounts and durable nonces (`SystemInstruction`, by its number)."""

from typing import Final

from console.adapters.chains.solana.instructions.shape import Kind, Shape

_LAMPORTS, _SPACE = ("Lamports", Kind.U64), ("Space", Kind.U64)
_OWNER, _BASE, _SEED = ("Program", Kind.KEY), ("Base key", Kind.KEY), ("Seed", Kind.SEED)

CREATE: Final = Shape(
    "Create account",
    ("From", "New account"),
    (_LAMPORTS, _SPACE, _OWNER),
    danger="It makes an account with a key of its own",
)
ASSIGN: Final = Shape(
    "Assign account", ("Account",), (_OWNER,), danger="It hands an account over to a program"
)
TRANSFER: Final = Shape("Transfer", ("From", "To"), (_LAMPORTS,))
CREATE_WITH_SEED: Final = Shape(
    "Create account", ("From", "New account"), (_BASE, _SEED, _LAMPORTS, _SPACE, _OWNER)
)
ADVANCE_NONCE: Final = Shape(
    "Advance durable nonce", ("Nonce account", "Recent blockhashes", "Authority")
)
WITHDRAW_NONCE: Final = Shape(
    "Withdraw from durable nonce",
    ("Nonce account", "To", "Recent blockhashes", "Rent", "Authority"),
    (_LAMPORTS,),
    own=("To", "Authority"),
)
INITIALIZE_NONCE: Final = Shape(
    "Create durable nonce",
    ("Nonce account", "Recent blockhashes", "Rent"),
    (("Authority", Kind.KEY),),
)
AUTHORIZE_NONCE: Final = Shape(
    "Change durable nonce's authority",
    ("Nonce account", "Authority"),
    (("New authority", Kind.KEY),),
    danger="It gives a durable nonce to another key",
)
ALLOCATE: Final = Shape(
    "Allocate account", ("Account",), (_SPACE,), danger="It turns an account into a data store"
)
ALLOCATE_WITH_SEED: Final = Shape(
    "Allocate account",
    ("Account", "Base account"),
    (_BASE, _SEED, _SPACE, _OWNER),
    danger="It hands an account over to a program",
)
ASSIGN_WITH_SEED: Final = Shape(
    "Assign account",
    ("Account", "Base account"),
    (_BASE, _SEED, _OWNER),
    danger="It hands an account over to a program",
)
TRANSFER_WITH_SEED: Final = Shape(
    "Transfer from derived account",
    ("From", "Base account", "To"),
    (_LAMPORTS, _SEED, _OWNER),
    danger="Coins leave another account than the one that pays the fee",
)
UPGRADE_NONCE: Final = Shape(
    "Upgrade durable nonce", ("Nonce account",), danger="It changes a durable nonce"
)

SHAPES: Final = {
    0: CREATE,
    1: ASSIGN,
    2: TRANSFER,
    3: CREATE_WITH_SEED,
    4: ADVANCE_NONCE,
    5: WITHDRAW_NONCE,
    6: INITIALIZE_NONCE,
    7: AUTHORIZE_NONCE,
    8: ALLOCATE,
    9: ALLOCATE_WITH_SEED,
    10: ASSIGN_WITH_SEED,
    11: TRANSFER_WITH_SEED,
    12: UPGRADE_NONCE,
}
NAMES: Final = {13: "create account, with coins there already"}
