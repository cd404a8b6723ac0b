"""Merges predictions from the queue into `marts.churn_predictions`."""
