"""LitServe over the same ONNX file; all its figures are in the answer. usage: litserve_onnx.py PORT FOLDER"""

import json
import sys
from pathlib import Path

import litserve
import numpy
import onnxruntime

FOLDER = Path(sys.argv[2])
NAMES = json.loads((FOLDER / "names.json").read_text())


class Churn(litserve.LitAPI):
    def setup(self, device):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = 1
        self.session = onnxruntime.InferenceSession(str(FOLDER / "model.onnx"), options)

    def decode_request(self, request):
        return numpy.array([[row["features"][name] for name in NAMES] for row in request["customers"]], dtype=float)

    def predict(self, features):
        return self.session.run(None, {"features": features, "day_of_year": numpy.full(len(features), 182)})

    def encode_response(self, outputs):
        return {"figures": [numpy.nan_to_num(output).tolist() for output in outputs]}


if __name__ == "__main__":
    server = litserve.LitServer(Churn(), accelerator="cpu")
    server.run(host="127.0.0.1", port=int(sys.argv[1]), generate_client_file=False, log_level="error")
