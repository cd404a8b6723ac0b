"""From the API through the queue into the warehouse: real requests, moto's SQS, DuckDB and Snowflake's stand-in."""

import json
import logging

import boto3
import duckdb
import pytest
from snowflake.connector import errors as snowflake_errors
from snowflake.connector.converter import SnowflakeConverter

from flows.adapters.duckdb.warehouse import DuckDBWarehouse
from flows.commands.redrive import redrive_dead_letters
from flows.errors import PipelineError
from functions import aws
from functions.churn_api.fast_path import create_api
from functions.churn_api.sqs_queue import SqsQueue
from functions.clock import now
from functions.prediction_record import COLUMNS
from functions.prediction_sink.gather import gather
from functions.prediction_sink.message_reader import read_message
from functions.prediction_sink.sink import merge_messages
from functions.prediction_sink.snowflake_connection import (
    SettingsRefused,
    connect,
    connection_arguments,
    require_settings,
)
from functions.prediction_sink.snowflake_predictions import SnowflakePredictions
from tests.running.serving import NOW, LocalClient, MemoryQueue, customer, service
from tests.stand_ins.snowflake_server import encrypted, key_pair, snowflake_server

_COLUMNS = ", ".join(f"{name} {kind.replace('timestamp', '{timestamp}')}" for name, kind in COLUMNS.items())
TABLE = f"create table marts.churn_predictions ({_COLUMNS})"
ALL = f"select {', '.join(COLUMNS)} from marts.churn_predictions order by customer_id, prediction_id"


class InDuckDB:
    def __init__(self, folder):
        self.warehouse = DuckDBWarehouse(folder / "warehouse.duckdb", folder)
        with duckdb.connect(self.warehouse.file) as con:
            con.execute("create schema marts")
            con.execute(TABLE.format(timestamp="timestamp"))

    def merge(self, records):
        self.warehouse.add_predictions(records)

    def rows(self):
        return [tuple(row.values()) for row in self.warehouse.read(ALL).to_pylist()]


class InSnowflake:
    def __init__(self, settings, key):
        self.settings, self.key = settings, key
        with connect(settings, key).cursor() as cursor:
            for statement in (
                "create database if not exists shop",
                "create schema if not exists shop.marts",
                "use schema shop.marts",
                TABLE.replace("create table", "create or replace table").format(timestamp="timestamp_ntz"),
            ):
                cursor.execute(statement)
        self.predictions = SnowflakePredictions(lambda: connect(settings, key))
        self.merge = self.predictions.merge

    def rows(self):
        with connect(self.settings, self.key).cursor() as cursor:
            return cursor.execute(ALL).fetchall()


@pytest.fixture(scope="session")
def private_key():
    return key_pair()[0]


@pytest.fixture(scope="module")
def snowflake():
    with snowflake_server() as server:
        yield server.settings


@pytest.fixture(params=["duckdb", "snowflake"])
def mart(request, tmp_path):
    if request.param == "duckdb":
        return InDuckDB(tmp_path)
    return InSnowflake(request.getfixturevalue("snowflake"), request.getfixturevalue("private_key"))


class Lambda:
    """What SQS's trigger does: delivers, deletes what was not reported as failed, and delivers the rest again."""

    def __init__(self, server, mart):
        self.sqs = boto3.client("sqs", endpoint_url=server)
        self.dead = self.sqs.create_queue(QueueName="dead")["QueueUrl"]
        arn = self.sqs.get_queue_attributes(QueueUrl=self.dead, AttributeNames=["QueueArn"])["Attributes"]["QueueArn"]
        self.url = self.sqs.create_queue(
            QueueName="predictions",
            Attributes={
                "RedrivePolicy": json.dumps({"deadLetterTargetArn": arn, "maxReceiveCount": 2}),
                "VisibilityTimeout": "0",
            },
        )["QueueUrl"]
        self.merge = mart.merge

    def send(self, *messages):
        for message in messages:
            self.sqs.send_message(QueueUrl=self.url, MessageBody=message)

    def deliver(self):
        """One delivery of what is on the queue; the ids of messages that failed."""
        got = self.sqs.receive_message(QueueUrl=self.url, MaxNumberOfMessages=10).get("Messages", [])
        event = {"Records": [{"messageId": m["MessageId"], "body": m["Body"]} for m in got]}
        failed = {item["itemIdentifier"] for item in merge_messages(event, self.merge)["batchItemFailures"]}
        for message in got:
            if message["MessageId"] not in failed:
                self.sqs.delete_message(QueueUrl=self.url, ReceiptHandle=message["ReceiptHandle"])
        return failed

    def waiting(self, url):
        attributes = self.sqs.get_queue_attributes(QueueUrl=url, AttributeNames=["ApproximateNumberOfMessages"])
        return int(attributes["Attributes"]["ApproximateNumberOfMessages"])


