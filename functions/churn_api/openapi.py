"""The OpenAPI document, so that generated clients compile and send what is meant.

FastAPI does not know the bodies, which it does not read; and generators stumble over what pydantic writes: titles of
fields, `anyOf` with null, numbers without a format (float32 in Go), text beside numbers."""

from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from functions.churn_api.access import KEY_HEADER
from functions.churn_api.columns_form import ABOUT, REQUIRED
from functions.churn_api.contract import FEATURES
from functions.churn_api.customers import CustomerByFeatures, CustomerByOrders
from functions.churn_api.documents import ExternalBatch
from functions.churn_api.fast_reading import MAX_CUSTOMERS
from functions.churn_api.middleware import COLUMNS_PATH, OPEN_TO_ALL
from functions.churn_api.problems import MEDIA_TYPE

API_VERSION = "1.2.0"
_REFERENCE = "#/components/schemas/"
_MODELS: list[type[BaseModel]] = [CustomerByFeatures, CustomerByOrders, ExternalBatch]
_FEATURES = {name: feature.example for name, feature in FEATURES.items()}
_ORDERS = [{"ordered_at": "2026-05-01T10:00:00", "amount": 40.0}, {"ordered_at": "2026-06-01", "amount": 25.5}]
_BY_FEATURES = {"customer_id": "C000042", "as_of": "2026-06-30", "features": _FEATURES}
_BY_ORDERS = {"customer_id": "C000043", "as_of": "2026-06-30", "orders": _ORDERS}
_EXAMPLES = {
    "by_features": {"summary": "A customer as features", "value": [_BY_FEATURES]},
    "by_orders": {"summary": "A customer as order history", "value": [_BY_ORDERS]},
    "a_list": {"summary": "Customers of both kinds", "value": [_BY_FEATURES, _BY_ORDERS]},
}
_COLUMNS = {
    "two_customers": {
        "summary": "Two customers by columns",
        "value": {"customer_id": ["C000042", "C000043"], "as_of": ["2026-06-30", "2026-06-30"]}
        | {name: [value, value] for name, value in _FEATURES.items()},
    }
}
_BATCH = {"batch": {"summary": "Two rows", "value": {"data": [[0, _FEATURES | {"customer_id": "C000042"}], [1, None]]}}}


_TAGS = [
    {"name": "predictions", "description": "Churn, value and reasons of customers"},
    {"name": "jobs", "description": "Files of customers, scored meanwhile"},
    {"name": "service", "description": "The service and its model"},
]
_ALL = tuple(map(str, range(200, 600)))
_HEADERS = {
    "x-request-id": {"type": "string"},
    "retry-after": {"type": "integer", "description": "Seconds to wait"},
    "www-authenticate": {"type": "string"},
}
_SENT_WITH = {"x-request-id": _ALL, "retry-after": ("429", "503"), "www-authenticate": ("401",)}


def describe(openapi: dict[str, Any], base_path: str) -> dict[str, Any]:
    """The document that FastAPI made, completed."""
    _, schemas = models_json_schema([(model, "validation") for model in _MODELS], ref_template=f"{_REFERENCE}{{model}}")
    components = openapi["components"]
    kinds = [{"$ref": f"{_REFERENCE}{model.__name__}"} for model in (CustomerByFeatures, CustomerByOrders)]
    components["schemas"] |= schemas["$defs"] | {"Customer": {"oneOf": kinds}}
    customers = {
        "type": "array",
        "items": {"$ref": f"{_REFERENCE}Customer"},
        "minItems": 1,
        "maxItems": MAX_CUSTOMERS,
    }
    _take(openapi, "/predict", customers, _EXAMPLES)
    _take(openapi, COLUMNS_PATH, {"$ref": f"{_REFERENCE}CustomerColumns"}, _COLUMNS)
    _take(openapi, "/snowflake", {"$ref": f"{_REFERENCE}ExternalBatch"}, _BATCH)
    _describe_order(components["schemas"]["Order"]["properties"])
    for name, schema in components["schemas"].items():
        _simplify(schema)
        schema["title"] = name
    components["schemas"]["CustomerColumns"] = _by_columns(components["schemas"])
    components["securitySchemes"] = {
        "key": {"type": "apiKey", "in": "header", "name": KEY_HEADER},
        "bearer": {"type": "http", "scheme": "bearer"},
    }
    for path, operations in openapi["paths"].items():
        for operation in operations.values():
            operation["security"] = [] if path in OPEN_TO_ALL else [{"key": []}, {"bearer": []}]
            for status, response in operation["responses"].items():
                _complete(status, response)
    openapi["servers"] = [{"url": f"{base_path}/v1"}]
    openapi["tags"] = _TAGS
    openapi["info"]["license"] = {"name": "Apache-2.0", "identifier": "Apache-2.0"}
    return openapi


