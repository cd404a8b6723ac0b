"""The stand-in for HubSpot is as particular as HubSpot is."""

from datetime import timedelta

import pytest

from tests.stand_ins.hubspot import OPENING, TOKEN, HubSpot, shop, too_many_requests
from tests.stand_ins.hubspot_writing import WritableHubSpot
from tests.stand_ins.json_server import every

CONTACTS, SEARCH, EVENTS = "/crm/v3/objects/contacts", "/crm/v3/objects/contacts/search", "/email/public/v1/events"


def get(hubspot: HubSpot, url: str):
    return hubspot.answer("GET", url, {}, {"authorization": f"Bearer {TOKEN}"})


def search(hubspot: HubSpot, **body):
    return hubspot.answer("POST", SEARCH, body, {"authorization": f"Bearer {TOKEN}"})


def found(hubspot: HubSpot, *filters: tuple[str, ...]) -> list[int]:
    """Ids of the contacts for which all filters hold."""
    names = ("propertyName", "operator", "value", "highValue")
    requested = [dict(zip(names, given, strict=False)) for given in filters]
    answer = search(hubspot, filterGroups=[{"filters": requested}], limit=200)
    return [int(contact["id"]) for contact in answer.body["results"]]


def test_pages_have_their_limits():
    hubspot = shop(customers=3)
    assert get(hubspot, f"{CONTACTS}?limit=100").status == 200
    assert get(hubspot, f"{CONTACTS}?limit=101").status == 400
    assert search(hubspot, limit=200).status == 200
    assert search(hubspot, limit=201).status == 400
    assert get(hubspot, f"{EVENTS}?limit=1000").status == 200
    assert get(hubspot, f"{EVENTS}?limit=1001").status == 400


def test_a_search_gives_out_ten_thousand_results():
    hubspot = HubSpot()
    for _ in range(10_001):
        hubspot.contacts.add()
    last = search(hubspot, limit=200, after="9800")
    assert (last.body["total"], last.body["paging"]) == (10_001, {"next": {"after": "10000"}})
    assert search(hubspot, limit=200, after="10000").status == 400


def test_a_list_ignores_an_offset_that_it_does_not_know():
    hubspot = shop(customers=30)
    first = get(hubspot, CONTACTS).body
    assert get(hubspot, f"{CONTACTS}?offset=20&page=3").body == first
    assert get(hubspot, f"{CONTACTS}?after={first['paging']['next']['after']}").body["results"][0]["id"] == "61"


def test_an_unknown_property_is_left_out_and_an_empty_one_is_null():
    hubspot = HubSpot()
    hubspot.contacts.add({"email": "a@example.org"})
    (contact,) = get(hubspot, f"{CONTACTS}?properties=email,customer_id,nonsense").body["results"]
    assert contact["properties"] == {
        "hs_object_id": "51", "createdate": "2025-01-01T00:00:00Z", "lastmodifieddate": "2025-01-01T00:00:00Z",
        "email": "a@example.org", "customer_id": None,
    }  # fmt: skip


def test_a_search_compares_numbers_and_times_and_words():
    hubspot = HubSpot()
    for number in range(100):
        hubspot.contacts.add({"email": f"c{number}@example.org"}, OPENING + timedelta(seconds=number))
    begin = int(OPENING.timestamp() * 1_000)
    assert found(hubspot, ("hs_object_id", "GT", "99"), ("hs_object_id", "LTE", "101")) == [100, 101]
    assert found(hubspot, ("lastmodifieddate", "LT", str(begin + 2_000))) == [51, 52]
    assert found(hubspot, ("lastmodifieddate", "BETWEEN", str(begin + 2_000), str(begin + 3_000))) == [53, 54]
    assert found(hubspot, ("createdate", "GTE", "2025-01-01T00:01:39Z")) == [150]
    assert found(hubspot, ("email", "EQ", "c7@example.org")) == [58]
    assert found(hubspot, ("customer_id", "GT", "0")) == []


def test_what_is_archived_is_in_the_list_of_the_archived_only():
    hubspot = shop(customers=3)
    hubspot.contacts.archive([52], OPENING)
    (archived,) = get(hubspot, f"{CONTACTS}?archived=true").body["results"]
    assert (archived["id"], archived["archived"], archived["archivedAt"]) == ("52", True, "2025-01-01T00:00:00Z")
    assert [contact["id"] for contact in get(hubspot, CONTACTS).body["results"]] == ["51", "53"]
    assert found(hubspot) == [51, 53]


def test_events_come_the_newest_first_and_page_by_page():
    hubspot = shop(customers=30)
    events, url = [], f"{EVENTS}?limit=7&startTimestamp=0"
    page = get(hubspot, url).body
    while page["hasMore"]:
        events += page["events"]
        page = get(hubspot, f"{url}&offset={page['offset']}").body
    events += page["events"]
    assert len({event["id"] for event in events}) == len(events) == 90
    times = [event["created"] for event in events]
    assert times == sorted(times, reverse=True)
    assert len(get(hubspot, f"{EVENTS}?limit=1000&eventType=OPEN").body["events"]) == 30


@pytest.mark.parametrize(("token", "status"), [("Bearer nonsense", 401), (None, 401), (f"Bearer {TOKEN}", 200)])
def test_it_knows_its_token(token, status):
    headers = {} if token is None else {"authorization": token}
    assert HubSpot().answer("GET", CONTACTS, {}, headers).status == status


def test_a_request_can_be_refused_every_so_often():
    hubspot = HubSpot(every(3, too_many_requests(retry_after=2)))
    answers = [get(hubspot, CONTACTS) for _ in range(6)]
    assert [answer.status for answer in answers] == [200, 200, 429, 200, 200, 429]
    assert answers[2].headers == {"Retry-After": "2"}
    assert [request.number for request in hubspot.requested(CONTACTS)] == [1, 2, 3, 4, 5, 6]


