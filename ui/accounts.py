"""A wallet's accounts, one per chain and kind of key, and their names in a page's subject."""

from typing import NamedTuple

from console.application.views import AccountView, WalletView


class PageSubject(NamedTuple):
    """A page's subject: a wallet, one of its accounts, and a purpose.

    `purpose` is "" for a transfer, else a word and, after a colon, the request it is about.
    """

    wallet: str
    account: str = ""
    purpose: str = ""

    @property
    def subject(self) -> str:
        """This subject as text."""
        return "#".join(self).rstrip("#")


def account_key(account: AccountView) -> str:
    """Return an account's key within its wallet."""
    return f"{account.chain}:{account.path}"


def find_account(wallet: WalletView | None, key: str) -> AccountView | None:
    """Return the account of a key, else the wallet's first one, None if it has none."""
    if wallet is None or not wallet.accounts:
        return None
    found = (account for account in wallet.accounts if account_key(account) == key)
    return next(found, wallet.accounts[0])


def joined(wallet: str, account: AccountView | None, purpose: str = "") -> str:
    """Return a wallet and one of its accounts as a page's subject."""
    return PageSubject(wallet, account_key(account) if account else "", purpose).subject


def split(subject: str) -> PageSubject:
    """Return the parts of a page's subject."""
    return PageSubject(*subject.split("#", 2))
