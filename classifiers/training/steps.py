"""One step of an optimizer, the same for pretraining and tuning."""

from __future__ import annotations

from typing import Any

import torch


def learn(model: torch.nn.Module, optimizer: Any, loss: torch.Tensor, *, rate: float) -> None:
    """Move the weights once against `loss`, at this learning rate, the gradient clipped to length 1."""
    for group in optimizer.param_groups:
        group["lr"] = rate
    optimizer.zero_grad(set_to_none=True)
    loss.backward()  # type: ignore[no-untyped-call, unused-ignore]
    torch.nn.utils.clip_grad_norm_(model.parameters(), 1.0)
    optimizer.step()
