"""The stand-in does what Tableau's documentation says, so that what passes against it means something."""

import pytest
import tableauserverclient as tsc
from tableauserverclient.server.endpoint.exceptions import ServerResponseError

from tests.examples.tableau_files import customers
from tests.stand_ins.tableau import tableau_stand_in

IDS = 'select "CUSTOMER_ID" from "MARTS"."MARKETING_CUSTOMERS" order by 1'
TABLE = "MARKETING_CUSTOMERS"


@pytest.fixture
def there():
    with tableau_stand_in() as stand_in:
        stand_in.looks = 1
        yield stand_in


@pytest.fixture
def sdk(there):
    """The SDK as its manual uses it."""
    server = tsc.Server(there.url, use_server_version=True)
    with server.auth.sign_in(tsc.PersonalAccessTokenAuth(there.token_name, there.token_secret, there.site)):
        yield server


@pytest.fixture
def source(there, sdk, tmp_path):
    """A published source of the customers 0 to 9."""
    (project_id,) = there.projects
    item = tsc.DatasourceItem(project_id, "customers")
    return sdk.datasources.publish(item, customers(tmp_path, last=10).file, "CreateNew")


def update(sdk, source, payload, *actions, request_id="a", where="eq"):
    condition = {"op": where, "target-col": "CUSTOMER_ID", "source-col": "CUSTOMER_ID"}
    tables = {"source-schema": "MARTS", "source-table": TABLE, "target-schema": "MARTS", "target-table": TABLE}
    wanted = [{"action": action, "condition": condition, **tables} for action in actions]
    job = sdk.datasources.update_hyper_data(source, request_id=request_id, actions=wanted, payload=payload.file)
    return sdk.jobs.get_by_id(job.id).finish_code


def ids(first, last):
    return [(f"C{number:06}",) for number in range(first, last)]


@pytest.mark.parametrize(
    ("action", "then"),
    [
        ("insert", sorted(ids(0, 10) + ids(5, 15))),
        ("upsert", ids(0, 15)),
        ("delete", ids(0, 5)),
        ("replace", ids(5, 15)),
    ],
)
def test_an_action_changes_the_rows_as_its_name_says(there, sdk, source, tmp_path, action, then):
    assert update(sdk, source, customers(tmp_path, first=5, last=15), action) == 0
    assert there.rows(IDS) == then


def test_actions_are_carried_out_in_their_order_and_all_or_none(there, sdk, source, tmp_path):
    payload = customers(tmp_path, first=5, last=15)
    assert update(sdk, source, payload, "delete", "turn") == 1
    assert there.rows(IDS) == ids(0, 10)
    assert update(sdk, source, payload, "delete", "insert", request_id="b") == 0
    assert there.rows(IDS) == ids(0, 15)


def test_a_request_is_carried_out_once_under_its_id(there, sdk, source, tmp_path):
    payload = customers(tmp_path, first=10, last=11)
    for request_id in ("a", "a", "b"):
        update(sdk, source, payload, "insert", request_id=request_id)
    assert there.rows(IDS) == ids(0, 10) + ids(10, 11) * 2


def test_columns_that_differ_are_refused(there, sdk, source, tmp_path):
    assert update(sdk, source, customers(tmp_path, more=", 1 as more"), "replace") == 1
    assert there.rows(IDS) == ids(0, 10)


def test_a_name_that_is_taken_is_a_conflict_unless_it_is_to_be_overwritten(there, sdk, source, tmp_path):
    item = tsc.DatasourceItem(source.project_id, "Customers")
    with pytest.raises(ServerResponseError, match="409006"):
        sdk.datasources.publish(item, customers(tmp_path, last=5).file, "CreateNew")
    assert sdk.datasources.publish(item, customers(tmp_path, last=5).file, "Overwrite").id == source.id
    assert there.rows(IDS) == ids(0, 5)


def test_a_source_without_an_extract_of_something_has_nothing_to_refresh(sdk, source):
    with pytest.raises(ServerResponseError, match="400083"):
        sdk.datasources.refresh(source)


def test_pages_have_their_limits(sdk, source):
    for options, code in ((tsc.RequestOptions(pagesize=1001), "403014"), (tsc.RequestOptions(pagenumber=2), "400006")):
        with pytest.raises(ServerResponseError, match=code):
            sdk.datasources.get(options)


def test_a_site_of_somebody_else_is_not_shown(there, sdk, source):
    sdk._site_id = "00000000-0000-4000-8000-000000000000"
    with pytest.raises(ServerResponseError, match="404000"):
        sdk.datasources.get_by_id(source.id)
