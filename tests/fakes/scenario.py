"""A plausible vault for tests and pictures: three members, two wallets, every stage."""

import hashlib

from console.application import views as v
from console.application.views import CeremonyStage, RequestStage, StepState
from console.domain.values import CeremonyPurpose

NOW_MS = 1_772_632_920_000  # 2026-03-04 14:02 UTC
MINUTE = 60_000
HOUR = 60 * MINUTE
PEOPLE = {"ana": "Ana Ruiz", "ben": "Ben Okafor", "chiara": "Chiara Neri"}
ADDRESS = "7xKXtg2CWzDPnoq9sVJrT5bQ8mEyLhU4aRfG1Zk3NwYu"
ETHER_ADDRESS = "0x8617E340B3D01FA5F11F306F4090FD50E238070D"
TOKEN = "0x5FbDB2315678afecb367f032d93F642f64180aa3"
SEGWIT_ADDRESS = "bcrt1qw508d6qejxtdg4y5r3zarvary0c5xw7kygt080"
DESCRIPTOR = "wpkh([d34db33f/84/0/0]tpubD6NzVbkrYhZ4Y/<0;1>/*)#checksum"
DESTINATION = "9mPq4RzvTtH2sWcXfK8uNbYd6JgE1oLhA5VkQ7wZeDr3"
LEDGER_SIZE = 5_000
WALLET = "wl-5f0c1a9e77d2b364"
RESERVE = "wl-91ab0c44d8e7f250"
ROUNDS = ("Commit", "Reveal", "Shares", "Confirm")
KEYS = {
    "ecdsa-secp256k1": "Bitcoin, Ethereum (ECDSA)",
    "schnorr-bip340": "Bitcoin Taproot (Schnorr)",
    "eddsa-ed25519": "Solana (EdDSA)",
}
"""Every kind of keys, as the product names it in full."""
SIGNING_ROUNDS = ("Commitments", "Shares")


def digest(text: str) -> str:
    """Return 64 hexadecimal digits."""
    return hashlib.sha256(text.encode()).hexdigest()


def members(me: str = "ana", offline: tuple[str, ...] = ()) -> tuple[v.MemberView, ...]:
    """Return the roster as one member sees it."""
    return tuple(
        v.MemberView(
            member=member,
            name=name,
            online=member not in offline,
            is_me=member == me,
            last_seen_ms=NOW_MS - (4_000 if member not in offline else 26 * MINUTE),
            ledger_sequence=LEDGER_SIZE - (0 if member not in offline else 31),
        )
        for member, name in PEOPLE.items()
    )


def vault(**changes: object) -> v.VaultView:
    """Return the token."""
    facts: dict[str, object] = {
        "kind": "softhsm",
        "label": "quorate-ana",
        "model": "SoftHSM v2",
        "serial": "6f1d 22ae",
        "present": True,
        "unlocked": False,
        "attempts_left": 8,
        "retry_after_s": 0.0,
        "backing": "PKCS#11 token",
    }
    return v.VaultView(**(facts | changes))  # type: ignore[arg-type]


def session(
    state: v.NodeState = v.NodeState.LOCKED, me: str = "ana", **changes: object
) -> v.SessionView:
    """Return where the node stands."""
    ready = state is v.NodeState.READY
    facts: dict[str, object] = {
        "state": state,
        "member": me,
        "member_name": PEOPLE[me],
        "network": "devnet",
        "chains": ("solana",),
        "version": "0.1.0",
        "vault": vault(unlocked=ready, label=f"quorate-{me}"),
        "members": members(me, ("chiara",) if ready else tuple(PEOPLE)),
        "ledger_sequence": LEDGER_SIZE if ready else 0,
        "ledger_verified_to": LEDGER_SIZE - 12 if ready else 0,
        "last_unlocked_ms": NOW_MS - 19 * HOUR,
        "halted_because": "",
        "opening_done": 0,
        "opening_total": 0,
    }
    return v.SessionView(**(facts | changes))  # type: ignore[arg-type]