def requested(hubspot: HubSpot, method: str, url: str, body):
    return hubspot.answer(method, url, body, {"authorization": f"Bearer {TOKEN}"})


def batch(*ids: str, **properties: str):
    """Addresses, or ids of records."""
    by_address = {"idProperty": "email"} if "@" in ids[0] else {}
    return {
        "inputs": [{"id": one, "properties": properties} | by_address for one in ids],
        "properties": [],
    } | by_address


@pytest.mark.parametrize("verb", ["read", "update", "upsert"])
def test_a_batch_has_its_limit_and_no_id_twice(verb):
    hubspot, url = WritableHubSpot(), f"{CONTACTS}/batch/{verb}"
    for number in range(101):
        hubspot.contacts.add({"email": f"c{number}@example.org"})
    ids = [str(51 + number) if verb == "update" else f"c{number}@example.org" for number in range(101)]
    assert requested(hubspot, "POST", url, batch(*ids[:100])).status == 200
    assert requested(hubspot, "POST", url, batch(*ids)).status == 400
    twice = requested(hubspot, "POST", url, batch(ids[0], ids[0]))
    assert (twice.status, twice.body["message"].split(":")[0]) == (400, "Duplicate IDs found in batch input")


@pytest.mark.parametrize("property_value", [{"nonsense": "1"}, {"score": "many"}])
def test_a_property_that_there_is_not_and_a_text_for_a_number_are_refused(property_value):
    hubspot = WritableHubSpot()
    hubspot.contacts.add({"email": "a@example.org"})
    hubspot.add_property("score", "number", "contactinformation")
    url = f"{CONTACTS}/batch/update"
    assert requested(hubspot, "POST", url, batch("51", **property_value)).status == 400
    assert requested(hubspot, "POST", url, batch("51", score="1.5")).status == 200
    assert requested(hubspot, "POST", url, batch("51", score="")).status == 200


def test_a_missing_record_is_reported_for_it_alone():
    hubspot = WritableHubSpot()
    hubspot.contacts.add({"email": "a@example.org"})
    read = requested(hubspot, "POST", f"{CONTACTS}/batch/read", batch("A@example.org", "b@example.org"))
    assert (read.status, [found["id"] for found in read.body["results"]]) == (207, ["51"])
    assert (read.body["errors"][0]["category"], read.body["errors"][0]["context"]) == (
        "OBJECT_NOT_FOUND",
        {"ids": ["b@example.org"]},
    )
    assert requested(hubspot, "POST", f"{CONTACTS}/batch/update", batch("51", "99")).body["numErrors"] == 1


def test_a_property_needs_its_group_and_a_new_name():
    hubspot, url = WritableHubSpot(), "/crm/v3/properties/contacts"
    body = {"name": "score", "label": "Score", "type": "number", "fieldType": "number", "groupName": "ours"}
    assert requested(hubspot, "POST", url, body).status == 400
    assert [requested(hubspot, "POST", f"{url}/groups", {"name": "ours", "label": "Ours"}).status for _ in "12"] == [
        201,
        409,
    ]
    assert [requested(hubspot, "POST", url, body).status for _ in "12"] == [201, 409]
    assert {"name": "score", "type": "number", "groupName": "ours"} in get(hubspot, url).body["results"]


def test_a_list_has_a_name_of_its_own_and_takes_all_contacts():
    hubspot = WritableHubSpot()
    for _ in range(300):
        hubspot.contacts.add()
    body = {"name": "Spring", "objectTypeId": "0-1", "processingType": "MANUAL"}
    made = requested(hubspot, "POST", "/crm/v3/lists/", body).body["list"]
    taken = requested(hubspot, "POST", "/crm/v3/lists/", body | {"name": "spring"})
    assert (taken.status, taken.body["subCategory"]) == (400, "ILS.DUPLICATE_LIST_NAMES")
    url = f"/crm/v3/lists/{made['listId']}/memberships"
    added = requested(hubspot, "PUT", f"{url}/add", [str(record_id) for record_id in (*range(51, 351), 9_999)]).body
    assert (len(added["recordsIdsAdded"]), added["recordIdsMissing"]) == (300, ["9999"])
    assert "recordsIdsAdded" not in requested(hubspot, "PUT", f"{url}/add", ["51"]).body
    assert get(hubspot, f"{url}?limit=251").status == 400
    first = get(hubspot, f"{url}?limit=250").body
    rest = get(hubspot, f"{url}?limit=250&after={first['paging']['next']['after']}").body
    assert (len(first["results"]), len(rest["results"]), "paging" in rest) == (250, 50, False)
    assert get(hubspot, "/crm/v3/lists/object-type-id/0-1/name/SPRING").body["list"] == made
    assert get(hubspot, "/crm/v3/lists/object-type-id/0-2/name/SPRING").status == 404


def test_a_list_that_fills_itself_takes_nobody():
    hubspot = WritableHubSpot()
    dynamic = hubspot.add_list("all", processing_type="DYNAMIC")
    assert requested(hubspot, "PUT", f"/crm/v3/lists/{dynamic.list_id}/memberships/add", ["51"]).status == 400


def test_a_missing_scope_is_named():
    hubspot = WritableHubSpot(scopes=["crm.lists.read"])
    refused = requested(hubspot, "POST", f"{CONTACTS}/batch/update", batch("51"))
    assert (refused.status, refused.body["category"]) == (403, "MISSING_SCOPES")
    assert refused.body["errors"][0]["context"] == {"requiredGranularScopes": ["crm.objects.contacts.write"]}
