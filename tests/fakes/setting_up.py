"""A set-up process in memory, for the window's tests and pictures; its troubles can be chosen."""

import asyncio
import hashlib
import json
from collections.abc import AsyncIterator, Callable, Iterable
from dataclasses import dataclass, field

from msgspec.structs import replace

from console.client.set_up import messages as m
from console.client.set_up.port import A, SetUpRefused
from console.domain.short_code import short_code

PIN = "123456"
LIBRARY = "/usr/lib/vendor/libvendorpkcs11.so"
WRONG_PIN = SetUpRefused(
    "wrong-pin",
    "The token refused the PIN. 2 tries are left.",
    "No key was made. Nothing was left on the token.",
    "Enter the PIN again.",
)
LAST_TRY = SetUpRefused(
    "last-try",
    "One try is left. A wrong PIN locks the token.",
    "The PIN was not tried. Nothing was left on the token.",
    "Confirm that you are sure of the PIN, and enter it again.",
)
PIN_NEEDED = SetUpRefused(
    "pin-needed",
    "Keys of ana-ruiz are in the token 'treasury-ana'.",
    "Nothing was removed yet.",
    "Enter the token's PIN, so that the keys can be removed from it.",
)
FAILED = SetUpRefused(
    "set-up-failed",
    "The set-up process ended before it answered.",
    "Nothing half-made is left; what was kept is still there.",
    "Try again. If this lasts, keep the set-up and start the window again.",
)
UNREADABLE = SetUpRefused(
    "entry-unreadable",
    "Line 2 is no entry of a member.",
    "Nothing was added.",
    "Ask for the file again, or paste each entry as one line.",
)


def token(label: str = "treasury-ana", **changes: object) -> m.TokenSeen:
    """Return a token that suits."""
    plain = m.TokenSeen(
        module=LIBRARY,
        slot=0,
        label=label,
        maker="Nitrokey",
        model="Nitrokey HSM",
        serial="DENK0104078",
        pin="10 tries left",
        missing=(),
        for_tests_only=False,
        in_use=False,
    )
    return replace(plain, **changes)


def module(*tokens: m.TokenSeen, problem: str = "", path: str = LIBRARY) -> m.ModuleSeen:
    """Return a library and its tokens."""
    return m.ModuleSeen(module=path, maker="Nitrokey", tokens=tokens, problem=problem)


def tokens() -> m.TokensSeen:
    """Return what a machine with three tokens tells."""
    lacking = token(
        "archive",
        maker="Yubico",
        model="YubiHSM 2",
        serial="07550054",
        slot=1,
        pin="",
        missing=("AES-GCM", "generation of AES keys", "data objects", "a second session"),
    )
    used = token("treasury-old", serial="DENK0100321", slot=2, in_use=True)
    return m.TokensSeen(modules=(module(token(), lacking, used),), softhsm=True)


def _row(
    name: str, need: str, found: str, used: str = "", *, fits: bool | None = True
) -> m.CapabilityRow:
    return m.CapabilityRow(name=name, need=need, found=found, used=used, fits=fits)


ROWS = (
    _row("PIN", "set and not locked", "10 tries left", "login as user"),
    _row("Storage", "not write-protected", "writable", "sessions"),
    _row(
        "Identity key",
        "P-256, made in the token",
        "EC key pairs, ECDSA",
        "CKM_EC_KEY_PAIR_GEN, CKM_ECDSA",
    ),
    _row("Presence", "asks for the PIN at each signature", "listed; not tried yet", fits=None),
    _row("Sealing", "32 bytes, with bound data", "AES-GCM with an IV of ours", "CKM_AES_GCM"),
    _row("Key record", "266 bytes, public", "not tried yet", fits=None),
)
KMS_ROWS = (
    _row("Credentials", "credentials for AWS", "found: env", "as they are found; none stored here"),
    _row("Service", "AWS KMS", "AWS\u2019s own endpoint", "not run against the real service yet"),
    _row("Sealing", "a symmetric key", "no key is named, so nothing was tried", fits=None),
    _row("Identity key", "a P-256 key", "no key is named, so nothing was tried", fits=None),
    _row("Presence key", "the operator\u2019s presence", "KMS knows no operator", "a passphrase"),
)
KMS_UNFIT = (replace(KMS_ROWS[0], found="none were found", fits=False), *KMS_ROWS[1:])
TRIED = tuple(
    row
    if row.fits is not None
    else replace(row, found="tried: it works", used="CKA_ALWAYS_AUTHENTICATE", fits=True)
    for row in ROWS
)
UNFIT = tuple(
    replace(row, found="not enforced", fits=False) if row.name == "Presence" else row
    for row in TRIED
)