def run(
    protocol: str, rounds: tuple[str, ...], reached: int, *, ended: bool = False, failure: str = ""
) -> v.ProtocolSessionView:
    """Return a protocol session: rounds before `reached` are done, Chiara is last in it."""
    cells = []
    for place, member in enumerate(PEOPLE):
        for number in range(1, len(rounds) + 1):
            if number < reached or ended:
                state = StepState.DONE
            elif number == reached:
                state = (StepState.SENT, StepState.DONE, StepState.WAITING)[place]
            else:
                state = StepState.NOT_STARTED
            if failure and number == reached:
                state = StepState.FAILED if member == "chiara" else StepState.DONE
            cells.append(v.CellView(member, number, state))
    return v.ProtocolSessionView(
        session=digest(protocol),
        protocol=protocol,
        attempt=1,
        rounds=rounds,
        round=reached,
        participants=tuple(PEOPLE),
        cells=tuple(cells),
        sentence=f"Round {reached} of {len(rounds)}. 2 of 3 messages verified. "
        "Waiting for Chiara Neri, 38 s left.",
        started_ms=NOW_MS - 12_000,
        deadline_ms=NOW_MS + 38_000,
        ended=ended,
        failure=failure,
    )


def wallet(
    identifier: str = WALLET,
    name: str = "Treasury",
    balance: str = "12.482\u2009905\u2009000",
    **changes: object,
) -> v.WalletView:
    """Return a wallet with an account and a history."""
    account = v.AccountView(
        chain="solana",
        network="devnet",
        path="m/0",
        address=ADDRESS,
        unit="SOL",
        decimals=9,
        balance=balance,
        balance_base_units="12482905000",
        balance_as_of_ms=NOW_MS - 42_000,
        balance_error="",
        label="Solana",
        abilities=("lasting", "memo"),
        import_form="An unsigned message",
        export=ADDRESS,
    )
    ether = v.AccountView(
        chain="ethereum",
        network="devnet",
        path="m/44/60/0/0/0",
        address=ETHER_ADDRESS,
        unit="ETH",
        decimals=18,
        balance="3.250\u2009000\u2009000\u2009000\u2009000\u2009000",
        balance_base_units="3250000000000000000",
        balance_as_of_ms=NOW_MS - 9_000,
        balance_error="",
        label="Ethereum",
        tokens=(
            v.TokenView(
                address=TOKEN,
                unit="USDX",
                decimals=6,
                balance="1\u2009200.500\u2009000",
                balance_base_units="1200500000",
            ),
        ),
        abilities=("call", "message"),
        import_form="An unsigned transaction",
        export=ETHER_ADDRESS,
    )
    segwit = v.AccountView(
        chain="bitcoin",
        network="devnet",
        path="m/84/0/0",
        address=SEGWIT_ADDRESS,
        unit="BTC",
        decimals=8,
        balance="0.750\u2009000\u200900",
        balance_base_units="75000000",
        balance_as_of_ms=NOW_MS - 9_000,
        balance_error="",
        label="Bitcoin SegWit",
        abilities=("accelerate", "message"),
        import_form="A PSBT",
        export=DESCRIPTOR,
    )
    history = tuple(
        v.HistoryItemView(
            request=f"rq-{digest(str(n))[:16]}",
            account=f"{account.chain}:{account.path}",
            amount=amount,
            unit="SOL",
            to_address=DESTINATION,
            state=state,
            at_ms=NOW_MS - n * 26 * HOUR - 11 * MINUTE,
            transaction_id=digest(f"tx{n}") if state == "confirmed" else "",
        )
        for n, (amount, state) in enumerate(
            (
                ("0.750\u2009000\u2009000", "confirmed"),
                ("2.000\u2009000\u2009000", "confirmed"),
                ("5.100\u2009000\u2009000", "denied"),
            ),
            1,
        )
    )
    facts: dict[str, object] = {
        "wallet": identifier,
        "name": name,
        "kinds": ("eddsa-ed25519",),
        "threshold": 2,
        "approvals_needed": 2,
        "epoch": 1,
        "custodians": members(offline=("chiara",)),
        "accounts": (account, ether, segwit),
        "history": history,
        "created_ms": NOW_MS - 9 * 24 * HOUR,
        "holds_share": True,
    }
    return v.WalletView(**(facts | changes))  # type: ignore[arg-type]


def description(
    amount: str = "1.250\u2009000\u2009000", memo: str = "Invoice 2026-118"
) -> v.DescriptionView:
    """Return a transfer decoded from bytes."""
    return v.DescriptionView(
        chain="solana",
        network="devnet",
        action="Transfer",
        amount=amount,
        unit="SOL",
        from_address=ADDRESS,
        to_address=DESTINATION,
        fee="0.000\u2009005\u2009000",
        fee_unit="SOL",
        fields=(
            v.FieldView("Instructions", "2, all of them decoded"),
            v.FieldView("Memo", memo),
            v.FieldView("Recent blockhash", "8Hq3 Vw1T \u2026 pK4z Nd7c"),
        ),
        red_flags=(),
        digest=digest("bytes"),
    )


