"""Whether a file of contacts says who has consented to what, and whether that is read the right way round."""

import re
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path

from flows.errors import BadInput
from flows.sources.connections import ContactColumn
from flows.sources.words import plain

CONSENT_COLUMNS: tuple[ContactColumn, ...] = ("opted_in", "opted_out", "opted_out_of_marketing", "opted_out_at")
# Our columns by what yes means in them, with what that is in words.
_CONSENTS: dict[ContactColumn, str] = {
    "opted_in": "who wants e-mails", "consents_to_advertising": "who may be shown ads",
    "ad_user_data": "who may be shown ads", "ad_personalization": "who may be shown ads",
}  # fmt: skip
_REFUSES: dict[ContactColumn, str] = {"opted_out": "who wants none", "opted_out_of_marketing": "who wants none"}
_MAY_SAY = re.compile(
    r"marketing|newsletter|consent|opt(ed)?[\W_]*(in|out)\b|subscri|permission|gdpr|dsgvo|rgpd|einwillig|werb|abonn|consentement",
    re.IGNORECASE,
)


def require_the_right_way_round(
    columns: Mapping[ContactColumn, str], recognised: Mapping[ContactColumn, Sequence[str]], place: Path
) -> None:
    """That no header is mapped as the opposite of what it is known to say.

    Raises:
        BadInput: with the line to write instead.
    """
    for mapped_as, meanings in ((_CONSENTS, _REFUSES), (_REFUSES, _CONSENTS)):
        for ours, (opposite, meaning) in product(mapped_as, meanings.items()):
            header = columns.get(ours)
            if header is None or plain(header) not in map(plain, recognised.get(opposite, ())):
                continue
            raise BadInput(
                f"{place}: the column {header!r} says {meaning}, and airbyte/connections.yml maps it as {ours}, which"
                f" would turn everybody's answer round. Write instead:\n\n      {opposite}: {_as_yaml(header)}"
            )


def require_no_other_word(
    columns: Mapping[ContactColumn, str], header: Sequence[str], place: Path, connection: str
) -> None:
    """That where no column was recognised as saying who wants e-mails, none looks as if it did.

    Raises:
        BadInput: naming those that do, with the columns to write.
    """
    unread = list(_looks_like_consent(columns, header))
    if not unread or set(CONSENT_COLUMNS) & set(columns):
        return
    known = "".join(f"        {ours}: {_as_yaml(theirs)}\n" for ours, theirs in columns.items())
    raise BadInput(
        f"{place}: {' and '.join(map(repr, unread))} may say who wants e-mails and was not understood, so that nobody"
        f" would be held back. Write its meaning under {connection}: in airbyte/connections.yml, then run again:\n\n"
        f"    contacts:\n      columns:\n{known}        opted_in: {_as_yaml(unread[0])}\n\n"
        "opted_in: yes means e-mails; opted_out: yes means none; without either line, nobody is held back."
        " Where it is about ads, write consents_to_advertising: yes means that they may be shown some."
    )


def _looks_like_consent(columns: Mapping[ContactColumn, str], header: Sequence[str]) -> Iterator[str]:
    return (name for name in header if name not in columns.values() and _MAY_SAY.search(name))


def _as_yaml(header: str) -> str:
    """Quoted, so that any header is valid YAML."""
    return "'" + header.replace("'", "''") + "'"
