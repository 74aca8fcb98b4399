"""What another program drafted is taken over byte for byte, or refused."""

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st

from console.adapters.chains.solana.adapter import ACCOUNT
from console.adapters.chains.solana.build import MessageTerms, build_transfer
from console.adapters.chains.solana.importing import read_draft
from console.adapters.chains.solana.nonce import DurableNonce, nonce_address
from console.application.errors import TransactionError, UnknownTransaction
from console.application.ports.chain import ImportIntent
from tests.contract.keys import SigningKey
from tests.unit.solana.messages import FRIEND, ME, OTHER, PAYER, RECENT, message, paid
from tests.unit.solana.nodes import SYSTEM_OWNED, KnownAccounts, adapter_over

DRAFT = message(paid())
BLANK = b"\1" + bytes(64)
SIGNED = b"\1" + bytes(PAYER.sign_message(DRAFT)) + DRAFT


@pytest.mark.parametrize("data", [DRAFT, BLANK + DRAFT])
def test_every_form_gives_the_same_message(data: bytes) -> None:
    encoded = base64.b64encode(data).decode()
    for text in (data.hex(), data.hex().upper(), f"0x{data.hex()}", encoded, f" {encoded}\n"):
        assert read_draft(text) == DRAFT


@pytest.mark.parametrize(
    "text", ["", " ", "x", "0x", "é", "AAAA", SIGNED.hex(), (DRAFT * 20).hex(), "00" * 100_000]
)
def test_what_is_no_draft_is_refused(text: str) -> None:
    with pytest.raises(UnknownTransaction):
        read_draft(text)


@given(st.text(max_size=300))
def test_any_text_is_a_draft_or_refused(text: str) -> None:
    with pytest.raises(UnknownTransaction):
        read_draft(text)


async def test_a_draft_must_be_the_wallets() -> None:
    adapter = adapter_over(KnownAccounts({FRIEND: SYSTEM_OWNED}))
    mine, others = SigningKey(PAYER), SigningKey(OTHER)
    built = await adapter.build_transaction(ImportIntent(ACCOUNT, DRAFT.hex()), mine)
    assert (built.transaction, built.fee_ceiling, built.valid_for_s) == (DRAFT, 5_000, 60)
    with pytest.raises(TransactionError, match="another account"):
        await adapter.build_transaction(ImportIntent(ACCOUNT, DRAFT.hex()), others)
    durable = build_transfer(
        ME, FRIEND, 5, "", MessageTerms(DurableNonce(nonce_address(ME, 0), ME, RECENT))
    )
    built = await adapter.build_transaction(ImportIntent(ACCOUNT, durable.hex()), mine)
    assert (built.transaction, built.valid_for_s) == (durable, None)