_STORY = (
    ("Request created", "Ben Okafor"),
    ("Policy evaluated", "4 rules"),
    ("Approvals", "1 of 2"),
    ("Signing", "2 rounds"),
    ("Broadcast", ""),
    ("Confirmed and sealed", ""),
)
_REACHED = {
    RequestStage.AWAITING_APPROVAL: 2,
    RequestStage.APPROVED: 3,
    RequestStage.SIGNING: 3,
    RequestStage.SIGNED: 4,
    RequestStage.BROADCAST: 5,
    RequestStage.REFUSED: 4,
    RequestStage.CONFIRMED: 6,
}
STAGES = tuple(RequestStage)
REFUSED = (
    "Signed, but the chain's node refuses it: the fee is below what the chain's nodes take now. "
    "The funds have not moved. It is broadcast again, and the signature stays valid: speed it up "
    "or cancel it. A second request for the same could pay twice."
)


def request_name(stage: RequestStage) -> str:
    """Return the id of the request that stands at this stage."""
    return f"rq-{digest(stage)[:16]}"


def _timeline(stage: RequestStage) -> tuple[v.TimelineItemView, ...]:
    reached = _REACHED.get(stage, 2)
    ended = stage not in _REACHED
    items = []
    for place, (title, detail) in enumerate(_STORY):
        state = StepState.DONE if place < reached else StepState.NOT_STARTED
        if place == reached:
            state = StepState.FAILED if ended else StepState.WAITING
        at = NOW_MS - (40 - 6 * place) * MINUTE if state is StepState.DONE else None
        text = detail if state is not StepState.NOT_STARTED else "not started"
        items.append(v.TimelineItemView(title=title, detail=text, state=state, at_ms=at))
    return tuple(items)


def request(
    stage: RequestStage = RequestStage.AWAITING_APPROVAL, **changes: object
) -> v.RequestView:
    """Return a request at a stage; Ben proposed it, Chiara has approved it."""
    waiting = stage is RequestStage.AWAITING_APPROVAL
    done = 1 if waiting or stage in {RequestStage.DENIED, RequestStage.EXPIRED} else 2
    mine = StepState.DONE if done == 2 else StepState.WAITING
    if stage is RequestStage.DENIED:
        mine = StepState.DENIED
    said = f"The request is {stage.value.replace('-', ' ')}."
    if waiting:
        said = "One more approval is needed, from you."
    elif stage is RequestStage.REFUSED:
        said = REFUSED
    facts: dict[str, object] = {
        "request": request_name(stage),
        "wallet": WALLET,
        "wallet_name": "Treasury",
        "threshold": 2,
        "stage": stage,
        "sentence": said,
        "description": description(),
        "short_code": "K7Q4-M2VD",
        "intent_digest": digest("intent"),
        "note": "March invoice of the hosting provider",
        "proposer": "ben",
        "proposer_name": "Ben Okafor",
        "proposed_at_ms": NOW_MS - 40 * MINUTE,
        "expires_at_ms": NOW_MS + 80 * MINUTE,
        "approvals": (
            v.ApprovalView(
                member="chiara",
                name="Chiara Neri",
                is_me=False,
                state=StepState.DONE,
                at_ms=NOW_MS - 9 * MINUTE,
                reason="",
            ),
            v.ApprovalView(
                member="ana",
                name="Ana Ruiz",
                is_me=True,
                state=mine,
                at_ms=NOW_MS - 2 * MINUTE if mine is not StepState.WAITING else None,
                reason="The invoice was paid already." if mine is StepState.DENIED else "",
            ),
        ),
        "approvals_done": done,
        "approvals_needed": 2,
        "checks": (
            v.PolicyCheckView("Daily limit", True, "1.25 of 5 SOL used today."),
            v.PolicyCheckView("Quorum", True, "2 approvals by members other than the proposer."),
            v.PolicyCheckView(
                "Destination", False, "First transfer to this address. Compare twice."
            ),
        ),
        "timeline": _timeline(stage),
        "run": run("FROST Ed25519", SIGNING_ROUNDS, 2) if stage is RequestStage.SIGNING else None,
        "past_runs": (),
        "transaction_id": digest("tx")
        if stage in {RequestStage.BROADCAST, RequestStage.CONFIRMED}
        else "",
        "signature": "",
        "fee_ceiling": "0.000\u2009010\u2009000",
        "can_approve": waiting,
        "approve_blocked_because": "" if waiting else "The request is already decided.",
        "can_deny": waiting,
        "can_withdraw": False,
        "can_retry": stage is RequestStage.FAILED,
        "can_replace": stage in {RequestStage.BROADCAST, RequestStage.REFUSED},
        "account": "ethereum:m/44/60/0/0/0",
        "unsigned_bytes": b"psbt\xff".hex(),
        "unsigned_text": "cHNidP8=",
        "signed_bytes": "0102" if stage in {RequestStage.BROADCAST, RequestStage.CONFIRMED} else "",
    }
    facts["signed_text"] = facts["signed_bytes"]
    return v.RequestView(**(facts | changes))  # type: ignore[arg-type]


