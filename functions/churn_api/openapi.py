"""The OpenAPI document: what FastAPI cannot know of bodies that it does not read."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.churn_api.customers import MAX_CUSTOMERS, CustomerByFeatures, CustomerByOrders
from functions.churn_api.documents import ExternalBatch

_REFERENCE = "#/components/schemas/"


def describe_bodies(openapi: dict[str, Any]) -> dict[str, Any]:
    """The document with the bodies of `/predict` and `/snowflake`."""
    models: list[type[BaseModel]] = [CustomerByFeatures, CustomerByOrders, ExternalBatch]
    _, schemas = models_json_schema([(model, "validation") for model in models], ref_template=f"{_REFERENCE}{{model}}")
    openapi["components"]["schemas"] |= schemas["$defs"] | {"Customer": _customer()}
    customers = {
        "type": "array",
        "items": {"$ref": f"{_REFERENCE}Customer"},
        "minItems": 1,
        "maxItems": MAX_CUSTOMERS,
    }
    for path, schema in (("/predict", customers), ("/snowflake", {"$ref": f"{_REFERENCE}ExternalBatch"})):
        openapi["paths"][path]["post"]["requestBody"] = {
            "required": True,
            "content": {"application/json": {"schema": schema}},
        }
    return openapi


def _customer() -> dict[str, Any]:
    kinds = [{"$ref": f"{_REFERENCE}{model.__name__}"} for model in (CustomerByFeatures, CustomerByOrders)]
    return {"title": "Customer", "oneOf": kinds}
