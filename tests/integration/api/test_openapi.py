"""Thousands of requests drawn from the OpenAPI document, right and wrong ones: nothing makes the server fail."""

import json

import pytest
import schemathesis
from hypothesis import HealthCheck, settings
from schemathesis.specs.openapi.checks import negative_data_rejection, positive_data_acceptance

from functions.churn_api.access import Access, ApiKeys, Rate
from functions.churn_api.fast_path import create_api
from functions.clock import now
from tests.running.serving import service

pytestmark = [pytest.mark.whole_run, pytest.mark.release]

KEY = "k" * 32

schema = schemathesis.openapi.from_asgi(
    "/openapi.json",
    create_api(
        service(access=Access(ApiKeys(lambda: json.dumps({"fuzz": KEY})), rate=Rate(per_second=1e6)), clock=now)
    ),
)


@schema.parametrize()
@settings(max_examples=1_000, deadline=None, suppress_health_check=list(HealthCheck))
def test_every_request_is_answered_as_the_document_says(case):
    # what is well formed may still be refused: a day in the future, or orders that were all sent back; and more is
    # taken than is described, such as one customer without a list
    case.call_and_validate(
        headers={"x-api-key": KEY}, excluded_checks=[positive_data_acceptance, negative_data_rejection]
    )