@pytest.fixture
def trigger(aws_server, mart):
    return Lambda(aws_server, mart)


def answered(*customers):
    """The messages and the answers of one request."""
    queue = MemoryQueue()
    with LocalClient(create_api(service(queue))) as client:
        answers = client.post("/predict", json=list(customers)).json()
    return [message.decode() for message in queue.messages], answers


def test_what_a_caller_got_is_in_the_mart(trigger, mart):
    sqs = aws.sqs(trigger.url, "eu-central-1", now)
    with LocalClient(create_api(service(SqsQueue(sqs, trigger.url)))) as client:
        customers = [customer(f"C{n:04}", recency_days=n % 400) for n in range(1_000)]
        customers[0]["customer_id"] = 'it\'s "quoted" \\ and ünïcode'
        answers = client.post("/predict", json=customers).json()
    sqs.close()
    assert trigger.waiting(trigger.url) > 1  # a message holds no thousand answers
    assert trigger.deliver() == set()
    assert trigger.waiting(trigger.url) == 0
    stored = {row[0]: dict(zip(COLUMNS, row, strict=True)) for row in mart.rows()}
    assert len(stored) == 1_000
    for answer in answers:
        row = stored[answer["prediction_id"]]
        assert row["customer_id"] == answer["customer_id"]
        assert row["churn_probability"] == answer["churn_probability"]
        assert row["expected_spend"] == answer["expected_spend"]
        assert [row["reason_1"], row["reason_2"], row["reason_3"]] == [r["text"] for r in answer["reasons"]]
        assert str(row["as_of_date"]) == answer["as_of"]
        days = answer["next_order_days"]["chance_50"]
        assert (row["next_order_on"] is None) == (days is None)
        if days is not None:
            assert (
                (row["next_order_on"] - row["as_of_date"]).days - 1
                < days
                <= (row["next_order_on"] - row["as_of_date"]).days
            )
        assert row["scored_at"].replace(tzinfo=None) == NOW.replace(tzinfo=None)


def test_a_call_by_the_clock_brings_what_has_gathered_and_leaves_what_does_not_fit(trigger, mart):
    messages, answers = answered(*(customer(f"C{n:02}") for n in range(12)))
    one_each = [json.dumps(json.loads(messages[0]) | {"answers": [answer]}) for answer in answers]
    trigger.send(*one_each, "no json")
    trigger.sqs.set_queue_attributes(QueueUrl=trigger.url, Attributes={"VisibilityTimeout": "600"})
    queue = aws.sqs(trigger.url, "eu-central-1", now)
    assert gather(queue, trigger.url, mart.merge, lambda: 600.0) == 12
    queue.close()
    assert {row[0] for row in mart.rows()} == {answer["prediction_id"] for answer in answers}
    in_work = trigger.sqs.get_queue_attributes(
        QueueUrl=trigger.url, AttributeNames=["ApproximateNumberOfMessagesNotVisible"]
    )["Attributes"]
    assert in_work == {"ApproximateNumberOfMessagesNotVisible": "1"}


def test_duplicates_redeliveries_and_another_order_change_nothing(trigger, mart):
    first, _ = answered(customer("A"), customer("B"))
    second, _ = answered(customer("B"), customer("C"))  # B was requested twice
    trigger.send(*second, *first, *first)
    assert trigger.deliver() == set()
    once = mart.rows()
    assert [row[1] for row in once] == ["A", "B", "C"]
    trigger.send(*first, *second)
    trigger.deliver()
    assert mart.rows() == once


