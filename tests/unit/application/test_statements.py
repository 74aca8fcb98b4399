"""Statements: the exact bytes, the right vault, the named signer, strict form."""

from dataclasses import replace

import msgspec
import pytest

from console.application.peers.signed_statements import (
    MAX_PROPOSAL_BYTES,
    SignedStatement,
    StatementRefused,
    Statements,
    signer_of,
    to_signed,
    vault_id,
    verify_member,
)
from console.application.peers.statements import (
    AnyStatement,
    CeremonyProposal,
    Denial,
    TransferProposal,
    Withdrawal,
)
from console.application.ports.vault import IdentityPort
from console.domain.errors import NotYetPossible, UnknownMember
from console.domain.member import Member
from console.protocols.kernel.secret import SecretBytes
from tests.fakes.vault import DEFAULT_PIN, FakeVault
from tests.unit.domain.facts import ANA, BEN, CEREMONY, REQUEST, WALLET

WITHDRAWAL = Withdrawal(at_ms=1, request=REQUEST)


async def identity_of(member: str) -> IdentityPort:
    vault = FakeVault(member)  # type: ignore[arg-type]
    await vault.unlock(SecretBytes(DEFAULT_PIN))
    return vault.identity


async def voice(vault: bytes = b"v" * 32) -> tuple[Statements, IdentityPort, Member]:
    """Return Ana's statements, her identity, and how others know her."""
    identity = await identity_of(ANA)
    return Statements(ANA, identity, vault), identity, await known(ANA, identity)


async def known(name: str, identity: IdentityPort) -> Member:
    return Member(
        member=name,
        display_name=name,
        identity_key=await identity.public_key(),
        tls_pin=b"",
        address="",
    )  # type: ignore[arg-type]


async def raw(identity: IdentityPort, statements: Statements, body: bytes) -> SignedStatement:
    """Sign any bytes as Ana, past the types."""
    return SignedStatement(body, ANA, await identity.sign(statements.message_of(ANA, body)))


async def test_a_statement_verifies_as_it_was_signed() -> None:
    statements, _, ana = await voice()
    signed = await statements.sign(WITHDRAWAL)
    assert statements.verify(to_signed(signed.evidence), ana) == signed
    assert signed.evidence.kind == "withdrawal"


@pytest.mark.parametrize("part", ["body", "signature"])
async def test_every_bit_counts(part: str) -> None:
    statements, _, ana = await voice()
    signed = to_signed((await statements.sign(WITHDRAWAL)).evidence)
    whole = getattr(signed, part)
    for at in range(len(whole)):
        spoiled = whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1 :]
        with pytest.raises(StatementRefused):
            statements.verify(msgspec.structs.replace(signed, **{part: spoiled}), ana)


async def test_another_vault_or_signer_is_refused() -> None:
    statements, identity, ana = await voice()
    signed = to_signed((await statements.sign(WITHDRAWAL)).evidence)
    other = await known(BEN, await identity_of(BEN))
    with pytest.raises(StatementRefused):
        Statements(ANA, identity, b"w" * 32).verify(signed, ana)
    with pytest.raises(StatementRefused, match="not by the member"):
        statements.verify(signed, other)
    with pytest.raises(StatementRefused):
        statements.verify(msgspec.structs.replace(signed, signer=BEN), other)
    with pytest.raises(StatementRefused):
        statements.verify(signed, replace(ana, identity_key=other.identity_key))


@pytest.mark.parametrize("size", [0, 63, 65])
async def test_a_signature_has_64_bytes(size: int) -> None:
    statements, _, ana = await voice()
    signed = to_signed((await statements.sign(WITHDRAWAL)).evidence)
    with pytest.raises(StatementRefused, match="64 bytes"):
        statements.verify(msgspec.structs.replace(signed, signature=bytes(size)), ana)


async def test_a_damaged_roster_key_is_a_refusal() -> None:
    statements, _, ana = await voice()
    signed = to_signed((await statements.sign(WITHDRAWAL)).evidence)
    with pytest.raises(StatementRefused):
        statements.verify(signed, replace(ana, identity_key=b"\x04" + bytes(64)))


async def test_an_oversized_statement_is_refused_before_it_is_checked() -> None:
    statements, identity, ana = await voice()
    signed = await raw(identity, statements, bytes(MAX_PROPOSAL_BYTES + 1))
    with pytest.raises(StatementRefused, match="too large"):
        statements.verify(signed, ana)


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"\xc1",
        msgspec.msgpack.encode({"kind": "unheard-of", "at_ms": 1}),
        msgspec.msgpack.encode({"at_ms": 1, "request": REQUEST}),
        msgspec.msgpack.encode({"kind": "withdrawal", "at_ms": 1}),
        msgspec.msgpack.encode({"kind": "withdrawal", "at_ms": "1", "request": REQUEST}),
        msgspec.msgpack.encode({"kind": "withdrawal", "at_ms": 1, "request": REQUEST, "x": 1}),
        msgspec.msgpack.encode(WITHDRAWAL) + b"\x00",
        b"\x83\xa4kind\xa6denial\xa5at_ms\x01\xa6reason\xa1\xff",
        b"\x82\xa1x" + b"\x91" * 60_000 + b"\xc0\xa4kind\xa6denial",
    ],
)
async def test_signed_bytes_that_are_no_statement_are_refused(body: bytes) -> None:
    statements, identity, ana = await voice()
    with pytest.raises(StatementRefused, match="no statement"):
        statements.verify(await raw(identity, statements, body), ana)


