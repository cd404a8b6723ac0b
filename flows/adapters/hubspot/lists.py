"""Static lists in HubSpot."""

from collections.abc import Iterator, Sequence, Set

from pydantic import BaseModel, Field

from flows.adapters.hubspot.api import HubSpotApi
from flows.adapters.hubspot.contacts import MAX_BATCH_SIZE, read_contacts
from flows.errors import HubSpotRefused

MAX_MEMBERS_PER_PAGE = 250
_CONTACTS = "0-1"  # HubSpot's type of object


class _List(BaseModel):
    list_id: str = Field(alias="listId")
    processing_type: str = Field("", alias="processingType")


class _OneList(BaseModel):
    list: _List


class _Member(BaseModel):
    record_id: str = Field(alias="recordId")


class _NextPage(BaseModel):
    after: str


class _Paging(BaseModel):
    next: _NextPage | None = None


class _Members(BaseModel):
    results: list[_Member] = []
    paging: _Paging | None = None


class _Added(BaseModel):
    missing: list[str] = Field([], alias="recordIdsMissing")


def find_or_make(api: HubSpotApi, name: str) -> tuple[str, bool]:
    """The list's id, and whether it was just made.

    Raises:
        HubSpotRefused: when the list of this name is of another kind.
    """
    wanted = {"name": name, "objectTypeId": _CONTACTS, "processingType": "MANUAL"}
    try:
        made = api.call_api(f'Creating the list "{name}"', lambda sdk, how: sdk.lists.create(wanted, **how), _OneList)
        return made.list.list_id, True
    except HubSpotRefused as refused:
        if refused.status_code not in (400, 409):
            raise
        there = _list_called(api, name, refused)
    if there.processing_type != "MANUAL":
        raise HubSpotRefused(
            f'HubSpot already has a list "{name}", which is not static but dynamic: rename or delete the list there, or'
            " give the campaign another name before it is launched."
        )
    return there.list_id, False


def add_to_list(api: HubSpotApi, list_id: str, record_ids: Sequence[str]) -> list[str]:
    """Adds contacts; returns those that no longer exist. Existing members stay."""
    added = api.call_api(
        "Adding contacts to the list",
        lambda sdk, how: sdk.memberships.add(list_id, list(record_ids), **how),
        _Added,
    )
    return added.missing


def members(api: HubSpotApi, list_id: str) -> Iterator[Set[str]]:
    """The addresses of each member, in small letters."""
    for page in _pages(api, list_id):
        for start in range(0, len(page), MAX_BATCH_SIZE):
            yield from (contact.addresses for contact in read_contacts(api, page[start : start + MAX_BATCH_SIZE]))


def _list_called(api: HubSpotApi, name: str, refusal: HubSpotRefused) -> _List:
    """The existing list because of which a new one was refused; None if there is no list of contacts with this name."""
    doing = f'Looking for the list "{name}"'
    try:
        return api.call_api(doing, lambda sdk, how: sdk.lists.get_by_name(name, _CONTACTS, **how), _OneList).list
    except HubSpotRefused as refused:
        if refused.status_code != 404:
            raise
        raise refusal from None


def _pages(api: HubSpotApi, list_id: str) -> Iterator[list[str]]:
    """Record ids of the list's members."""
    place: dict[str, str] | None = {}
    while place is not None:
        page = _page(api, list_id, place)
        yield [member.record_id for member in page.results]
        following = page.paging.next if page.paging else None
        place = {"after": following.after} if following else None


def _page(api: HubSpotApi, list_id: str, place: dict[str, str]) -> _Members:
    return api.call_api(
        "Reading the members of the list",
        lambda sdk, how: sdk.memberships.get_page(list_id, limit=MAX_MEMBERS_PER_PAGE, **place, **how),
        _Members,
    )