def test_a_poison_message_goes_to_the_dead_letters_and_holds_nobody_up(trigger, mart, caplog):
    good, _ = answered(customer("A"))
    trigger.send("no json", *good)
    with caplog.at_level(logging.ERROR):
        assert len(trigger.deliver()) == 1
    assert [row[1] for row in mart.rows()] == ["A"]
    assert "message rejected" in caplog.messages
    trigger.deliver()
    trigger.deliver()
    assert (trigger.waiting(trigger.url), trigger.waiting(trigger.dead)) == (0, 1)


DAYS_WITHOUT_END = {"as_of": "9999-12-30", "next_order_days": {"chance_10": 30, "chance_50": None, "chance_90": None}}


@pytest.mark.parametrize(
    "change", [{"churn_probability": 1.5}, {"reasons": []}, {"customer_id": None}, DAYS_WITHOUT_END]
)
def test_the_good_rows_of_a_message_with_a_bad_one_are_merged(trigger, mart, change):
    (message,), _ = answered(customer("A"), customer("B"), customer("C"))
    broken = json.loads(message)
    broken["answers"][1] |= change
    trigger.send(json.dumps(broken))
    assert len(trigger.deliver()) == 1
    assert [row[1] for row in mart.rows()] == ["A", "C"]


def test_a_merge_that_fails_says_why_and_what_it_says_holds_no_data(caplog):
    messages, _ = answered(customer("anna"))
    event = {"Records": [{"messageId": "1", "body": messages[0]}]}

    def refused(_):
        raise SettingsRefused("The private key cannot be read: store it as PEM.")

    def failed(_):
        raise snowflake_errors.ProgrammingError(msg="row of anna", errno=2003, sqlstate="42S02")

    with caplog.at_level(logging.ERROR):
        for merge in (refused, failed):
            assert merge_messages(event, merge)["batchItemFailures"] == [{"itemIdentifier": "1"}]
    assert [record.problem for record in caplog.records] == [
        "The private key cannot be read: store it as PEM.", "ProgrammingError, errno 2003, sqlstate 42S02",
    ]  # fmt: skip


def test_characters_that_sqs_does_not_take_travel_escaped(mart):
    messages, _ = answered(customer("\uffff"), customer("\ufffe漢"))
    assert all(message.isascii() for message in messages)
    mart.merge([record for message in messages for record in read_message(message)[0]])
    assert {row[1] for row in mart.rows()} == {"\uffff", "\ufffe漢"}


def test_while_the_warehouse_is_down_everything_waits_and_afterwards_nothing_is_missing(trigger, mart):
    def down(_):
        raise ConnectionError("no route to the warehouse")

    messages, _ = answered(customer("A"), customer("B"))
    trigger.merge = down
    trigger.send(*messages)
    assert len(trigger.deliver()) == 1
    assert len(trigger.deliver()) == 1
    trigger.deliver()
    assert trigger.waiting(trigger.dead) == 1

    trigger.merge = mart.merge
    redrive_dead_letters(trigger.url, trigger.dead, "eu-central-1")
    assert trigger.deliver() == set()
    assert [row[1] for row in mart.rows()] == ["A", "B"]
    assert trigger.waiting(trigger.dead) == 0


def test_dead_letters_are_put_back_by_one_command(aws_server, tmp_path, capsys):
    trigger = Lambda(aws_server, InDuckDB(tmp_path))
    for number in range(25):
        trigger.sqs.send_message(QueueUrl=trigger.dead, MessageBody=str(number))
    redrive_dead_letters(trigger.url, trigger.dead, "eu-central-1")
    assert capsys.readouterr().out == "25 of 25 messages are on the queue again\n"
    assert (trigger.waiting(trigger.url), trigger.waiting(trigger.dead)) == (25, 0)


def test_dead_letters_are_put_back_with_the_credentials_and_region_of_a_profile(
    aws_server, tmp_path, capsys, monkeypatch
):
    trigger = Lambda(aws_server, InDuckDB(tmp_path))
    trigger.sqs.send_message(QueueUrl=trigger.dead, MessageBody="1")
    given_out = json.dumps({"Version": 1, "AccessKeyId": "testing", "SecretAccessKey": "testing"})
    (tmp_path / "credentials.json").write_text(given_out)
    (tmp_path / "config").write_text(
        f"[profile shop]\nregion = eu-central-1\ncredential_process = cat {tmp_path}/credentials.json\n"
    )
    for name in ("AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_REGION", "AWS_DEFAULT_REGION"):
        monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    monkeypatch.setenv("AWS_PROFILE", "shop")
    redrive_dead_letters(trigger.url, trigger.dead, None)
    assert capsys.readouterr().out == "1 of 1 messages are on the queue again\n"


