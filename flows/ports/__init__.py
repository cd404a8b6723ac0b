"""What flows expect of a warehouse, a destination and a sync, whatever stands behind them."""
