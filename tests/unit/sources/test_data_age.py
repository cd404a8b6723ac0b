"""How old data is, and what follows from it."""

from datetime import UTC, date, datetime, timedelta

import pytest

from flows.sources.data_age import TableAge, judge_age

MONDAY = datetime(2026, 11, 23, 5, tzinfo=UTC)


def judged(newest_order, tables=(), last_syncs=(), **limits):
    return judge_age(
        newest_order, tables, dict(last_syncs), MONDAY, **{"stale_after_days": 3, "stop_sending_after_days": 7} | limits
    )


def table(name="deals", hours=1.0, status="pass", **more):
    return TableAge("hubspot", name, MONDAY - timedelta(hours=hours), status, **more)


def test_a_shop_that_rests_on_weekends_is_not_stale_on_monday():
    friday = date(2026, 11, 20)
    assert judged(friday) == judged(date(2026, 11, 23))
    assert judged(friday).warnings == ()
    assert judged(friday).why_nothing_is_sent is None


@pytest.mark.parametrize(("day", "warns", "sends"), [(19, True, True), (16, True, True), (15, True, False)])
def test_older_orders_are_a_warning_and_much_older_ones_are_not_sent_on(day, warns, sends):
    age = judged(date(2026, 11, day))
    assert age.warnings == (f"the newest order is of 2026-11-{day}, {23 - day} days ago",) * warns
    assert (age.why_nothing_is_sent is None) == sends


def test_a_slow_shop_sets_its_own_limits_and_the_reason_names_the_setting():
    age = judged(date(2026, 11, 3), stale_after_days=30, stop_sending_after_days=14)
    assert age.warnings == ()
    assert age.why_nothing_is_sent == (
        "the newest order is of 2026-11-03, 20 days ago (STOP_SENDING_AFTER_DAYS=14)"
    )  # fmt: skip


def test_contacts_that_no_longer_come_stop_sending_because_consent_comes_with_them():
    age = judged(date(2026, 11, 22), [table("contacts", hours=24 * 9), table("deals", hours=24 * 8 + 1)])
    assert age.warnings == ("nothing has come from hubspot since 2026-11-15 04:00 UTC",)
    assert age.why_nothing_is_sent.startswith("nothing has come from hubspot since 2026-11-15 04:00 UTC")


def test_a_sync_that_succeeded_counts_though_nothing_had_changed():
    age = judged(date(2026, 11, 22), [table(hours=24 * 9)], {"hubspot": MONDAY - timedelta(minutes=10)})
    assert age.why_nothing_is_sent is None
    assert age.notes == (
        "the newest order is of 2026-11-22, 1 day ago",
        "hubspot last brought data at 2026-11-23 04:50 UTC",
    )


def test_a_table_beyond_its_own_threshold_is_named_with_it():
    late = table("email_events", hours=24 * 5, status="warn", threshold="warn after 4 days")
    age = judged(date(2026, 11, 23), [table(), late])
    assert age.warnings == ("the newest record of hubspot.email_events came 5 days ago (warn after 4 days)",)
    assert age.why_nothing_is_sent is None


def test_a_table_that_cannot_be_asked_is_a_warning():
    broken = TableAge("hubspot", "deals", None, "runtime error", message="no such table")
    assert judged(date(2026, 11, 23), [broken]).warnings == (
        "how fresh hubspot.deals is could not be found: no such table",
    )  # fmt: skip


def test_files_leave_no_note_because_they_are_as_old_as_the_run():
    assert judged(date(2026, 11, 23)).notes == ()
