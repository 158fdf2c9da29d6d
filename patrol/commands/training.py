"""wangxun train: pretraining, tuning and export of the neural classifier; needs the train extra."""

from __future__ import annotations

import importlib.util

import click

from domain.errors import ModelUnavailable


def require_torch() -> None:
    """Raises ModelUnavailable where the train extra is not installed."""
    if not importlib.util.find_spec("torch") or not importlib.util.find_spec("transformers"):
        raise ModelUnavailable("train: torch and transformers are not installed; make setup TRAIN=1 adds them (running never needs them)")


@click.group()
def train() -> None:
    """Make the neural classifier: pretrain, tune, export. Resumable; needs the train extra (make setup TRAIN=1)."""
    require_torch()
