"""Names: the identifier for an operator's name, and what is wrong with either."""

import unicodedata
from pathlib import Path

from console.client.set_up.messages import JudgeName, NameJudged
from console.domain.errors import MalformedIdentifier
from console.domain.ids import member_id
from console.domain.names import proper_name
from console.set_up import drafts
from console.settings import ROSTER_FILE, SETTINGS_FILE
from console.unfinished import JOURNAL_FILE, TRIAL_FOLDER

_LONGEST = 32
_MOST_TRIED = 1000


def judge(home: Path, question: JudgeName) -> NameJudged:
    """Return the identifier and the problem, '' if there is none."""
    member = question.member or _free_identifier(home, question.name)
    try:
        proper_name(question.name, "the name")
    except MalformedIdentifier as wrong:
        return NameJudged(member=member, problem=_sentence(wrong))
    problem = identifier_problem(home, member)
    if (
        not problem
        and (home / member / SETTINGS_FILE).exists()
        and not drafts.is_kept(home, member)
    ):
        # Of `quorate init`: another PIN than its own would be taken, and not be the one.
        problem = (
            "A member with this identifier has begun on this machine. Go on with it on the start "
            "page, or throw it away there."
        )
    return NameJudged(member=member, problem=problem)


def identifier_problem(home: Path, member: str) -> str:
    """Return why a new member cannot have this identifier, or ''."""
    try:
        directory = home / member_id(member)
    except MalformedIdentifier:
        return "An identifier is 1 to 32 characters of a-z, 0-9 and '-'."
    if member == TRIAL_FOLDER:
        return "This identifier is kept for the demonstration vault."
    whole = (directory / ROSTER_FILE).exists() or (
        (directory / SETTINGS_FILE).exists() and not (directory / JOURNAL_FILE).exists()
    )
    return "A member with this identifier is on this machine already." if whole else ""


def _free_identifier(home: Path, name: str) -> str:
    """Return an identifier like the name that nothing here has yet."""
    plain = unicodedata.normalize("NFKD", name).encode("ascii", "ignore").decode().lower()
    words = "".join(c if c.isalnum() else " " for c in plain).split()
    stem = "-".join(words)[:_LONGEST].strip("-") or "member"
    for number in range(1, _MOST_TRIED):
        suffix = f"-{number}" if number > 1 else ""
        member = stem[: _LONGEST - len(suffix)].strip("-") + suffix
        taken = member == TRIAL_FOLDER or (home / member).exists() or drafts.is_kept(home, member)
        if not taken:
            return member
    return stem


def _sentence(wrong: Exception) -> str:
    text = str(wrong)
    return f"{text[:1].upper()}{text[1:]}."
