"""Where customers can be sent, by the names that campaigns and DESTINATION= give."""

from typing import Literal

DestinationName = Literal[
    "csv", "mailchimp", "klaviyo", "brevo", "meta", "hubspot", "klaviyo_api", "brevo_api", "mailchimp_api"
]
