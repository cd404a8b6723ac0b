"""Code that runs outside the pipeline: it imports pydantic, numpy and onnxruntime, and nothing of `flows`."""
