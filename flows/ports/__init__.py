"""The interfaces of a warehouse, a destination and a sync that flows rely on."""
