"""Messages for the tests: written with the library's own builders, or by hand."""

from solders.hash import Hash
from solders.instruction import AccountMeta, Instruction
from solders.keypair import Keypair
from solders.message import Message
from solders.pubkey import Pubkey
from solders.system_program import TransferParams, transfer

from console.adapters.chains.solana import programs
from console.adapters.chains.solana.address import token_account
from console.adapters.chains.solana.describe import WalletContext, describe
from console.application.ports.chain import Asset
from console.domain.transaction import TransactionDescription
from console.domain.values import Network

PAYER, OTHER, THIRD = (Keypair.from_seed(bytes([n]) * 32) for n in (1, 2, 3))
ME, FRIEND, STRANGER = PAYER.pubkey(), OTHER.pubkey(), THIRD.pubkey()
RECENT = Hash(bytes(range(32)))
OFF_CURVE, _ = Pubkey.find_program_address([b"vault"], programs.SYSTEM)
MINT = Keypair.from_seed(bytes([4]) * 32).pubkey()
DOLLARS = Asset(str(MINT), "USDQ", 6)
PLACE = WalletContext(Network.DEVNET, ME, {DOLLARS.address: DOLLARS})


def described(data: bytes, place: WalletContext = PLACE) -> TransactionDescription:
    return describe(data, place)


def message(*instructions: Instruction, payer: Pubkey = ME) -> bytes:
    return bytes(Message.new_with_blockhash(list(instructions), payer, RECENT))


def paid(source: Pubkey = ME, to: Pubkey = FRIEND, lamports: int = 5) -> Instruction:
    return transfer(TransferParams(from_pubkey=source, to_pubkey=to, lamports=lamports))


def noted(data: bytes, signer: Pubkey = ME) -> Instruction:
    return Instruction(programs.MEMO, data, [AccountMeta(signer, True, False)])


def called(program: Pubkey, data: bytes, *accounts: Pubkey) -> Instruction:
    """An instruction whose accounts are the wallet, who signs, and others, who do not."""
    metas = [AccountMeta(key, key == ME, key not in programs.NAMES) for key in accounts]
    return Instruction(program, data, metas)


def account_made(
    owner: Pubkey = FRIEND,
    mint: Pubkey = MINT,
    program: Pubkey = programs.TOKEN,
    payer: Pubkey = ME,
    account: Pubkey | None = None,
    data: bytes = b"\1",
) -> Instruction:
    made = account or token_account(owner, mint, program)
    return called(
        programs.ASSOCIATED_TOKEN, data, payer, made, owner, mint, programs.SYSTEM, program
    )


def tokens_sent(
    amount: int = 1_500_000,
    decimals: int = 6,
    to: Pubkey | None = None,
    source: Pubkey | None = None,
    mint: Pubkey = MINT,
    program: Pubkey = programs.TOKEN,
    authority: Pubkey = ME,
) -> Instruction:
    return called(
        program,
        bytes([12]) + amount.to_bytes(8, "little") + bytes([decimals]),
        source or token_account(ME, mint, program),
        mint,
        to or token_account(FRIEND, mint, program),
        authority,
    )
