"""Declining, cancelling, denying, withdrawing, asking again: what people do when they say no."""

import pytest

from console.application.api import (
    CommandRefused,
    GetCeremonies,
    GetInbox,
    GetLedger,
    GetOverview,
    GetWallets,
    PreviewTransfer,
)
from console.application.commands import (
    AcceptCeremony,
    ApproveRequest,
    CancelCeremony,
    ConfirmCeremonyCode,
    DeclineCeremony,
    DenyRequest,
    FundFromFaucet,
    ProposeCeremony,
    ProposeTransfer,
    RetrySigning,
    WithdrawRequest,
)
from console.application.views import CeremonyStage, RequestStage
from console.protocols.kernel.secret import SecretBytes
from tests.e2e.steps import CHAIN, DESTINATION, KIND, Office, until

_ENOUGH = 1_000_000_000
"""Lamports that the transfers of these tests can be paid from."""

pytestmark = [pytest.mark.e2e, pytest.mark.asyncio(loop_scope="session")]


@pytest.fixture(scope="module")
def names():
    """Wallet names that no other test has used."""
    return iter(f"Refused {n}" for n in range(1, 100))


async def wallet_of(office: Office) -> str:
    await office.all_ready()
    wallets = (await office.consoles["ana"].ask(GetWallets())).wallets
    wallet = wallets[0].wallet if wallets else await office.hold_ceremony("Till")
    if (await office.balance("ana", wallet) or 0) < _ENOUGH:
        await office.fund(wallet)
    return wallet


async def refused(office: Office, member: str, command) -> CommandRefused:
    with pytest.raises(CommandRefused) as caught:
        await office.consoles[member].execute(command)
    assert caught.value.what.endswith(".")
    assert caught.value.safe
    assert caught.value.next_step
    return caught.value


async def test_a_declined_ceremony_is_over_for_all(office: Office, names) -> None:
    await office.all_ready()
    ceremony = await office.propose_ceremony("ana", next(names))
    await until("ben sees it", lambda: office.ceremony("ben", ceremony))
    await office.consoles["ben"].execute(DeclineCeremony(ceremony, "not this quarter"))
    for member in office.members:
        await until(
            f"{member} sees the refusal",
            lambda m=member: office.in_stage(m, ceremony, CeremonyStage.DECLINED),
        )
    view = await office.ceremony("chiara", ceremony)
    assert view.sentence == "Ben Okafor declined: not this quarter"
    assert not view.can_accept
    assert "over" in (await refused(office, "chiara", AcceptCeremony(ceremony))).what


async def test_a_cancelled_ceremony_leaves_nothing_to_confirm(office: Office, names) -> None:
    await office.all_ready()
    ceremony = await office.propose_ceremony("ana", next(names))
    for member in ("ben", "chiara"):
        await office.accept_ceremony(member, ceremony)
    code = await until("one code", lambda: office.common_code(ceremony))
    wrong = ConfirmCeremonyCode(ceremony, "other words")
    assert "not the one of this ceremony" in (await refused(office, "ben", wrong)).what
    await office.consoles["chiara"].execute(CancelCeremony(ceremony, "a voice was missing"))
    for member in office.members:
        await until(
            f"{member} sees the cancellation",
            lambda m=member: office.in_stage(m, ceremony, CeremonyStage.CANCELLED),
        )
    await refused(office, "ana", ConfirmCeremonyCode(ceremony, str(code)))
    listed = (await office.consoles["ana"].ask(GetCeremonies())).ceremonies
    assert any(view.ceremony == ceremony and not view.can_confirm for view in listed)


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"threshold": 4}, "threshold"),
        ({"threshold": 1}, "threshold"),
        ({"approvals_needed": 3}, "cannot be reached"),
        ({"kinds": ("rsa",)}, "does not know"),
        ({"kinds": ()}, "cannot make"),
        ({"wallet_name": "  "}, "1 to 64"),
        ({"wallet_name": "Tre\u202easury"}, "plainly"),
        ({"custodians": ("ben", "chiara")}, "of which you hold a share"),
        ({"custodians": ("ana", "mallory")}, "not in the roster"),
        ({"expires_in_s": 5}, "between 5 minutes and 7 days"),
    ],
)
async def test_a_ceremony_that_cannot_be_is_refused(
    office: Office, names, change, sentence
) -> None:
    await office.all_ready()
    fields = {
        "wallet_name": next(names),
        "kinds": (KIND,),
        "threshold": 2,
        "custodians": office.members,
        "approvals_needed": 2,
        **change,
    }
    assert sentence in (await refused(office, "ana", ProposeCeremony(**fields))).what