def _preset(chain: str, name: str, network: str, title: str, *, hint: str = "", url: str = ""):
    return m.ChainPreset(
        chain=chain,
        chain_name=name,
        network=network,
        network_name=title,
        urls=(url,) if url else (),
        hint=hint,
        is_main=network == "mainnet",
        websocket=chain == "solana",
    )


_CORE = "A Bitcoin Core node of your own, with its RPC port and a transaction index."
PRESETS = (
    _preset("bitcoin", "Bitcoin", "mainnet", "Main network", hint=_CORE),
    _preset("bitcoin", "Bitcoin", "testnet4", "Testnet 4", hint=_CORE),
    _preset("ethereum", "Ethereum", "mainnet", "Main network", hint="A node of your own."),
    _preset("ethereum", "Ethereum", "sepolia", "Sepolia", hint="A node of your own."),
    _preset("solana", "Solana", "mainnet", "Main network", hint="Two providers at least."),
    _preset("solana", "Solana", "devnet", "Devnet", url="https://api.devnet.solana.com"),
)

PEOPLE = {"ana-ruiz": "Ana Ruiz", "ben": "Ben Okafor", "chiara": "Chiara Neri", "dara": "Dara Lev"}


def entry(member: str, name: str = "", port: int = 7421) -> m.EntrySeen:
    """Return a member's entry, as long as a real one."""
    name = name or PEOPLE.get(member, member.title())
    digest = hashlib.sha256(member.encode()).hexdigest()
    address = f"{member}.example.org:{port}"
    body = {
        "member": member,
        "name": name,
        "address": address,
        "identity_key": digest * 2,
        "tls_certificate": (digest * 10)[:600],
    }
    code = short_code(hashlib.sha256(json.dumps(body).encode()).digest())
    return m.EntrySeen(member=member, name=name, address=address, code=code, line=json.dumps(body))


def lines(members: Iterable[str]) -> str:
    """Return the entries of members as a file has them."""
    return "".join(f"{entry(member).line}\n" for member in members)


def draft(step: int = 1, purpose: m.Purpose = m.Purpose.CREATE, **changes: object) -> m.Draft:
    """Return Ana's set-up as it stands when a page is begun."""
    made = m.Draft(member="ana-ruiz", name="Ana Ruiz", purpose=purpose, step=step)
    if step > 2:
        choice = m.TokenChoice(
            kind=m.TokenKind.PKCS11, module=LIBRARY, label="treasury-ana", serial="DENK0104078"
        )
        made = replace(made, token=choice)
    if step > 3:
        made = replace(made, keys_made=True)
    if step > 4:
        made = replace(made, listen="192.0.2.10:7421")
    if step > 5:
        chain = m.ChainChoice(
            chain="solana", network="devnet", urls=("https://api.devnet.solana.com",)
        )
        made = replace(made, chains=(chain,))
    if step > 6:
        others = tuple(entry(member).line for member in ("ben", "chiara"))
        made = replace(made, entry=entry("ana-ruiz").line, lines=others)
    return replace(made, **changes)


