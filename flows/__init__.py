"""The pipeline: Prefect flows over a pure core (`churn`, `simulator`) and all I/O in `adapters`."""