def inbox() -> v.InboxView:
    """Return one row for every stage."""
    rows = tuple(
        v.RequestRow(
            request=request_name(stage),
            wallet_name="Treasury",
            amount=f"{n}.250\u2009000\u2009000",
            unit="SOL",
            to_address=DESTINATION,
            chain="solana",
            stage=stage,
            approvals_done=1 if stage is RequestStage.AWAITING_APPROVAL else 2,
            approvals_needed=2,
            proposer_name="Ben Okafor" if n % 2 else "Chiara Neri",
            proposed_at_ms=NOW_MS - n * 3 * HOUR,
            expires_at_ms=NOW_MS + (n + 1) * 40 * MINUTE,
            needs_me=stage is RequestStage.AWAITING_APPROVAL,
            short_code=f"{digest(stage)[:4]}-{digest(stage)[4:8]}".upper(),
        )
        for n, stage in enumerate(STAGES, 1)
    )
    return v.InboxView(rows, len(rows))


def ceremony_name(stage: CeremonyStage) -> str:
    """Return the id of the ceremony that stands at this stage."""
    return f"kc-{digest(stage)[:16]}"


_SENTENCES = {
    CeremonyStage.AWAITING_ACCEPTANCE: "2 of 3 custodians accepted. Waiting for you.",
    CeremonyStage.READY: "All custodians accepted. The rounds start now.",
    CeremonyStage.RUNNING: "Round 3 of 4. 2 of 3 shares verified. Waiting for Chiara Neri, 38 s.",
    CeremonyStage.COMPARING: "Shares are sealed as pending. Compare the code; 1 of 3 confirmed it.",
    CeremonyStage.COMPLETED: "All custodians confirmed. The wallet is active.",
    CeremonyStage.DECLINED: "Chiara Neri declined: the threshold is too low.",
    CeremonyStage.CANCELLED: "Ben Okafor cancelled it: a wrong list of custodians.",
    CeremonyStage.EXPIRED: "Not everybody accepted in time.",
}


def ceremony(stage: CeremonyStage, **changes: object) -> v.CeremonyView:
    """Return a ceremony at a stage."""
    accepting = stage is CeremonyStage.AWAITING_ACCEPTANCE
    coded = stage in {CeremonyStage.COMPARING, CeremonyStage.COMPLETED}
    completed = stage is CeremonyStage.COMPLETED
    people = []
    for place, (member, name) in enumerate(PEOPLE.items()):
        accepted = not (accepting and member == "ana")
        confirmed = completed or (coded and member == "ben")
        people.append(
            v.CustodianView(
                member=member,
                name=name,
                is_me=member == "ana",
                accepted=StepState.DONE if accepted else StepState.WAITING,
                accepted_ms=NOW_MS - (20 - place) * MINUTE if accepted else None,
                confirmed=StepState.DONE if confirmed else StepState.WAITING,
                confirmed_ms=NOW_MS - MINUTE if confirmed else None,
            )
        )
    runs = {
        CeremonyStage.RUNNING: run("Key generation", ROUNDS, 3),
        CeremonyStage.COMPARING: run("Key generation", ROUNDS, 4, ended=True),
        CeremonyStage.COMPLETED: run("Key generation", ROUNDS, 4, ended=True),
    }
    facts: dict[str, object] = {
        "ceremony": ceremony_name(stage),
        "purpose": CeremonyPurpose.GENERATE,
        "epoch": 0,
        "repaired": "",
        "leaving": (),
        "wallet": WALLET,
        "wallet_name": "Treasury" if completed else "Operations",
        "kinds": tuple(KEYS),
        "key_names": tuple(KEYS.values()),
        "threshold": 2,
        "approvals_needed": 2,
        "custodians": tuple(people),
        "proposer": "ben",
        "proposer_name": "Ben Okafor",
        "stage": stage,
        "sentence": _SENTENCES[stage],
        "proposed_at_ms": NOW_MS - 25 * MINUTE,
        "expires_at_ms": NOW_MS + 23 * HOUR,
        "run": runs.get(stage),
        "failed_runs": (),
        "code": "harbor velvet nomad citrus walnut ember  \u00b7  7F3A" if coded else "",
        "safety": "The wallet is active; nothing can be stopped any more."
        if completed
        else "No key exists yet. You can start again.",
        "can_accept": accepting,
        "can_confirm": stage is CeremonyStage.COMPARING,
        "can_cancel": stage
        in {CeremonyStage.AWAITING_ACCEPTANCE, CeremonyStage.RUNNING, CeremonyStage.COMPARING},
    }
    return v.CeremonyView(**(facts | changes))  # type: ignore[arg-type]


