"""Bodies that ask for as much work as their kind can, by route and name: the wrong ones first, then valid ones."""

import json

from tests.running.serving import EXAMPLE, by_columns

AS_OF = "2026-06-30"
ORDER = {"ordered_at": "2026-06-01T10:00:00+02:00", "amount": "20.25", "order_id": "A-1001", "sku": "TEAPOT"}


def history(orders, customer_id="C1"):
    return {"customer_id": customer_id, "as_of": AS_OF, "orders": orders}


def returns(lines):
    """Sales of one product and as many returns of it, none of which names its order."""
    sold = [{"ordered_at": "2026-06-01", "amount": 20, "sku": "A"}] * (lines // 2)
    return history([*sold, *[{"ordered_at": "2026-06-02", "amount": -10, "sku": "A"}] * (lines // 2)])


def heavy_bodies():
    """{name: (path, body)}"""
    wrong = dict.fromkeys(EXAMPLE, "x")
    unknown = {f"f{n}": n for n in range(100_000)}
    return {
        "1,000 customers with 1,000 empty orders": (
            "/predict",
            json.dumps([history([{}] * 1_000)] * 1_000, separators=(",", ":")).encode(),
        ),
        "20 customers with 1,000 empty orders": ("/predict", json.dumps([history([{}] * 1_000)] * 20).encode()),
        "a customer with 100,000 unknown fields": (
            "/predict",
            json.dumps(unknown).encode(),
        ),
        "an order with 100,000 unknown fields": (
            "/predict",
            json.dumps(history([unknown])).encode(),
        ),
        "commas, then quotes without an end": ("/predict", b"[" + b"0," * 150_000 + b'\\"' * 2_500_000),
        "texts without a comma": ("/predict", b'["' + b'","' * 100_000 + b'""' * 2_500_000),
        "a whole number of six megabytes": ("/predict", b"[" + b"9" * 6_000_000 + b"]"),
        "an amount of six megabytes": ("/predict", json.dumps(history([ORDER | {"amount": "9" * 6_000_000}])).encode()),
        "a timestamp of six megabytes": (
            "/predict",
            json.dumps(history([ORDER | {"ordered_at": "2026-06-01T10" + "0" * 6_000_000}])).encode(),
        ),
        "3,000,000 numbers for rows": ("/snowflake", b'{"data":[' + b"1," * 2_999_999 + b"1]}"),
        "100,000 empty rows": ("/snowflake", json.dumps({"data": [[n, {}] for n in range(100_000)]}).encode()),
        "5,000 rows of wrong values": ("/snowflake", json.dumps({"data": [[n, wrong] for n in range(5_000)]}).encode()),
        "20 customers with 500 sales and 500 returns": ("/predict", json.dumps([returns(1_000)] * 20).encode()),
        "20 customers with 1,000 orders": ("/predict", json.dumps([history([ORDER] * 1_000)] * 20).encode()),
        "1,000 customers as features": (
            "/predict",
            json.dumps([{"customer_id": f"C{n}", "features": EXAMPLE} for n in range(1_000)]).encode(),
        ),
        "100,000 unknown columns": ("/predict/columns", json.dumps(unknown).encode()),
        "1,000 customers of wrong values by columns": (
            "/predict/columns",
            json.dumps({name: [value] * 1_000 for name, value in ({"customer_id": "C1"} | wrong).items()}).encode(),
        ),
        "1,000 customers by columns": (
            "/predict/columns",
            json.dumps(by_columns([{"customer_id": f"C{n}", "features": EXAMPLE} for n in range(1_000)])).encode(),
        ),
        "5,000 rows": (
            "/snowflake",
            json.dumps({"data": [[n, EXAMPLE | {"customer_id": f"C{n}"}] for n in range(5_000)]}).encode(),
        ),
    }
