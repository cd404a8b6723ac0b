"""What runs outside the pipeline: it knows pydantic, numpy and onnxruntime, and nothing of `flows`."""
