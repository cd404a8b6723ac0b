import asyncio
import json

import pytest

from functions.churn_api.access import Access, ApiKeys, KeysRefused, Rate, read_keys
from functions.churn_api.fast_path import create_api
from functions.churn_api.settings import ApiSettings, SettingsRefused
from tests.running.serving import LocalClient, customer, service

KEYS = json.dumps({"shop": "k" * 30})
OLD, NEW, OTHER = ("k" * 30 + end for end in ("old", "new", "oth"))


class Clock:
    def __init__(self):
        self.at = 1000.0

    def __call__(self):
        return self.at


def keys(text, clock=None):
    return ApiKeys(lambda: text, clock or Clock())


@pytest.fixture
def client(shipped_model):
    access = Access(keys(json.dumps({"shop": [NEW, OLD], "crm": OTHER})))
    with LocalClient(create_api(service(access=access))) as client:
        yield client


@pytest.mark.parametrize("key", [OLD, NEW, OTHER])
def test_every_key_of_every_holder_opens(client, key):
    assert client.post("/predict", json=customer(), headers={"x-api-key": key}).status_code == 200
    assert client.get("/model", headers={"x-api-key": key}).status_code == 200


@pytest.mark.parametrize("headers", [{}, {"x-api-key": ""}, {"x-api-key": OLD[:-1]}, {"x-api-key": "é" * 30}])
def test_without_a_valid_key_nothing_opens_but_health_and_documentation(client, headers):
    headers = {name: value.encode() for name, value in headers.items()}
    for path in ("/predict", "/snowflake"):
        answer = client.post(path, json=customer(), headers=headers)
        assert (answer.status_code, answer.json()["detail"]) == (
            401,
            "Send a valid API key in the header x-api-key, or as Authorization: Bearer.",
        )
        assert answer.headers["www-authenticate"] == 'Bearer realm="churn"'
    assert client.get("/model", headers=headers).status_code == 401
    assert client.get("/nothing", headers=headers).status_code == 401
    for path in ("/health", "/docs", "/openapi.json"):
        assert client.get(path, headers=headers).status_code == 200


def test_a_body_is_not_even_read_without_a_key(shipped_model):
    async def never():
        raise AssertionError("the body was requested")

    sent = []

    async def send(message):
        sent.append(message)

    api = create_api(service(access=Access(keys(KEYS))))
    headers = [(b"host", b"churn.example"), (b"content-type", b"application/json")]
    scope = {"type": "http", "method": "POST", "path": "/predict", "headers": headers}
    asyncio.run(api(scope, never, send))
    assert sent[0]["status"] == 401


def test_keys_are_compared_by_digest_in_constant_time(monkeypatch):
    compared = []
    monkeypatch.setattr(
        "functions.churn_api.access.hmac.compare_digest", lambda a, b: compared.append((a, b)) or a == b
    )
    known = keys(json.dumps({"shop": [NEW, OLD], "crm": OTHER}))
    assert known.holder(NEW) == "shop"
    assert len(compared) == 3  # not stopped at the first that fits
    assert {len(digest) for pair in compared for digest in pair} == {32}


def test_a_new_key_is_valid_within_seconds_and_a_withdrawn_one_invalid_within_minutes():
    text, clock = [json.dumps({"shop": OLD})], Clock()
    known = ApiKeys(lambda: text[0], clock)
    assert known.holder(OLD) == "shop"
    text[0] = json.dumps({"shop": NEW})
    assert known.holder(NEW) is None  # just looked
    clock.at += 15
    assert known.holder(NEW) == "shop"
    text[0] = json.dumps({"shop": OTHER})
    assert known.holder(NEW) == "shop"
    clock.at += 300
    assert known.holder(NEW) is None


def test_wrong_keys_do_not_make_it_ask_for_the_secret_each_time():
    reads, clock = [], Clock()
    known = ApiKeys(lambda: reads.append(1) or json.dumps({"shop": OLD}), clock)
    for _ in range(100):
        known.holder("wrong" * 9)
    assert len(reads) == 1


