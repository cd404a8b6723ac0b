"""Calls the API with what openapi-python-client makes of its description: URL, key, what to score, what to refuse."""

import json
import sys

from churn_prediction_client import AuthenticatedClient
from churn_prediction_client.api.predictions import predict
from churn_prediction_client.models import CustomerByFeatures, CustomerByOrders

url, key, scored, refused = sys.argv[1:]


def read(file):
    with open(file) as text:
        customers = json.load(text)
    return [(CustomerByFeatures if "features" in given else CustomerByOrders).from_dict(given) for given in customers]


client = AuthenticatedClient(url, key)  # Authorization: Bearer
for prediction in predict.sync(client=client, body=read(scored)):
    print(prediction.customer_id, prediction.prediction_id, prediction.next_order_days.chance_50 is None)
problem = predict.sync(client=client, body=read(refused))
print(problem.code, problem.errors[0].pointer)
