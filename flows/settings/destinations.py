"""Where customers can be sent, by the names that campaigns and DESTINATION= give."""

from typing import Literal

DestinationName = Literal[
    "csv", "mailchimp", "klaviyo", "brevo", "google", "meta", "hubspot", "klaviyo_api", "brevo_api", "mailchimp_api"
]  # fmt: skip
# Who shows ads to the customers of a list: it gets only those who have consented to advertising.
ADVERTISING: frozenset[str] = frozenset({"google", "meta"})
