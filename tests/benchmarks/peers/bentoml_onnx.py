"""BentoML over the same ONNX file; all its figures are in the answer.

usage: CHURN_FOLDER=FOLDER bentoml serve bentoml_onnx:Churn --port PORT
"""

import json
import os
from pathlib import Path
from typing import Any

import bentoml
import numpy
import onnxruntime

FOLDER = Path(os.environ["CHURN_FOLDER"])
NAMES = json.loads((FOLDER / "names.json").read_text())


@bentoml.service(workers=1, traffic={"timeout": 60})
class Churn:
    def __init__(self) -> None:
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(FOLDER / "model.onnx"), options)

    @bentoml.api
    def predict(self, customers: list[dict[str, Any]]) -> list[list[Any]]:
        features = numpy.array([[row["features"][name] for name in NAMES] for row in customers], dtype=float)
        given = {"features": features, "day_of_year": numpy.full(len(features), 182)}
        return [numpy.nan_to_num(output).tolist() for output in self.session.run(None, given)]
