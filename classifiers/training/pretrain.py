"""Masked-LM pretraining of a small BERT on characters, whole words masked, on two CPU cores or a GPU with bf16; resumable after a kill."""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from transformers import BertConfig, BertForMaskedLM

from classifiers.training import corpus
from classifiers.training.recipe import Recipe
from classifiers.training.saving import note, save
from classifiers.training.steps import learn

MASK, CLS, SEP = 4, 2, 3


CHECKPOINT = "checkpoint.pt"


def fresh(recipe: Recipe, *, vocabulary: int) -> Any:
    """An untrained model of the recipe's size. Any encoder that `BertForMaskedLM.from_pretrained` reads could stand in its place."""
    size = recipe.model
    config = BertConfig(
        vocab_size=vocabulary,
        hidden_size=size["width"],
        num_hidden_layers=size["layers"],
        num_attention_heads=size["heads"],
        intermediate_size=size["inner"],
        max_position_embeddings=size["positions"],
        type_vocab_size=1,
        hidden_dropout_prob=0.0,  # far from one pass over enough text: dropout would only slow it down
        attention_probs_dropout_prob=0.0,
    )
    model = BertForMaskedLM(config)
    # On two cores the fused attention of this torch spends its time in allocation: plain attention is twice as fast there.
    model.set_attn_implementation("sdpa" if torch.cuda.is_available() else "eager")
    return model