def _by_columns(schemas: dict[str, Any]) -> dict[str, Any]:
    """A list of each field of a customer as features."""
    about = schemas["CustomerByFeatures"]["properties"]
    fields = {name: about[name] for name in ABOUT} | schemas["CustomerFeatures"]["properties"]
    return {
        "title": "CustomerColumns",
        "description": "Customers as features, by columns: lists of one length, with a value for each customer",
        "type": "object",
        "additionalProperties": False,
        "required": list(REQUIRED),
        "properties": {name: _column(field) for name, field in fields.items()},
    }


def _column(field: dict[str, Any]) -> dict[str, Any]:
    value = {key: part for key, part in field.items() if key not in ("description", "default")}
    about = {"description": field["description"]} if "description" in field else {}
    return about | {"type": "array", "items": value, "minItems": 1, "maxItems": MAX_CUSTOMERS}


def _take(openapi: dict[str, Any], path: str, schema: dict[str, Any], examples: dict[str, Any]) -> None:
    content = {"application/json": {"schema": schema, "examples": examples}}
    openapi["paths"][path]["post"]["requestBody"] = {"required": True, "content": content}


def _complete(status: str, response: dict[str, Any]) -> None:
    """The headers of a response, and the media type of a refusal."""
    response["headers"] = {name: {"schema": schema} for name, schema in _HEADERS.items() if status in _SENT_WITH[name]}
    if status >= "400":
        response["content"] = {MEDIA_TYPE: response["content"]["application/json"]}


def _describe_order(properties: dict[str, Any]) -> None:
    """Amounts may be text, and moments may have no offset; generated clients send numbers, and moments as text."""
    amount, moment = properties["amount"], properties["ordered_at"]
    number = next(kind for kind in amount.pop("anyOf") if kind["type"] == "number")
    amount |= number | {"minimum": float(amount.pop("ge")), "maximum": float(amount.pop("le"))}
    moment.pop("format", None)
    moment |= {"pattern": r"^\d{4}-\d\d-\d\d([T ].+)?$", "examples": ["2026-05-28T10:15:00", "2026-05-28"]}


def _simplify(schema: Any) -> None:
    """In place, with all that is in it."""
    if isinstance(schema, list):
        for part in schema:
            _simplify(part)
        return
    if not isinstance(schema, dict):
        return
    for field in schema.get("properties", {}).values():
        field.pop("title", None)
    kinds = schema.get("anyOf", [])
    if len(kinds) == 2 and {"type": "null"} in kinds:
        (kind,) = (kind for kind in kinds if kind != {"type": "null"})
        if isinstance(kind.get("type"), str):
            del schema["anyOf"]
            schema |= kind | {"type": [kind["type"], "null"]}
            if "enum" in kind:
                schema["enum"] = [*kind["enum"], None]
    elif kinds:
        schema["oneOf"] = schema.pop("anyOf")
    if "number" in (schema.get("type"), *([] if isinstance(schema.get("type"), str) else schema.get("type") or [])):
        schema.setdefault("format", "double")
    if "prefixItems" in schema:
        schema.setdefault("items", {})
    for own in ("unit", "cause"):
        if isinstance(schema.get(own), str):
            schema[f"x-{own}"] = schema.pop(own)
    for name, part in schema.items():
        if name not in ("examples", "example", "enum", "required"):
            _simplify(part)
