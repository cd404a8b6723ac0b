"""Where the project's own files are, and the names of connections that the code treats in a way of their own."""

from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
CONNECTIONS = REPOSITORY / "airbyte" / "connections.yml"
SHIPPED_MODELS = REPOSITORY / "model_artifacts"

SIMULATED_SHOP = "simulated_shop"
ANY_ORDERS_CSV = "orders_csv"
ANY_CONTACTS_CSV = "contacts_csv"
ANY_PRODUCTS_CSV = "products_csv"
