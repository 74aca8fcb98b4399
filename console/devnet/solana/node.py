"""A Solana cluster in process, behind the JSON-RPC methods that a wallet uses."""

import base64
import binascii
from collections.abc import Callable, Mapping
from typing import Any, Final

from solders.account import Account
from solders.hash import Hash
from solders.instruction import Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import ID as SYSTEM_PROGRAM
from solders.system_program import TransferParams, transfer
from solders.transaction import VersionedTransaction
from solders.transaction_metadata import FailedTransactionMetadata

from console.devnet.failure import RpcFailure
from console.devnet.solana.answers import (
    account_json,
    status_json,
    summary_json,
    transaction_json,
)
from console.devnet.solana.refusals import error_json
from console.devnet.solana.runtime import SolanaRuntime
from console.devnet.solana.tokens import (
    MINT_BYTES,
    TOKEN_PROGRAMS,
    fixed_key,
    holding,
    mint_creation,
    mint_decimals,
    minting,
)

MAX_AIRDROP = 10**15
MAX_TRANSACTION_BYTES = 1232
_FAUCET_LAMPORTS = 10**18
_MOST_ACCOUNTS, _MOST_SIGNATURES, _MOST_LISTED = 100, 256, 1000
_MOST_BYTES = 10 * 1024 * 1024
_MEMO_PROGRAM = Pubkey.from_string("MemoSq4gqABAXKb96qnH8TysNcWxMyWCqXgDLGmfcHr")
_INVALID_PARAMS: Final = -32602
_METHOD_NOT_FOUND: Final = -32601


