"""Channels: the ways out of the house. To add one: one file with `name`, `idempotent`, `send`, `examples`, and a line in registry.py."""