@dataclass
class FakeSettingUp:
    """Implements `SettingUp`. `refusals` and `hangs` are by the kind of question."""

    seen: m.TokensSeen = field(default_factory=tokens)
    drafts: dict[str, m.Draft] = field(default_factory=dict)
    trial: bool = False
    trial_possible: str = ""
    trial_home: str = ""
    pin: str = PIN
    checked: tuple[m.CapabilityRow, ...] = TRIED
    kms_checked: tuple[m.CapabilityRow, ...] = KMS_ROWS
    works: bool = True
    refusals: dict[type[m.Question], SetUpRefused] = field(default_factory=dict)
    hangs: set[type[m.Question]] = field(default_factory=set)
    asked: list[m.Question] = field(default_factory=list)
    cancelled: list[type[m.Question]] = field(default_factory=list)
    ending_s: float = 0.0
    """How long a process takes to end."""
    ended: list[type[m.Question]] = field(default_factory=list)
    told: dict[type[m.Question], m.Progress] = field(default_factory=dict)
    watched: int = 0
    _changed: list[asyncio.Event] = field(default_factory=list)

    def plug(self, seen: m.TokensSeen) -> None:
        """Change what is plugged in."""
        self.seen = seen
        for each in self._changed:
            each.set()

    def last(self, kind: type[A] | type[m.Question]) -> m.Question:
        """Return the newest question of a kind."""
        return next(each for each in reversed(self.asked) if isinstance(each, kind))

    async def ask(
        self,
        question: m.Question,
        kind: type[A],
        tell: Callable[[m.Progress], None] = lambda _progress: None,
    ) -> A:
        """Answer, refuse or hang."""
        self.asked.append(question)
        what = type(question)
        try:
            await asyncio.sleep(0)
            if what in self.told:
                tell(self.told[what])
            if what in self.hangs:
                await asyncio.Event().wait()
        except asyncio.CancelledError:
            self.cancelled.append(what)
            await asyncio.sleep(self.ending_s)
            self.ended.append(what)
            raise
        if what in self.refusals:
            raise self.refusals[what]
        answer = self._answer(question)
        assert isinstance(answer, kind)
        return answer

    async def watch(self, question: m.WatchTokens) -> AsyncIterator[m.TokensSeen]:
        """Tell the tokens until closed."""
        self.asked.append(question)
        self.watched += 1
        changed = asyncio.Event()
        self._changed.append(changed)
        try:
            while True:
                await asyncio.sleep(0)
                if m.WatchTokens in self.refusals:
                    raise self.refusals[m.WatchTokens]
                if m.WatchTokens not in self.hangs:
                    yield self.seen
                await changed.wait()
                changed.clear()
        finally:
            self.watched -= 1
            self._changed.remove(changed)

    def _try(self, pin: str | None) -> None:
        if pin != self.pin:
            raise WRONG_PIN

    def _answer(self, question: m.Question) -> m.Answer:
        match question:
            case m.LookHere():
                return m.Here(
                    drafts=tuple(self.drafts.values()),
                    trial=self.trial,
                    trial_possible=self.trial_possible,
                )
            case m.KeepDraft(draft=kept):
                self.drafts[kept.member] = kept
                return m.DraftKept()
            case m.JudgeName():
                return _judge(question)
            case m.Discard(draft=gone, pin=pin):
                in_kms = gone.token is not None and gone.token.kind is m.TokenKind.KMS
                if gone.keys_made and not in_kms:
                    self._try(pin)
                self.drafts.pop(gone.member, None)
                return m.Discarded()
            case m.DiscardTrial():
                self.trial = False
                return m.Discarded()
            case m.MakeTrial():
                self.trial = True
                return trial(self.trial_home)
            case _:
                return self._answer_of_a_member(question)

    def _answer_of_a_member(self, question: m.Question) -> m.Answer:
        match question:
            case m.CheckToken(pin=pin):
                if question.token.kind is m.TokenKind.KMS:
                    return m.TokenChecked(token="", rows=self.kms_checked)
                if pin is not None:
                    self._try(pin)
                return m.TokenChecked(token="", rows=ROWS if pin is None else self.checked)
            case m.MakeKeys(draft=made, pin=pin):
                real = made.token is not None and made.token.kind is m.TokenKind.PKCS11
                if real:
                    self._try(pin)
                return m.KeysMade()
            case m.TestAddress(listen=listen):
                found = "this machine listens there and reached itself"
                said = found if self.works else "another program listens on this port"
                return m.AddressTested(
                    works=self.works, found=said, suggestion="" if listen else "192.0.2.10:7421"
                )
            case m.GetPresets():
                return m.Presets(presets=PRESETS)
            case m.TestChain(chain=chain):
                found = f"{chain.network}, block 312\u2009904\u2009118, 2 s ago"
                said = found if self.works else "the node is of another network: mainnet"
                return m.ChainTested(works=self.works, found=said)
            case m.FinishMember(draft=made):
                return m.MemberFinished(entry=entry(made.member, made.name))
            case m.ReadEntries(text=text):
                return m.EntriesRead(entries=tuple(_all(text)))
            case m.OpenVault(draft=made):
                self.drafts.pop(made.member, None)
                return m.VaultReady(member=made.member)
            case _:
                raise AssertionError(f"no answer for {type(question).__name__}")


def _judge(question: m.JudgeName) -> m.NameJudged:
    made = "-".join("".join(c if c.isalnum() else " " for c in question.name.lower()).split())
    member = question.member or made[:32].strip("-")
    problem = ""
    if any(not (c.isdigit() or "a" <= c <= "z" or c == "-") for c in member):
        problem = "An identifier has lower-case letters, digits and hyphens only."
    elif member == "eli":
        problem = "There is a member with this identifier on this machine already."
    return m.NameJudged(member=member, problem=problem)


def _all(text: str) -> list[m.EntrySeen]:
    return [_read(line) for line in text.splitlines() if line.strip()]


def _read(line: str) -> m.EntrySeen:
    try:
        body = json.loads(line)
        port = int(body["address"].rpartition(":")[2])
        return entry(body["member"], body["name"], port)
    except (ValueError, KeyError, TypeError):
        raise UNREADABLE from None


def trial(home: str) -> m.TrialReady:
    """Return the answer that names a demonstration vault."""
    return m.TrialReady(home=home, member="ana", pin="2468")