class SolanaDevnet:
    """One chain, empty at first. Each accepted transaction has its own slot."""

    def __init__(self) -> None:
        self.runtime = SolanaRuntime()
        self._faucet = fixed_key("faucet")
        self.runtime.put(self._faucet.pubkey(), Account(_FAUCET_LAMPORTS, b"", SYSTEM_PROGRAM))
        self._fees: list[int] = []
        self._methods: Mapping[str, Callable[[list[Any]], object]] = {
            "devnet_createMint": self._create_mint,
            "devnet_fundToken": self._fund_token,
            "devnet_setPrioritizationFees": self._set_fees,
            "getAccountInfo": self._account_info,
            "getBalance": self._balance,
            "getGenesisHash": lambda _: self.runtime.genesis,
            "getHealth": lambda _: "ok",
            "getLatestBlockhash": self._latest_blockhash,
            "getMinimumBalanceForRentExemption": self._deposit,
            "getMultipleAccounts": self._accounts,
            "getRecentPrioritizationFees": self._recent_fees,
            "getSignatureStatuses": self._statuses,
            "getSignaturesForAddress": self._history,
            "getSlot": lambda _: self.runtime.slot,
            "getTokenAccountBalance": self._token_balance,
            "getTransaction": self._transaction,
            "isBlockhashValid": self._is_valid,
            "requestAirdrop": self._airdrop,
            "sendTransaction": self._send,
            "simulateTransaction": self._simulate,
        }

    def answer(self, method: str, params: list[Any]) -> object:
        """Return the result of one call. Raises: RpcFailure."""
        if method not in self._methods:
            raise RpcFailure(_METHOD_NOT_FOUND, f"Method not found: {method[:60]}")
        return self._methods[method](params)

    def expire_blockhash(self) -> None:
        """Expire all transactions built so far, as time does on a public cluster."""
        self.runtime.expire_blockhash()

    def _account_info(self, params: list[Any]) -> object:
        return self._in_context(account_json(self.runtime.account(_pubkey(params))))

    def _accounts(self, params: list[Any]) -> object:
        asked = params[0] if params and isinstance(params[0], list) else []
        found = [self.runtime.account(_pubkey([key])) for key in asked[:_MOST_ACCOUNTS]]
        return self._in_context([account_json(account) for account in found])

    def _balance(self, params: list[Any]) -> object:
        account = self.runtime.account(_pubkey(params))
        return self._in_context(account.lamports if account else 0)

    def _deposit(self, params: list[Any]) -> object:
        return self.runtime.deposit(_integer(params, 0, 0, _MOST_BYTES))

    def _latest_blockhash(self, _params: list[Any]) -> object:
        value = {
            "blockhash": str(self.runtime.blockhash()),
            "lastValidBlockHeight": self.runtime.slot + 150,
        }
        return self._in_context(value)

    def _is_valid(self, params: list[Any]) -> object:
        # A hash and a key have the same encoding.
        return self._in_context(self.runtime.takes(Hash(bytes(_pubkey(params)))))

    def _recent_fees(self, _params: list[Any]) -> object:
        first = max(0, self.runtime.slot - len(self._fees))
        return [
            {"slot": slot, "prioritizationFee": fee}
            for slot, fee in enumerate(self._fees, start=first)
        ]

    def _set_fees(self, params: list[Any]) -> object:
        """Set recent prioritization fees, in millionths of a lamport per compute unit."""
        self._fees = [_integer(params, n, 0, 10**12) for n in range(min(len(params), 150))]
        return self._fees

    def _token_balance(self, params: list[Any]) -> object:
        held = holding(self.runtime.account(_pubkey(params)))
        if held is None:
            raise RpcFailure(_INVALID_PARAMS, "Invalid param: could not find account")
        decimals = mint_decimals(self.runtime.account(_pubkey([held.mint])))
        return self._in_context({"amount": str(held.amount), "decimals": decimals})

    def _statuses(self, params: list[Any]) -> object:
        asked = params[0] if params and isinstance(params[0], list) else []
        found = [self.runtime.record(str(signature)) for signature in asked[:_MOST_SIGNATURES]]
        return self._in_context([status_json(record) for record in found])

    def _history(self, params: list[Any]) -> object:
        options = _options(params, 1)
        limit = options.get("limit", _MOST_LISTED)
        if type(limit) is not int or not 1 <= limit <= _MOST_LISTED:
            raise RpcFailure(_INVALID_PARAMS, "Invalid limit")
        records = self.runtime.records(str(_pubkey(params)), limit)
        return [summary_json(record) for record in records]

    def _transaction(self, params: list[Any]) -> object:
        record = self.runtime.record(str(params[0]) if params else "")
        return None if record is None else transaction_json(record, self._decimals)

    def _decimals(self, mint: str) -> int:
        return mint_decimals(self.runtime.account(Pubkey.from_string(mint))) or 0

    def _airdrop(self, params: list[Any]) -> object:
        key, lamports = _pubkey(params), _integer(params, 1, 1, MAX_AIRDROP)
        faucet = self._faucet.pubkey()
        gift = TransferParams(from_pubkey=faucet, to_pubkey=key, lamports=lamports)
        return self._by_faucet([transfer(gift)])

    def _create_mint(self, params: list[Any]) -> object:
        """Return a mint, created if new: [symbol, decimals, "token" or "token-2022"]."""
        symbol = str(params[0])[:32] if params else ""
        decimals = _integer(params, 1, 0, 18)
        name = str(params[2]) if len(params) > 2 else "token"
        program = TOKEN_PROGRAMS.get(name)
        if program is None:
            raise RpcFailure(_INVALID_PARAMS, "there is no such token program")
        mint = fixed_key(f"mint {name} {symbol}")
        known = mint_decimals(self.runtime.account(mint.pubkey()))
        if known is None:
            lamports = self.runtime.deposit(MINT_BYTES)
            faucet = self._faucet.pubkey()
            made = mint_creation(faucet, mint.pubkey(), program, decimals, lamports)
            self._by_faucet(made, mint)
        elif known != decimals:
            raise RpcFailure(_INVALID_PARAMS, f"this token is there with {known} decimals")
        return str(mint.pubkey())

    def _fund_token(self, params: list[Any]) -> object:
        """Mint tokens for an owner: [mint, owner, base units]."""
        mint, owner = _pubkey(params), _pubkey(params[1:])
        amount = _integer(params, 2, 1, (1 << 64) - 1)
        account = self.runtime.account(mint)
        if account is None or mint_decimals(account) is None:
            raise RpcFailure(_INVALID_PARAMS, "there is no such token here")
        return self._by_faucet(minting(self._faucet.pubkey(), mint, account.owner, owner, amount))

    def _by_faucet(self, instructions: list[Instruction], *others: Keypair) -> str:
        # The slot makes each transaction unique: the machine executes none twice.
        note = Instruction(_MEMO_PROGRAM, str(self.runtime.slot).encode(), [])
        message = Message.new_with_blockhash(
            [*instructions, note], self._faucet.pubkey(), self.runtime.blockhash()
        )
        return self.runtime.send(VersionedTransaction(message, [self._faucet, *others]))

    def _send(self, params: list[Any]) -> object:
        transaction = _transaction(params)
        preflight = _options(params, 1).get("skipPreflight") is not True
        return self.runtime.send(transaction, preflight)

    def _simulate(self, params: list[Any]) -> object:
        transaction, options = _transaction(params), _options(params, 1)
        result = self.runtime.simulate(transaction, options.get("sigVerify") is True)
        asked = options.get("accounts")
        addresses = asked.get("addresses") if isinstance(asked, dict) else None
        error: object = None
        accounts = None
        if isinstance(result, FailedTransactionMetadata):
            error = error_json(result.err())
        elif isinstance(addresses, list):
            after = dict(result.post_accounts())
            keys = [_pubkey([key]) for key in addresses[:_MOST_ACCOUNTS]]
            accounts = [account_json(after.get(key) or self.runtime.account(key)) for key in keys]
        meta = result.meta()
        value = {
            "err": error,
            "logs": meta.logs(),
            "accounts": accounts,
            "unitsConsumed": meta.compute_units_consumed(),
        }
        return self._in_context(value)

    def _in_context(self, value: object) -> object:
        return {"context": {"slot": self.runtime.slot, "apiVersion": "litesvm"}, "value": value}


def _transaction(params: list[Any]) -> VersionedTransaction:
    try:
        data = base64.b64decode(str(params[0]), validate=True)
        transaction = VersionedTransaction.from_bytes(data)
    except (binascii.Error, ValueError, IndexError):
        raise RpcFailure(_INVALID_PARAMS, "failed to deserialize the transaction") from None
    # The parser ignores trailing bytes, a real cluster does not.
    if len(data) > MAX_TRANSACTION_BYTES or bytes(transaction) != data:
        raise RpcFailure(_INVALID_PARAMS, "the transaction is not canonical")
    return transaction


def _options(params: list[Any], place: int) -> dict[str, Any]:
    found = params[place] if len(params) > place else None
    return found if isinstance(found, dict) else {}


def _integer(params: list[Any], place: int, least: int, most: int) -> int:
    found = params[place] if len(params) > place else None
    if type(found) is not int or not least <= found <= most:
        raise RpcFailure(_INVALID_PARAMS, f"a whole number from {least} to {most} is expected")
    return found


def _pubkey(params: list[Any]) -> Pubkey:
    try:
        return Pubkey.from_string(str(params[0]))
    except (ValueError, IndexError):
        raise RpcFailure(_INVALID_PARAMS, "Invalid param: not a public key") from None