DENIAL = Denial(at_ms=1, request=REQUEST, reason="no")
CEREMONY_PROPOSAL = CeremonyProposal(
    at_ms=1,
    ceremony=CEREMONY,
    wallet=WALLET,
    wallet_name="Treasury",
    kinds=("eddsa-ed25519",),
    threshold=2,
    custodians=(ANA, BEN),
    approvals_needed=1,
    expires_at_ms=2,
)
TRANSFER = TransferProposal(
    at_ms=1,
    request=REQUEST,
    wallet=WALLET,
    epoch=0,
    kind="eddsa-ed25519",
    chain="solana",
    network="devnet",
    path="m",
    transaction=b"t",
    fee_ceiling=1,
    note="",
    policy_version=1,
    nonce=bytes(16),
    expires_at_ms=2,
)


@pytest.mark.parametrize(
    ("statement", "changed"),
    [
        (DENIAL, {"reason": ""}),
        (DENIAL, {"reason": "x" * 281}),
        (DENIAL, {"request": "rq-1"}),
        (DENIAL, {"request": REQUEST + "\n"}),
        (DENIAL, {"request": "x" * 60_000}),
        (CEREMONY_PROPOSAL, {"ceremony": "../../member/ana"}),
        (CEREMONY_PROPOSAL, {"wallet": "kc-" + "0" * 16}),
        (CEREMONY_PROPOSAL, {"wallet_name": ""}),
        (CEREMONY_PROPOSAL, {"wallet_name": "x" * 65}),
        (CEREMONY_PROPOSAL, {"custodians": tuple(f"m{n}" for n in range(33))}),
        (TRANSFER, {"note": "x" * 281}),
        (TRANSFER, {"chain": "x" * 65}),
    ],
)
async def test_fields_out_of_bounds_are_refused(
    statement: AnyStatement, changed: dict[str, object]
) -> None:
    statements, _, ana = await voice()
    bad = await statements.sign(msgspec.structs.replace(statement, **changed))
    with pytest.raises(StatementRefused, match="no statement"):
        statements.verify(to_signed(bad.evidence), ana)
    good = await statements.sign(statement)
    assert statements.verify(to_signed(good.evidence), ana).statement == statement


async def test_a_signer_is_in_the_roster() -> None:
    statements, _, ana = await voice()
    signed = to_signed((await statements.sign(WITHDRAWAL)).evidence)
    assert signer_of(signed, {ANA: ana}) is ana
    with pytest.raises(UnknownMember):
        signer_of(signed, {})


async def test_a_vault_is_named_by_its_members_in_any_order() -> None:
    ana, ben = [await known(m, await identity_of(m)) for m in (ANA, BEN)]
    assert vault_id((ana, ben)) == vault_id((ben, ana))
    assert vault_id((ana, ben)) != vault_id((ana,))
    assert vault_id((ana, ben)) != vault_id((ana, replace(ben, identity_key=b"other")))


@pytest.mark.parametrize("reason", ["no\u202eon", "two\nlines", "a\u200bb", "bell\x07"])
async def test_text_that_does_not_look_like_what_it_is_is_refused(reason: str) -> None:
    statements, _, ana = await voice()
    signed = await statements.sign(Denial(at_ms=1, request=REQUEST, reason=reason))
    with pytest.raises(StatementRefused, match="plainly"):
        statements.verify(to_signed(signed.evidence), ana)


async def test_what_a_replaced_machine_signs_counts_no_more_whatever_its_date() -> None:
    statements, old, ana = await voice()
    signed = to_signed((await statements.sign(WITHDRAWAL)).evidence)
    new = await identity_of(ANA)
    replaced = replace(
        ana, identity_key=await new.public_key(), former_keys=(await old.public_key(),)
    )
    with pytest.raises(StatementRefused):
        statements.verify(signed, replaced)
    assert await statements.is_of_this_machine(signed)
    assert not await Statements(ANA, new, b"v" * 32).is_of_this_machine(signed)


async def test_a_former_machine_s_signature_counts_if_it_is_known_to_be_older() -> None:
    _, old, ana = await voice()
    new = await identity_of(ANA)
    replaced = replace(
        ana, identity_key=await new.public_key(), former_keys=(await old.public_key(),)
    )
    verify_member(replaced, b"certificate", await new.sign(b"certificate"))
    verify_member(replaced, b"certificate", await old.sign(b"certificate"), is_older=True)
    # Whoever has the old machine could sign it today: it waits for what shows that it did not.
    with pytest.raises(NotYetPossible, match="was replaced"):
        verify_member(replaced, b"certificate", await old.sign(b"certificate"))
    for machine in (old, new):
        signature = await machine.sign(b"certificate")
        with pytest.raises(StatementRefused):
            verify_member(replaced, b"another", signature, is_older=True)
    with pytest.raises(StatementRefused):
        verify_member(ana, b"certificate", await new.sign(b"certificate"), is_older=True)


WIRE_NAMES = {
    "transfer-proposal": "at_ms request wallet epoch signature_kind chain network path transaction"
    " fee_ceiling note policy_version nonce expires_at_ms",
    "machine-vouching": "at_ms member name address identity_key certificate certified decided",
    "roster-decision": "at_ms number prior retires electors certified",
    "run-failure": "at_ms subject session reason blamed",
    "ceremony-proposal": "at_ms ceremony wallet wallet_name kinds threshold custodians"
    " approvals_needed expires_at_ms",
}
"""What crosses the wire and stands in ledgers, whatever the fields are called in the code."""


@pytest.mark.parametrize("tag", WIRE_NAMES)
def test_names_on_the_wire_stay_as_they_are(tag: str) -> None:
    kinds = {kind.__struct_config__.tag: kind for kind in AnyStatement.__args__}
    names = " ".join(field.encode_name for field in msgspec.structs.fields(kinds[tag]))
    assert names == WIRE_NAMES[tag]