@pytest.mark.parametrize("dead", ["/123456789012/nowhere", None])
def test_a_queue_that_cannot_be_redriven_is_refused_with_what_aws_says(aws_server, tmp_path, dead):
    trigger = Lambda(aws_server, InDuckDB(tmp_path))
    queue = trigger.url if dead else "not a queue"
    with pytest.raises(PipelineError, match=r"SQS in eu-central-1: .*(NonExistentQueue|endpoint|URL)"):
        redrive_dead_letters(queue, f"{aws_server}{dead}", "eu-central-1")


class Statements:
    """A connection that keeps what the real connector would send."""

    def __init__(self):
        self.sent = []

    def __enter__(self):
        return self

    def __exit__(self, *_):
        pass

    def cursor(self):
        return self

    def execute(self, statement, parameters):
        quoted = [SnowflakeConverter.quote(SnowflakeConverter.escape(value)) for value in parameters]
        self.sent.append(statement % tuple(quoted))


def test_no_statement_is_longer_than_snowflake_takes_whatever_the_ids():
    ids = ["漢" * 195, "é" * 195, "\\" * 195, "'" * 195, '"' * 195]
    messages, _ = answered(*(customer(f"{ids[n % 5]}{n:05}") for n in range(1_000)))
    records = [record for message in messages for record in read_message(message)[0]]
    sent = Statements()
    SnowflakePredictions(lambda: sent).merge(records)
    assert len(sent.sent) > 1
    assert max(map(len, sent.sent)) < 1_000_000


def test_more_rows_than_a_statement_takes_are_merged_all_the_same(mart):
    messages, _ = answered(*(customer(f"C{n}") for n in range(1_000)))
    more, _ = answered(*(customer(f"D{n}") for n in range(200)))
    mart.merge([record for message in (*messages, *more) for record in read_message(message)[0]])
    assert len(mart.rows()) == 1_200


def test_a_connection_that_is_lost_midway_is_opened_again_and_nothing_is_missing_or_double(
    snowflake, private_key, monkeypatch
):
    mart = InSnowflake(snowflake, private_key)
    messages, _ = answered(*(customer(f"C{n}") for n in range(30)))
    records = [record for message in messages for record in read_message(message)[0]]
    monkeypatch.setattr("functions.prediction_sink.snowflake_predictions.STATEMENT_CHARACTERS", 7_000)
    opened = []

    class LostAtTheThirdStatement:
        def __init__(self):
            self.real, self.executed = connect(snowflake, private_key), 0
            opened.append(self)

        def cursor(self):
            cursor = self.real.cursor()
            execute = cursor.execute

            def count(statement, *arguments):
                self.executed += 1
                if self.executed == 3 and len(opened) == 1:
                    raise ConnectionError("lost")
                return execute(statement, *arguments)

            cursor.execute = count
            return cursor

        def close(self):
            self.real.close()

    mart.predictions.connect = LostAtTheThirdStatement
    with pytest.raises(ConnectionError):
        mart.merge(records)
    mart.merge(records)
    assert len(opened) == 2
    assert [row[1] for row in mart.rows()] == sorted(record.customer_id for record in records)


def test_the_key_may_be_encrypted_and_is_never_shown(private_key):
    locked = encrypted(b"pass")
    plain = connection_arguments({}, private_key)["private_key"]
    assert connection_arguments({}, json.dumps({"private_key": locked, "passphrase": "pass"}))["private_key"] == plain
    for wrong in (locked, json.dumps({"private_key": locked, "passphrase": "word"}), "MII", "{}", "{"):
        with pytest.raises(SettingsRefused, match="private key cannot be read") as refused:
            connection_arguments({}, wrong)
        assert wrong not in str(refused.value)


def test_settings_that_are_missing_are_named():
    with pytest.raises(SettingsRefused, match="SNOWFLAKE_USER, SNOWFLAKE_ROLE"):
        require_settings({"SNOWFLAKE_ACCOUNT": "a"})
