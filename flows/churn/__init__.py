"""The churn model, from training snapshots to a checked ONNX file. Takes values, returns values."""
