"""Calls the API with what openapi-generator makes of its description: URL, key, bodies to score and to have refused."""

import json
import sys

from openapi_client import ApiClient, ApiException, Configuration, Customer, PredictionsApi

url, key, scored, refused = sys.argv[1:]


def read(file):
    with open(file) as text:
        return [Customer.from_dict(customer) for customer in json.load(text)]


api = PredictionsApi(ApiClient(Configuration(host=url, api_key={"key": key})))
for prediction in api.predict(read(scored)):
    print(prediction.customer_id, prediction.prediction_id, prediction.next_order_days.chance_50 is None)
try:
    api.predict(read(refused))
except ApiException as problem:
    print(problem.data.code, problem.data.errors[0].pointer)
