"""Consent to advertising: whoever shows ads by means of a list gets nobody else, and silence is no consent."""

import pyarrow as pa
import pyarrow.compute as pc

from flows.errors import BadInput
from flows.settings.destinations import ADVERTISING

CONSENTS = "consents_to_advertising"  # of marts.marketing_customers: yes, no or unknown


def is_advertising(destination: str) -> bool:
    return destination in ADVERTISING


def count_consents(customers: pa.Table) -> dict[str, int]:
    """The number of customers who answer yes, no and unknown."""
    return {
        answer: int(pc.sum(pc.equal(customers[CONSENTS], answer)).as_py() or 0) for answer in ("yes", "no", "unknown")
    }


def require_consent(customers: pa.Table, destination: str) -> None:
    """That somebody is known to consent, where a destination is for advertising. customers: everyone, with CONSENTS.

    Raises:
        BadInput: with the columns or the line to write.
    """
    if not is_advertising(destination):
        return
    of = count_consents(customers)
    if of["yes"]:
        return
    raise BadInput(
        f"No list for {destination} is written: of {len(customers):,} customers nobody is known to consent to"
        f" advertising ({of['no']:,} refuse it, of {of['unknown']:,} it is not known). All on such a list must have"
        " consented. Bring that in with the contacts: in a column consents_to_advertising, or in ad_user_data and"
        " ad_personalization. If the shop has the consent of all contacts of a source, state it under that source in"
        " airbyte/connections.yml (contacts_csv for CONTACTS=), and `make run` again:\n\n"
        "    contacts:\n      advertising_consent: given"
    )
