"""What leaves an account with less than the cluster's minimum is refused before it is signed."""

import pytest
from solders.account import Account
from solders.litesvm import LiteSVM
from solders.message import from_bytes_versioned
from solders.pubkey import Pubkey
from solders.signature import Signature
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.adapter import ACCOUNT
from console.adapters.chains.solana.address import token_account
from console.application.errors import TransactionError
from console.application.ports.chain import ImportIntent, TransferIntent
from tests.contract.keys import SigningKey
from tests.unit.solana.messages import (
    FRIEND,
    ME,
    OFF_CURVE,
    PAYER,
    STRANGER,
    account_made,
    called,
    message,
    paid,
)
from tests.unit.solana.nodes import SYSTEM_OWNED, KnownAccounts, adapter_over, minimum

KEYS = SigningKey(PAYER)
LEAST, FEE = minimum(), 5_000
NEW, LEFT = "must be paid a minimum of 0.000", "would be left"


async def sent(lamports: int, balance: int, *there: Pubkey, everything: bool = False) -> bytes:
    node = KnownAccounts(dict.fromkeys(there, SYSTEM_OWNED), balance)
    intent = TransferIntent(
        account=ACCOUNT, to_address=str(FRIEND), amount=lamports, everything=everything
    )
    return (await adapter_over(node).build_transaction(intent, KEYS)).transaction


async def imported(data: bytes, balance: int = 10**12) -> bytes:
    intent = ImportIntent(ACCOUNT, data.hex())
    node = KnownAccounts(lamports=balance)
    return (await adapter_over(node).build_transaction(intent, KEYS)).transaction


def takes(data: bytes, balance: int, *there: Pubkey) -> bool:
    """Return whether the cluster's own code executes a message."""
    machine = LiteSVM().with_sigverify(False).with_blockhash_check(False)
    for key, held in ((ME, balance), *((key, LEAST) for key in there)):
        machine.set_account(key, Account(held, b"", programs.SYSTEM))
    transaction = VersionedTransaction.populate(from_bytes_versioned(data), [Signature.default()])
    return not isinstance(machine.send_transaction(transaction), FailedTransactionMetadata)


@pytest.mark.parametrize(
    ("lamports", "balance", "there", "why"),
    [
        (LEAST, 10**12, (), ""),
        (LEAST - 1, 10**12, (), NEW),
        (1, 10**12, (), NEW),
        (1, 10**12, (FRIEND,), ""),
        # What is left: nothing, or the minimum.
        (10**9, 10**9 + FEE, (FRIEND,), ""),
        (10**9, 10**9 + FEE + 1, (FRIEND,), LEFT),
        (10**9, 10**9 + FEE + LEAST - 1, (FRIEND,), LEFT),
        (10**9, 10**9 + FEE + LEAST, (FRIEND,), ""),
    ],
)
async def test_a_payment_is_built_if_the_cluster_takes_it(
    lamports: int, balance: int, there: tuple[Pubkey, ...], why: str
) -> None:
    assert takes(message(paid(lamports=lamports)), balance, *there) is not bool(why)
    for made in (
        sent(lamports, balance, *there),
        imported(message(paid(lamports=lamports)), balance) if not there else None,
    ):
        if made is None:
            continue
        if why:
            with pytest.raises(TransactionError, match=why):
                await made
        else:
            assert await made


async def test_everything_leaves_nothing() -> None:
    assert await sent(0, LEAST + FEE, everything=True)
    with pytest.raises(TransactionError, match=NEW):
        await sent(0, LEAST + FEE - 1, everything=True)


@pytest.mark.parametrize("to", [FRIEND, OFF_CURVE])
async def test_several_payments_to_one_account_count_together(to: Pubkey) -> None:
    half = LEAST // 2
    assert await imported(message(paid(to=to, lamports=half), paid(to=to, lamports=LEAST - half)))
    for other in (paid(to=STRANGER, lamports=half), paid(to=to, lamports=LEAST - half - 1)):
        with pytest.raises(TransactionError, match=NEW):
            await imported(message(paid(to=to, lamports=half), other))


async def test_an_account_that_the_message_makes_has_its_deposit() -> None:
    coin = programs.WRAPPED[programs.TOKEN]
    account = token_account(ME, coin, programs.TOKEN)
    parts = [
        account_made(owner=ME, mint=coin),
        paid(to=account, lamports=5),
        called(programs.TOKEN, b"\x11", account),
    ]
    assert await imported(message(*parts))
    with pytest.raises(TransactionError, match=NEW):
        await imported(message(*parts[1:]))


async def test_coins_that_come_back_are_counted() -> None:
    data = message(paid(to=ME, lamports=10**9))
    assert await imported(data, 10**9 + FEE + LEAST)
    with pytest.raises(TransactionError, match=LEFT):
        await imported(message(paid(to=ME, lamports=1)), FEE + LEAST - 1)
