"""Checkpoints from everywhere, which no fixture has."""
