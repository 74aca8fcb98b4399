"""A text that is pasted is the text that is signed, or it is refused."""

import json

import pytest
from eth_account.messages import encode_defunct, encode_typed_data
from eth_utils.crypto import keccak

from console.adapters.chains.ethereum.adapter import ACCOUNT, EthereumAdapter
from console.application.api import PreviewCall, PreviewImport, PreviewMessage, PreviewTransfer
from console.application.api_codec import decode_query, encode
from console.application.errors import TransactionError
from console.application.ports.chain import MessageIntent
from console.domain.values import Network
from tests.contract.keys import SigningKey
from tests.unit.ethereum import documents

ODD = ["\u00a0", "\r\n", "\r", "\u2028", "\u2029", "\u0085", "\x1c", "\t", "e\u0301", " "]
KEYS = SigningKey()
ADAPTER = EthereumAdapter(Network.DEVNET, ("http://127.0.0.1:1",))


async def signed(text: str) -> bytes:
    """Return the hash that is signed for a text."""
    built = await ADAPTER.build_transaction(MessageIntent(ACCOUNT, text), KEYS)
    (payload,) = ADAPTER.payloads(built.transaction, KEYS)
    return payload.message


@pytest.mark.parametrize("odd", ODD)
async def test_a_message_is_signed_with_every_character(odd: str) -> None:
    for text in (f"{odd}Order 4711", f"Order{odd}4711", f"Order 4711{odd}"):
        other = encode_defunct(text=text)
        assert await signed(text) == keccak(b"\x19" + other.version + other.header + other.body)


@pytest.mark.parametrize("odd", ODD)
@pytest.mark.parametrize("escaped", [True, False])
async def test_a_document_is_signed_with_every_character(odd: str, escaped: bool) -> None:
    fields = {"note": "string"}
    content = documents.document("Note", {"Note": fields}, {"note": f"{odd}a{odd}b{odd}"})
    if not escaped and (odd < " " or odd == "\r\n"):
        return  # JSON has control characters only escaped
    text = json.dumps(content, ensure_ascii=escaped)
    other = encode_typed_data(full_message=content)
    assert await signed(text) == keccak(b"\x19" + other.version + other.header + other.body)
    assert await signed(f"\r\n\t {text} \r\n") == await signed(text)


@pytest.mark.parametrize("odd", ["\u00a0", "\u2028", "\u0085", "\x1c", "\u3000"])
async def test_blanks_around_a_document_that_json_does_not_know_are_refused(odd: str) -> None:
    text = json.dumps(documents.permit())
    for wrong in (odd + text, text + odd, f" {odd}{text}"):
        with pytest.raises(TransactionError):
            await signed(wrong)


@pytest.mark.parametrize("odd", ODD)
def test_the_way_to_the_node_changes_nothing(odd: str) -> None:
    text = f"{odd}a{odd}"
    for query in (
        PreviewMessage(wallet="w", chain="ethereum", text=text),
        PreviewImport(wallet="w", chain="ethereum", text=text),
        PreviewCall(
            wallet="w", chain="ethereum", to_address="t", function="f()", arguments=(text, "")
        ),
        PreviewTransfer(wallet="w", chain="solana", to_address="t", amount="1", memo=text),
    ):
        assert decode_query(encode(query)) == query