async def test_a_denied_request_is_never_signed(office: Office) -> None:
    wallet = await wallet_of(office)
    request = await office.propose_transfer("ana", wallet, "0.01")
    await until("ben sees it", lambda: office.request("ben", request))
    await office.consoles["ben"].execute(DenyRequest(request, "wrong payee"))
    for member in office.members:
        view = await until(f"{member} sees it denied", lambda m=member: denied(office, m, request))
        assert view.sentence == "Ben Okafor denied: wrong payee"
        assert not view.can_approve
    shown = await office.request("chiara", request)
    pin = SecretBytes(office.cluster.members["chiara"].pin.encode())
    late = ApproveRequest(request, shown.intent_digest, pin)
    assert "over" in (await refused(office, "chiara", late)).what
    await refused(office, "ana", RetrySigning(request))


async def denied(office: Office, member: str, request: str):
    view = await office.request(member, request)
    return view if view.stage is RequestStage.DENIED else None


async def test_a_request_is_withdrawn_by_its_proposer_alone(office: Office) -> None:
    wallet = await wallet_of(office)
    request = await office.propose_transfer("ana", wallet, "0.01")
    await until("ben sees it", lambda: office.request("ben", request))
    await refused(office, "ben", WithdrawRequest(request))
    await office.consoles["ana"].execute(WithdrawRequest(request))
    view = await office.request("ana", request)
    assert view.stage is RequestStage.WITHDRAWN
    assert view.timeline[-1].title == "Withdrawn: nothing was signed"


async def test_an_approval_is_for_what_was_seen_by_who_may_and_with_the_pin(
    office: Office,
) -> None:
    wallet = await wallet_of(office)
    request = await office.propose_transfer("ana", wallet, "0.01")
    shown = await until("ben sees it", lambda: office.request("ben", request))

    def approval(member: str, digest: str, pin: str) -> ApproveRequest:
        del member
        return ApproveRequest(request, digest, SecretBytes(pin.encode()))

    pins = {m: state.pin for m, state in office.cluster.members.items()}
    own = await refused(office, "ana", approval("ana", shown.intent_digest, pins["ana"]))
    assert "another custodian" in own.what
    other = await refused(office, "ben", approval("ben", "00" * 32, pins["ben"]))
    assert "not the one on record" in other.what
    assert (await office.request("ben", request)).approvals_done == 0
    overview = await office.consoles["ben"].ask(GetOverview())
    assert any(task.subject == request for task in overview.tasks)
    rows = (await office.consoles["ben"].ask(GetInbox())).rows
    assert any(row.request == request and row.needs_me for row in rows)
    await office.consoles["ana"].execute(WithdrawRequest(request))


@pytest.mark.parametrize(
    ("destination", "amount", "sentence"),
    [
        (DESTINATION, "0", "above 0"),
        (DESTINATION, "1,5", "digits"),
        (DESTINATION, "0.0000000001", "at most 9 decimals"),
        ("not an address", "1", "address"),
    ],
)
async def test_a_transfer_that_cannot_be_is_refused_at_the_preview(
    office: Office, destination, amount, sentence
) -> None:
    wallet = await wallet_of(office)
    with pytest.raises(CommandRefused) as caught:
        await office.consoles["ana"].ask(
            PreviewTransfer(wallet=wallet, chain=CHAIN, to_address=destination, amount=amount)
        )
    assert sentence in caught.value.what


async def test_a_preview_names_what_blocks_it(office: Office) -> None:
    wallet = await wallet_of(office)
    console = office.consoles["ana"]
    own = (await console.ask(GetWallets())).wallets[0].accounts[0].address
    preview = await console.ask(
        PreviewTransfer(wallet=wallet, chain=CHAIN, to_address=own, amount="900000")
    )
    assert "The destination is this wallet itself." in preview.problems
    assert "The balance does not cover the amount and the fee." in preview.problems
    assert not preview.balance_after


async def test_bytes_that_are_no_transfer_are_not_asked_for(office: Office) -> None:
    wallet = await wallet_of(office)
    await refused(
        office, "ana", ProposeTransfer(wallet=wallet, chain=CHAIN, transaction=b"\x01\x02")
    )
    await refused(
        office, "ana", ProposeTransfer(wallet=wallet, chain="bitcoin", transaction=b"\x01\x02")
    )
    await refused(office, "ana", FundFromFaucet(wallet=wallet, chain=CHAIN, base_units=0))


async def test_the_ledger_is_searched_by_word(office: Office) -> None:
    await wallet_of(office)
    console = office.consoles["ana"]
    page = await console.ask(GetLedger(text="ceremony", limit=5))
    assert 0 < len(page.rows) <= 5 <= page.total
    assert all("ceremony" in f"{row.name}{row.stream}{row.summary}".lower() for row in page.rows)
    nothing = await console.ask(GetLedger(text="no such word"))
    assert (nothing.rows, nothing.total) == ((), 0)
