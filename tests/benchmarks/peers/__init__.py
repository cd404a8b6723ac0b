"""The same job as other model servers do it, as their own first pages show. Each file is run in `.venv/peers`."""