def test_the_former_keys_stay_in_force_for_an_hour_while_the_secret_cannot_be_read():
    answers, clock = [json.dumps({"shop": OLD})], Clock()
    known = ApiKeys(lambda: answers[0], clock)
    known.holder(OLD)
    answers[0] = "no json"
    clock.at += 3_599
    assert known.holder(OLD) == "shop"
    clock.at += 1
    with pytest.raises(KeysRefused):
        known.holder(OLD)  # it may have been revoked
    answers[0] = json.dumps({"shop": OLD})
    clock.at += 15
    assert known.holder(OLD) == "shop"


def test_a_secret_that_cannot_be_read_is_not_asked_for_with_each_call():
    reads, clock = [], Clock()
    known = ApiKeys(lambda: reads.append(1) or "no json", clock)
    for _ in range(100):
        with pytest.raises(KeysRefused):
            known.holder(OLD)
    assert len(reads) == 1


@pytest.mark.parametrize(
    "headers",
    [{"x-api-key": f" {OLD}\t"}, {"authorization": f"Bearer {OLD}"}, {"authorization": f"bearer  {OLD} "}],
)
def test_a_key_may_have_white_space_around_it_and_be_a_bearers(client, headers):
    assert client.get("/model", headers=headers).status_code == 200


def test_a_holder_who_calls_too_often_waits_and_the_others_do_not(shipped_model):
    clock = Clock()
    access = Access(keys(json.dumps({"shop": OLD, "crm": OTHER})), rate=Rate(clock, per_second=2, burst=3))
    with LocalClient(create_api(service(access=access))) as client:

        def status(key):
            answer = client.get("/model", headers={"x-api-key": key})
            return answer.status_code, answer.headers.get("retry-after")

        assert [status(OLD) for _ in range(4)] == [(200, None)] * 3 + [(429, "1")]
        assert status(OTHER) == (200, None)
        clock.at += 0.5
        assert [status(OLD), status(OLD)] == [(200, None), (429, "1")]


def test_large_bodies_count_as_several_requests_whether_they_fit_or_not(shipped_model):
    access = Access(keys(json.dumps({"shop": OLD})), rate=Rate(Clock(), per_second=2, burst=5))
    heavy = [customer()] * 2_000
    with LocalClient(create_api(service(access=access))) as client:
        statuses = [client.post("/predict", json=heavy, headers={"x-api-key": OLD}).status_code for _ in range(2)]
    assert len(json.dumps(heavy)) > 1_000_000
    assert statuses == [422, 429]


def test_a_role_is_held_back_by_its_gateway_alone():
    access = Access(keys(KEYS), frozenset({"arn:aws:iam::1:role/snowflake"}), Rate(Clock(), per_second=2, burst=1))
    assert [access.seconds_to_wait("arn:aws:iam::1:role/snowflake") for _ in range(3)] == [0, 0, 0]


def test_keys_that_were_never_readable_let_nobody_in_and_say_so(shipped_model):
    def unreachable():
        raise OSError("no route")

    with LocalClient(create_api(service(access=Access(ApiKeys(unreachable, Clock()))))) as client:
        answer = client.post("/predict", json=customer(), headers={"x-api-key": OLD})
        assert (answer.status_code, "cannot be read" in answer.text) == (503, True)
        assert client.get("/health").status_code == 200


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "not JSON"),
        ("[]", "no API keys"),
        ("{}", "no API keys"),
        ('{"shop": "short"}', "A key of shop is not fit: use at least 24"),
        ('{"shop": [5]}', "A key of shop"),
        ('{"shop": []}', "There is no key of shop"),
        (json.dumps({"shop": f" {OLD}"}), "begins or ends with white space"),
        (json.dumps({"shop": OLD, "crm": [NEW, OLD]}), "A key of crm is written twice"),
        (f'{{"shop": "{OLD}", "shop": "{NEW}"}}', "A holder of API keys is written twice"),
        (json.dumps({"shop": "é" * 30}), "A key of shop"),
    ],
)
def test_keys_that_do_not_fit_are_refused_without_being_shown(text, why):
    with pytest.raises(KeysRefused, match=why) as refused:
        read_keys(text)
    assert "short" not in str(refused.value)


