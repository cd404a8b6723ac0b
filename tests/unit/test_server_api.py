"""What clients of servers share: errors that show no secret and say what to do, and how long a call is repeated."""

import pytest

from flows.adapters.server_api import MAX_QUOTE, MAY_PASS, RetryPolicy, ServerErrors
from flows.errors import AirbyteRefused, AirbyteUnreachable

ERRORS = ServerErrors(
    "https://server", AirbyteRefused, AirbyteUnreachable, ("hush",), MAY_PASS | {423}, {403: "Ask for a role."}
)


@pytest.mark.parametrize(
    ("status", "kind"),
    [(400, AirbyteRefused), (403, AirbyteRefused), (423, AirbyteUnreachable), (429, AirbyteUnreachable),
     (500, AirbyteUnreachable), (204, AirbyteUnreachable), (0, AirbyteRefused)],
)  # fmt: skip
def test_an_answer_that_may_be_another_in_a_moment_is_told_from_a_refusal(status, kind):
    assert type(ERRORS.from_response("Listing", status, "no", {})) is kind


def test_a_refusal_quotes_the_server_without_secrets_and_says_what_to_do():
    said = "hush\n is not token-of-the-session " + "x" * MAX_QUOTE
    refused = ERRORS.from_response("Listing", 403, said, {}, "token-of-the-session")
    assert str(refused).startswith("Listing: https://server answers 403: … is not … xxx")
    assert str(refused).endswith("x. Ask for a role.")
    assert len(str(refused)) < MAX_QUOTE + 100
    assert "hush" not in str(refused) + refused.response_text + repr(ERRORS)


def test_what_waiting_does_not_help_is_a_refusal_whatever_the_status():
    refused = ERRORS.from_response("Listing", 429, "spent.", {"Retry-After": "5"}, advice="Tomorrow.", is_final=True)
    assert (type(refused), str(refused)) == (AirbyteRefused, "Listing: https://server answers 429: spent. Tomorrow.")


def test_a_call_is_repeated_until_its_deadline_and_waits_as_long_as_the_server_asks():
    now, pauses = [0.0], []

    def wait(seconds):
        pauses.append(seconds)
        now[0] += seconds

    def attempt():
        raise AirbyteUnreachable("busy", 7.0 if not pauses else None)

    policy = RetryPolicy(wait, lambda: now[0])
    with pytest.raises(AirbyteUnreachable):
        policy.retry_until(policy.deadline(12.0), attempt)
    assert pauses == [7.0, 3.0, 2.0]