_CHANGES = {
    CeremonyPurpose.REFRESH: ("Refresh", ("Commit", "Shares", "Confirm")),
    CeremonyPurpose.REPAIR: ("Repair", ("Helpers", "Shares", "Refresh", "Confirm")),
    CeremonyPurpose.RESHARE: ("Reshare", ("Deal", "Check", "Confirm")),
}


def change_name(purpose: str) -> str:
    """Return the id of the ceremony that changes shares in this way."""
    return f"kc-{digest(purpose)[:16]}"


def change(
    purpose: CeremonyPurpose, stage: CeremonyStage = CeremonyStage.RUNNING, **changes: object
) -> v.CeremonyView:
    """Return a ceremony that changes shares; in a reshare Chiara leaves."""
    protocol, rounds = _CHANGES[purpose]
    running = stage is CeremonyStage.RUNNING
    facts: dict[str, object] = {
        "ceremony": change_name(purpose),
        "purpose": purpose,
        "epoch": 4,
        "repaired": "chiara" if purpose is CeremonyPurpose.REPAIR else "",
        "leaving": ("chiara",) if purpose is CeremonyPurpose.RESHARE else (),
        "wallet_name": "Treasury",
        "run": run(protocol, rounds, 2) if running else None,
        "sentence": "Round 2. 2 of 3 messages verified. Waiting for Chiara Neri, 38 s."
        if running
        else _SENTENCES[stage],
        "safety": "The old shares stay valid. Nothing has changed yet.",
    }
    return ceremony(stage, **(facts | changes))


EVENTS = (
    ("signing-request.approved.v1", "Ana Ruiz approved a transfer of 0.75 SOL", "ana"),
    ("signing-session.completed.v1", "Signature for Treasury verified under the group key", "ben"),
    ("broadcast.confirmed.v1", "Transfer confirmed on solana devnet", "ben"),
    ("peer.receipt.v1", "Ledger head receipt from Chiara Neri", "chiara"),
    ("node.unlocked.v1", "Vault unlocked, chain verified", "ana"),
    ("signing-request.proposed.v1", "Ben Okafor requested a transfer of 0.75 SOL", "ben"),
)


def record(sequence: int) -> v.LedgerRow:
    """Return one record of the ledger."""
    name, summary, member = EVENTS[sequence % len(EVENTS)]
    return v.LedgerRow(
        sequence=sequence,
        at_ms=NOW_MS - (LEDGER_SIZE - sequence) * 7 * MINUTE - 31_000,
        name=name,
        stream=f"request/rq-{digest(str(sequence))[:16]}",
        summary=summary,
        member=member,
        hash=digest(f"record{sequence}"),
        previous_hash=digest(f"record{sequence - 1}"),
        detail="Signed by the member's identity key. Payload 412 bytes.",
    )


def movements(chain: str) -> tuple[v.MovementView, ...]:
    """Return what a chain tells of an account; Ethereum's nodes keep no such list."""
    if chain == "ethereum":
        return ()
    unit = {"solana": "SOL", "bitcoin": "BTC"}[chain]
    return (
        v.MovementView(
            transaction_id=digest("in"),
            amount="2.5",
            unit=unit,
            incoming=True,
            block=812,
            at_ms=NOW_MS - HOUR,
        ),
        v.MovementView(
            transaction_id=digest("out"),
            amount="1.25",
            unit=unit,
            incoming=False,
            block=0,
            at_ms=None,
        ),
        *(
            (
                v.MovementView(
                    transaction_id=digest("late"),
                    amount="0.5",
                    unit=unit,
                    incoming=True,
                    block=0,
                    at_ms=None,
                ),
            )
            if unit == "BTC"
            else ()
        ),
    )