def test_a_key_in_place_of_its_holder_is_not_shown():
    with pytest.raises(KeysRefused) as refused:
        read_keys(json.dumps({"k" * 30: "shop-backend"}))
    assert "kkkk" not in str(refused.value)


def assumed(role, account="123456789012"):
    return f"arn:aws:sts::{account}:assumed-role/{role}/session"


ROLE = "arn:aws:iam::123456789012:role/snowflake"


@pytest.mark.parametrize(
    ("event", "name"),
    [
        ({"requestContext": {"identity": {"userArn": assumed("snowflake")}}}, ROLE),
        ({"requestContext": {"authorizer": {"iam": {"userArn": assumed("snowflake")}}}}, ROLE),
        ({"requestContext": {"identity": {"userArn": assumed("snowflake", "999999999999")}}}, None),
        ({"requestContext": {"identity": {"userArn": assumed("snowflake-2")}}}, None),
        ({"requestContext": {"identity": {"userArn": None}}}, None),
        ({"headers": {"userArn": assumed("snowflake")}}, None),
        ({}, None),
    ],
)  # fmt: skip
def test_a_role_that_the_gateway_has_verified_needs_no_key(event, name):
    access = Access(keys(json.dumps({"shop": OLD})), frozenset({ROLE}))
    assert access.caller({"aws.event": event, "path": "/snowflake"}, {}) == name
    assert access.caller({"aws.event": event, "path": "/predict"}, {}) is None


def test_a_roles_path_is_no_part_of_its_sessions_name():
    settings = {"TRUSTED_ROLE_ARNS": "arn:aws:iam::123456789012:role/service/x/snowflake", "API_KEYS": KEYS}
    assert ApiSettings.read(settings).access(on_loopback=False).trusted_roles == {ROLE}


@pytest.mark.parametrize(("host", "status"), [("localhost:8000", 200), ("[::1]:8000", 200), ("evil.example", 403)])
def test_without_keys_only_this_machine_is_answered_not_a_page_whose_name_points_here(shipped_model, host, status):
    with LocalClient(create_api(service())) as client:
        assert client.post("/predict", json=customer(), headers={"host": host}).status_code == status


def test_only_a_server_on_the_loopback_interface_does_without_keys():
    assert ApiSettings.read({}).access(on_loopback=True).keys is None
    with pytest.raises(SettingsRefused, match="set API_KEYS or API_KEYS_SECRET"):
        ApiSettings.read({}).access(on_loopback=False)
    assert ApiSettings.read({"API_KEYS": json.dumps({"shop": OLD})}).access(on_loopback=True).keys is not None


@pytest.mark.parametrize(
    ("environment", "why"),
    [
        ({"WHEN_NOT_STORED": "shrug"}, "WHEN_NOT_STORED=shrug: write answer or refuse"),
        ({"API_KEYS": "{}", "API_KEYS_SECRET": "x"}, "keep one"),
        ({"LOG_LEVEL": "loud"}, "LOG_LEVEL=loud: write DEBUG"),
    ],
)
def test_a_setting_that_does_not_fit_is_named(environment, why):
    with pytest.raises(SettingsRefused, match=why):
        ApiSettings.read(environment)
    with pytest.raises(SettingsRefused, match="SHOP_TIME_ZONE=Mars"):
        ApiSettings.read({"SHOP_TIME_ZONE": "Mars"}).time_zone  # noqa: B018
    with pytest.raises(SettingsRefused, match="QUEUE_URL=queue"):
        ApiSettings.read({"QUEUE_URL": "queue"}).sqs()
