"""FastAPI with scikit-learn and a pydantic model of a customer. usage: plain_fastapi.py PORT FOLDER"""

import json
import sys
from pathlib import Path

import joblib
import uvicorn
from fastapi import FastAPI
from pydantic import BaseModel, create_model

FOLDER = Path(sys.argv[2])
NAMES = json.loads((FOLDER / "names.json").read_text())
model = joblib.load(FOLDER / "model.joblib")
app = FastAPI()

Features = create_model("Features", **dict.fromkeys(NAMES, (float | None, None)))


class Customer(BaseModel):
    customer_id: str
    features: Features


@app.post("/predict")
def predict(customers: list[Customer]) -> list[float]:
    rows = [[getattr(customer.features, name) for name in NAMES] for customer in customers]
    return model.predict_proba(rows)[:, 1].tolist()


uvicorn.run(app, port=int(sys.argv[1]), log_level="error", access_log=False)
