"""A wallet's accounts, one per chain and kind of key, and how a page names one of them."""

from console.application.views import AccountView, WalletView


def account_key(account: AccountView) -> str:
    """Name an account within its wallet."""
    return f"{account.chain}:{account.path}"


def find_account(wallet: WalletView | None, key: str) -> AccountView | None:
    """Return the account of a key, else the wallet's first one, None if it has none."""
    if wallet is None or not wallet.accounts:
        return None
    found = (account for account in wallet.accounts if account_key(account) == key)
    return next(found, wallet.accounts[0])


def joined(wallet: str, account: AccountView | None) -> str:
    """Name a wallet and one of its accounts as the subject of a page."""
    return f"{wallet}#{account_key(account)}" if account else wallet


def split(subject: str) -> tuple[str, str]:
    """Return the wallet and the account's key of a page's subject."""
    wallet, _, key = subject.partition("#")
    return wallet, key
