"""The churn model behind HTTP, and the contract of its features."""