def warm(model: Any, data: NDArray[np.uint16]) -> None:
    """Starts the model where counting alone leads: characters near those they occur with, places as waves, the bias as frequencies.

    A small model spends its first thousand steps on learning just that; counting 20 M characters takes seconds.
    Source: Levy and Goldberg 2014 (word vectors as a factorised PPMI matrix); Vaswani et al. 2017 (sinusoids).
    """
    size, width = model.config.vocab_size, model.config.hidden_size
    ids = (np.asarray(data[:30_000_000]) & 0x7FFF).astype(np.int64)
    together = np.zeros(size * size, dtype=np.float32)
    for apart in (1, 2, 3):
        together += np.bincount(ids[:-apart] * size + ids[apart:], minlength=size * size).astype(np.float32) / apart
    pairs = together.reshape(size, size)
    pairs = pairs + pairs.T + 1e-3
    alone = pairs.sum(1, dtype=np.float64)
    ppmi = np.maximum(np.log(pairs * alone.sum() / (alone[:, None] * alone[None, :] ** 0.75 * alone.sum() ** 0.25)), 0.0)
    left, strength, _ = torch.svd_lowrank(torch.from_numpy(ppmi.astype(np.float32)), q=min(width, size - 1), niter=2)
    vectors = left * strength.sqrt()
    vectors = 0.03 * vectors / vectors.std()
    places = np.arange(model.config.max_position_embeddings)[:, None] / 1000.0 ** (np.arange(width // 2)[None, :] / (width // 2))
    counts = np.bincount(ids, minlength=size) + 1.0
    with torch.no_grad():
        words = model.bert.embeddings.word_embeddings.weight
        words[:, : vectors.shape[1]] = vectors
        words[: MASK + 1] = torch.randn(MASK + 1, width) * 0.03
        waves = torch.from_numpy(np.concatenate([np.sin(places), np.cos(places)], axis=1))
        model.bert.embeddings.position_embeddings.weight.copy_(0.03 * waves)
        model.cls.predictions.bias.copy_(torch.from_numpy(np.log(counts / counts.sum())))


def masked(rows: NDArray[np.uint16], *, share: float, vocabulary: int, draw: np.random.Generator) -> tuple[torch.Tensor, torch.Tensor]:
    """(ids with masks, labels with -100 where nothing is asked), each (batch, 2 + characters). Whole words are masked together."""
    ids = (rows & 0x7FFF).astype(np.int64)
    word = np.cumsum((rows & corpus.WORD_START) != 0, axis=1)
    chosen = draw.random((rows.shape[0], rows.shape[1] + 1)) < share
    ask = np.take_along_axis(chosen, word, axis=1) & (ids > MASK)
    labels = np.where(ask, ids, -100)
    fate = draw.random(rows.shape)
    shown = np.where(ask & (fate < 0.8), MASK, ids)
    shown = np.where(ask & (fate >= 0.9), draw.integers(5, vocabulary, rows.shape), shown)
    pad = ((0, 0), (1, 1))
    framed = np.pad(shown, pad, constant_values=((0, 0), (CLS, SEP)))
    return torch.from_numpy(framed), torch.from_numpy(np.pad(labels, pad, constant_values=-100))


def loss_of(model: Any, ids: torch.Tensor, labels: torch.Tensor) -> torch.Tensor:
    """Cross-entropy at the masked places; the vocabulary head sees only these, which halves the work."""
    hidden = model.bert(ids).last_hidden_state
    ask = labels >= 0
    scores = model.cls(hidden[ask])
    return torch.nn.functional.cross_entropy(scores.float(), labels[ask])


def _rate(recipe: Recipe, done: float) -> float:
    warmup = recipe.pretrain["warmup"]
    factor = done / warmup if done < warmup else max(0.02, (1.0 - done) / (1.0 - warmup))
    return float(recipe.pretrain["learning_rate"]) * float(factor)


def _batches(data: NDArray[np.uint16], *, recipe: Recipe, step: int) -> Iterator[NDArray[np.uint16]]:
    """Endless batches from `step` on; the same step always gives the same rows, so a resumed run sees what it would have seen."""
    plan = recipe.pretrain
    while True:
        draw = np.random.default_rng((recipe.seed, step))
        short = step % 4 != 3
        length = plan["short_characters"] if short else plan["characters"]
        count = plan["batch"] * (2 if short else 1)
        starts = draw.integers(0, len(data) - length, count)
        yield data[starts[:, None] + np.arange(length)]
        step += 1


def run(folder: Path, *, recipe: Recipe, out: Path, stop_after_steps: int | None = None) -> Path:
    """Pretrains until the recipe's minutes are spent; the folder of the finished encoder, readable by `from_pretrained`.

    A checkpoint under `out` is taken up where it stopped. `stop_after_steps` ends early, as a kill would, without finishing.
    """
    plan = recipe.pretrain
    torch.set_num_threads(plan["threads"])
    data = corpus.prepare(folder, recipe=recipe, out=out)
    held, data = data[: len(data) // 200], data[len(data) // 200 :]
    vocabulary = 1 + max(json.loads((out / "tokenizer.json").read_text("utf-8"))["model"]["vocab"].values())
    model, optimizer, step, spent = _standing(data, recipe=recipe, out=out, vocabulary=vocabulary)
    device, budget, checkpoint = next(model.parameters()).device, plan["budget_min"] * 60.0, out / CHECKPOINT
    saved, mean, first = spent, 0.0, step
    model.train()
    for rows in _batches(data, recipe=recipe, step=step):
        if spent >= budget or (stop_after_steps is not None and step - first >= stop_after_steps):
            break
        began = time.perf_counter()
        ids, labels = masked(rows, share=plan["mask"], vocabulary=vocabulary, draw=np.random.default_rng((recipe.seed, step, 1)))
        with torch.autocast(device.type, dtype=torch.bfloat16):
            loss = loss_of(model, ids.to(device), labels.to(device))
        learn(model, optimizer, loss, rate=_rate(recipe, spent / budget))
        step += 1
        spent += time.perf_counter() - began
        mean = loss.item() if mean == 0.0 else 0.98 * mean + 0.02 * loss.item()
        if step % 100 == 0:
            note(out / "pretrain.jsonl", {"step": step, "minutes": round(spent / 60, 2), "loss": round(mean, 4)})
        if spent - saved >= plan["save_every_s"]:
            save(checkpoint, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "spent": spent})
            saved = spent
    save(checkpoint, {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "step": step, "spent": spent})
    if spent < budget:
        return checkpoint
    final = _held(model, held, recipe, vocabulary)
    note(out / "pretrain.jsonl", {"step": step, "minutes": round(spent / 60, 2), "loss": round(mean, 4), "held_loss": round(final, 4)})
    model.save_pretrained(out / "encoder")
    return out / "encoder"


def _standing(data: NDArray[np.uint16], *, recipe: Recipe, out: Path, vocabulary: int) -> tuple[BertForMaskedLM, Any, int, float]:
    """(model, optimizer, step, seconds spent): from the checkpoint under `out`, or from the beginning."""
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    model = fresh(recipe, vocabulary=vocabulary).to(device)
    decay = recipe.pretrain["weight_decay"]
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, betas=(0.9, 0.98), fused=True, weight_decay=decay)
    if not (out / CHECKPOINT).exists():
        warm(model, data)
        return model, optimizer, 0, 0.0
    state = torch.load(out / CHECKPOINT, map_location=device, weights_only=True)
    model.load_state_dict(state["model"])
    optimizer.load_state_dict(state["optimizer"])
    return model, optimizer, state["step"], state["spent"]


def _held(model: Any, held: NDArray[np.uint16], recipe: Recipe, vocabulary: int) -> float:
    """Loss on the text that was kept out, averaged over at most 30 batches."""
    model.eval()
    draw = np.random.default_rng(recipe.seed)
    device = next(model.parameters()).device
    length = min(recipe.pretrain["characters"], len(held) - 1)
    losses = []
    with torch.no_grad():
        for _ in range(30):
            starts = draw.integers(0, len(held) - length, 16)
            ids, labels = masked(held[starts[:, None] + np.arange(length)], share=recipe.pretrain["mask"], vocabulary=vocabulary, draw=draw)
            losses.append(loss_of(model, ids.to(device), labels.to(device)).item())
    return float(np.mean(losses))
