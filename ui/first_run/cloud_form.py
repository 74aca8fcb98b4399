"""Where a member's keys in AWS KMS are: region, ARNs, profile and endpoint, strictly checked."""

import re
from ipaddress import ip_address
from urllib.parse import urlsplit

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from console.client.set_up.messages import TokenChoice, TokenKind
from ui.first_run import names
from ui.widgets.buttons import Button
from ui.widgets.card import Card, column, row
from ui.widgets.fields import LimitedField, labelled, text_field
from ui.widgets.text import Label

_REGION = re.compile(r"[a-z]{2,4}(?:-[a-z]{2,12}){1,3}-[0-9]{1,2}")
_ARN = re.compile(
    r"arn:aws(?:-[a-z-]{1,12})?:kms:(?P<region>[a-z0-9-]{1,32}):(?P<account>[0-9]{12}):"
    r"key/(?:mrk-)?[0-9a-f-]{32,36}"
)
_PROFILE = re.compile(r"[^\x00-\x1f\x7f]*")
_KEYS = "Left empty, both keys are made. Keys that are given need the policies of the handbook."
_FOUND = (
    "Credentials are found as AWS\u2019s own tools find them, from the environment, the "
    "configuration or this machine\u2019s role. None are entered or kept here."
)
_ENDPOINT = "A VPC or FIPS endpoint. One that is not AWS\u2019s own is for tests only."
_BAD_REGION = "The region is not the name of one, such as eu-central-1."
_BAD_ENDPOINT = "The endpoint is not https://HOST, or http:// on this machine\u2019s loopback."


class CloudForm(Card):
    """Fields of a choice of AWS KMS; `blocked` says what is wrong with them."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__(padding=16, spacing=12)
        self.region = _field("region", "Region", "eu-central-1", 32)
        self.sealing = _field("sealing", "Sealing key ARN", "arn:aws:kms:\u2026:key/\u2026", 128)
        self.identity = _field("identity", "Identity key ARN", "arn:aws:kms:\u2026:key/\u2026", 128)
        self.profile = _field("profile", "Profile, not required", "default", 128)
        self.endpoint = _field(
            "endpoint", "Endpoint, not required", "https://kms-fips.eu-central-1.amazonaws.com", 256
        )
        self.more = Button(
            "More",
            "ghost",
            icon="plus",
            name=f"{names.TOKENS_CLOUD}.more",
            accessible="More: endpoint",
        )
        self.more.clicked.connect(self._show_more)
        self._last = QWidget()
        caption, field = labelled("Endpoint, not required", self.endpoint)
        self._last.setLayout(
            column(caption, field, Label(_ENDPOINT, "caption", wrap=True), spacing=6)
        )
        keys = column(
            column(*labelled("Sealing key ARN: symmetric", self.sealing), spacing=6),
            column(*labelled("Identity key ARN: ECC_NIST_P256, signs", self.identity), spacing=6),
            Label(_KEYS, "caption", wrap=True),
            spacing=6,
        )
        self.add(
            column(*labelled("Region", self.region), spacing=6),
            keys,
            column(
                *labelled("Profile in your AWS configuration, not required", self.profile),
                Label(_FOUND, "caption", wrap=True),
                spacing=6,
            ),
            row(self.more, 1),
            self._last,
        )
        self._last.hide()
        for each in self.fields:
            each.textChanged.connect(self.changed)

    @property
    def fields(self) -> tuple[LimitedField, ...]:
        """All fields, as one reads."""
        return (self.region, self.sealing, self.identity, self.profile, self.endpoint)

    def choice(self) -> TokenChoice:
        """Return what is entered."""
        region, sealing, identity, profile, endpoint = (f.text().strip() for f in self.fields)
        return TokenChoice(
            kind=TokenKind.KMS,
            region=region,
            sealing_key=sealing,
            identity_key=identity,
            profile=profile,
            endpoint_url=endpoint,
        )

    def show_choice(self, choice: TokenChoice) -> None:
        """Show what the draft holds."""
        kept = (choice.region, choice.sealing_key, choice.identity_key, choice.profile)
        for field, text in zip(self.fields, (*kept, choice.endpoint_url), strict=True):
            field.setText(text)
            field.setCursorPosition(0)
        if choice.endpoint_url:
            self._show_more()

    def blocked(self) -> str:
        """Return what is missing or wrong, as a sentence, or ''."""
        entered = self.choice()
        if not entered.region:
            return "Enter the region of the keys."
        if excess := next((field.excess for field in self.fields if field.excess), ""):
            return excess
        if not _REGION.fullmatch(entered.region):
            return _BAD_REGION
        if wrong := _wrong_keys(entered):
            return wrong
        if not _PROFILE.fullmatch(entered.profile):
            return "The profile has characters that it cannot have."
        fits = not entered.endpoint_url or _is_endpoint(entered.endpoint_url)
        return "" if fits else _BAD_ENDPOINT

    def _show_more(self) -> None:
        self._last.show()
        if self.more.hasFocus():
            self.endpoint.setFocus()
        self.more.hide()


def _field(part: str, title: str, sample: str, limit: int) -> LimitedField:
    return text_field(f"{names.TOKENS_CLOUD}.{part}", title, sample, mono=True, limit=limit)


def _wrong_keys(entered: TokenChoice) -> str:
    """Return what is wrong with the two keys, or ''."""
    named = {"sealing": entered.sealing_key, "identity": entered.identity_key}
    if not any(named.values()):
        return ""
    accounts = set()
    for word, arn in named.items():
        if not arn:
            return f"The {word} key is missing: enter both keys, or none."
        found = _ARN.fullmatch(arn)
        if found is None:
            return f"The {word} key is not the ARN of a KMS key: arn:aws:kms:REGION:ACCOUNT:key/ID."
        if found["region"] != entered.region:
            return f"The {word} key is in another region than {entered.region}."
        accounts.add(found["account"])
    if len(accounts) > 1:
        return "The two keys are in different AWS accounts."
    same = entered.sealing_key == entered.identity_key
    return "The sealing key and the identity key are one; two are needed." if same else ""


def _is_endpoint(url: str) -> bool:
    """Return whether a URL is https://HOST, or plain HTTP to a loopback address."""
    try:
        parts = urlsplit(url)
        host, _ = parts.hostname or "", parts.port
        loopback = parts.scheme == "http" and ip_address(host).is_loopback
    except ValueError:
        return False
    bare = not (parts.query or parts.fragment or "@" in parts.netloc) and parts.path in {"", "/"}
    return bool(host) and bare and (parts.scheme == "https" or loopback)
