"""Finds, updates and, where allowed, creates Klaviyo's profiles."""

import json
from collections.abc import Sequence

from flows.adapters.contact_destination import OPTED_OUT, Contact, Values
from flows.adapters.json_api import Json
from flows.adapters.klaviyo.api import KlaviyoApi

MAX_FOUND = 100  # of a page, and so of the addresses of one question


def find_profiles(api: KlaviyoApi, addresses: Sequence[str]) -> dict[str, Contact]:
    """By address, in small letters, of those that Klaviyo knows; MAX_FOUND at most."""
    parameters = {
        "filter": f"any(email,{json.dumps(list(addresses), ensure_ascii=False)})",
        "additional-fields[profile]": "subscriptions", "fields[profile]": "email,subscriptions",
        "page[size]": str(MAX_FOUND),
    }  # fmt: skip
    pages = api.pages("Looking for profiles", "/api/profiles", parameters)
    return {_address(profile): _contact(profile) for page in pages for profile in page}


def write_profile(api: KlaviyoApi, address: str, profile_id: str | None, properties: Values) -> Contact:
    """Updates a profile, or creates the one of an address; returns it as it is then. Other properties stay."""
    data: Json = {"type": "profile", "attributes": {"email": address, "properties": dict(properties)}}
    if profile_id is not None:
        data["id"] = profile_id
    path = "/api/profile-import?additional-fields[profile]=subscriptions"
    return _contact(api.request("Writing a profile", "POST", path, {"data": data})["data"])


def _address(profile: Json) -> str:
    return str(profile["attributes"].get("email") or "").strip().lower()


def _contact(profile: Json) -> Contact:
    """They have opted out if they have unsubscribed, or Klaviyo suppresses them, for example after a hard bounce. Where
    the subscriptions say nothing, nobody has."""
    marketing = ((profile["attributes"].get("subscriptions") or {}).get("email") or {}).get("marketing") or {}
    is_out = (
        marketing.get("consent") == "UNSUBSCRIBED"
        or bool(marketing.get("suppression"))
        or marketing.get("can_receive_email_marketing") is False
    )
    return Contact(str(profile["id"]), OPTED_OUT if is_out else None)
