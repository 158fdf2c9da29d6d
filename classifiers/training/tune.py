"""Fine-tuning: one encoder, three heads (suspected or not, nine labels, schemes), on texts that are also shown evaded."""

from __future__ import annotations

import random
import time
from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from tokenizers import Tokenizer
from transformers import AutoModel

from classifiers import dataset
from classifiers.backends import computes_in_half
from classifiers.dataset import LABELS, SCHEMES, Row
from classifiers.training import evasion
from classifiers.training.recipe import Recipe
from classifiers.training.saving import note, save
from classifiers.training.steps import learn
from classifiers.training.voices import ids_of

CLS, SEP, PAD = 2, 3, 0
Example = tuple[NDArray[np.int64], int]
"""(character numbers of one window, number of the row it is of)"""


class Speaker(torch.nn.Module):
    """Any encoder that `AutoModel.from_pretrained` reads, under mean and maximum of its last layer and three linear heads."""

    def __init__(self, encoder: Any, *, dropout: float = 0.1) -> None:
        super().__init__()
        self.encoder = encoder
        width = 2 * encoder.config.hidden_size
        self.dropout = torch.nn.Dropout(dropout)
        self.suspected = torch.nn.Linear(width, 1)
        self.labels = torch.nn.Linear(width, len(LABELS))
        self.schemes = torch.nn.Linear(width, len(SCHEMES))

    def forward(self, ids: torch.Tensor) -> tuple[torch.Tensor, torch.Tensor, torch.Tensor]:
        """(suspected (n, 1), labels (n, 9), schemes (n, schemes)) log-odds for character numbers (n, length), 0 where padded."""
        mask = (ids != PAD).long()
        hidden = self.encoder(input_ids=ids, attention_mask=mask).last_hidden_state
        real = mask.unsqueeze(-1).to(hidden.dtype)
        mean = (hidden * real).sum(1) / real.sum(1)
        top = (hidden - 1e4 * (1.0 - real)).max(1).values
        pooled = self.dropout(torch.cat([mean, top], dim=-1))
        return self.suspected(pooled), self.labels(pooled), self.schemes(pooled)


def padded(windows: Sequence[NDArray[np.int64]]) -> torch.Tensor:
    """(windows, longest + 2) with [CLS] and [SEP] around each."""
    rows = np.full((len(windows), 2 + max(len(ids) for ids in windows)), PAD, dtype=np.int64)
    for row, ids in zip(rows, windows, strict=True):
        row[0], row[len(ids) + 1] = CLS, SEP
        row[1 : len(ids) + 1] = ids
    return torch.from_numpy(rows)


def examples(
    rows: Sequence[Row],
    *,
    tokenizer: Tokenizer,
    plan: Mapping[str, Any],
    characters: int,
    draw: random.Random,
    again: Sequence[int] = (),
) -> list[Example]:
    """One pass over `rows`, and those numbered in `again` once more: some evaded, some cut short, one drawn window of a long one."""
    numbers, texts = [*range(len(rows)), *again], []
    for number in numbers:
        own = rows[number].text
        text = evasion.cut(own, draw) if draw.random() < plan["cut_share"] else own
        texts.append(evasion.evade(text, draw) if draw.random() < plan["evaded_share"] else text)
    found = []
    for number, ids in zip(numbers, ids_of(texts, tokenizer), strict=True):
        pieces = np.array_split(ids, max(1, -(-len(ids) // characters)))
        found.append((pieces[draw.randrange(len(pieces))], number))
    return found


def batches(found: Sequence[Example], *, size: int, draw: random.Random) -> Iterator[list[Example]]:
    """Batches of windows of like length, in drawn order."""
    order = sorted(range(len(found)), key=lambda index: len(found[index][0]) + draw.random() * 8)
    groups = [order[start : start + size] for start in range(0, len(order), size)]
    draw.shuffle(groups)
    for group in groups:
        yield [found[index] for index in group]


class Targets:
    """What each row should be answered with, and how much it counts."""

    def __init__(self, rows: Sequence[Row], *, plan: Mapping[str, Any]) -> None:
        counts = np.clip(np.array(dataset.weights(rows, composed_row=plan["composed_weight"])), 0.1, 3.0)
        self.counts = torch.tensor(counts / counts.mean(), dtype=torch.float32)
        self.suspected = torch.tensor([float(row.suspected) for row in rows])
        self.labels = torch.tensor([LABELS.index(row.label) for row in rows])
        # A negative names the scheme that it resembles; only a promo shows one.
        self.schemes = torch.tensor([[float(row.suspected and slug in row.schemes) for slug in SCHEMES] for row in rows])
        self.plan = plan
        self.surprise = np.zeros(len(rows))
        """Loss of the suspected head on each row when it was last shown: what the hard ones are found by."""

    def hardest(self, share: float) -> list[int]:
        """Numbers of the innocent rows that were most taken for promos, a `share` of them: shown once more in the next pass."""
        innocent = np.flatnonzero((self.suspected.numpy() == 0) & (self.surprise > 0))
        ranked = innocent[np.argsort(-self.surprise[innocent], kind="stable")]
        return [int(number) for number in ranked[: int(share * len(innocent))]]

    def loss(self, found: tuple[torch.Tensor, torch.Tensor, torch.Tensor], numbers: Sequence[int]) -> torch.Tensor:
        """Weighted sum of the three heads' losses."""
        index = torch.tensor(numbers)
        device = found[0].device
        count = self.counts[index].to(device)
        ask = torch.nn.functional
        main = ask.binary_cross_entropy_with_logits(found[0].float().squeeze(1), self.suspected[index].to(device), reduction="none")
        self.surprise[numbers] = main.detach().float().cpu().numpy()
        labels = ask.cross_entropy(found[1].float(), self.labels[index].to(device), reduction="none")
        schemes = ask.binary_cross_entropy_with_logits(found[2].float(), self.schemes[index].to(device), reduction="none").sum(1)
        total: torch.Tensor = ((main + self.plan["label_share"] * labels + self.plan["scheme_share"] * schemes) * count).mean()
        return total


def score(model: Speaker, rows: Sequence[Row], *, tokenizer: Tokenizer, characters: int) -> NDArray[np.float64]:
    """Log-odds of each row, the mean over its windows, as at run time."""
    model.eval()
    device = next(model.parameters()).device
    pieces = [np.array_split(ids, max(1, -(-len(ids) // characters))) for ids in ids_of([row.text for row in rows], tokenizer)]
    flat = [(piece, number) for number, own in enumerate(pieces) for piece in own]
    order = sorted(range(len(flat)), key=lambda index: len(flat[index][0]))
    total = np.zeros(len(rows))
    with torch.no_grad():
        for start in range(0, len(order), 64):
            chosen = [flat[index] for index in order[start : start + 64]]
            logits = model(padded([ids for ids, _ in chosen]).to(device))[0].float().cpu().numpy().reshape(-1)
            for (_, number), logit in zip(chosen, logits, strict=True):
                total[number] += logit / len(pieces[number])
    model.train()
    return total


def run(
    kept: Sequence[Row], aside: Sequence[Row], *, recipe: Recipe, encoder: Path, out: Path, stop_after_passes: int | None = None
) -> Path:
    """Tunes until the recipe's minutes are spent; the file with the best state by average precision on `aside`.

    A checkpoint under `out` is taken up at the pass it had reached. `stop_after_passes` ends early, as a kill would.
    """
    plan, characters = recipe.tune, recipe.pretrain["characters"] - 2
    tokenizer = Tokenizer.from_file(str(out / "tokenizer.json"))
    model, device = _prepared(encoder, recipe=recipe)
    optimizer = torch.optim.AdamW(model.parameters(), lr=1.0, weight_decay=plan["weight_decay"], fused=True)
    targets = Targets(kept, plan=plan)
    done, spent, best, budget = 0, 0.0, -1.0, plan["budget_min"] * 60.0
    checkpoint, finest = out / "tune.pt", out / "tuned.pt"
    if checkpoint.exists():
        state = torch.load(checkpoint, map_location=device, weights_only=True)
        model.load_state_dict(state["model"])
        optimizer.load_state_dict(state["optimizer"])
        targets.surprise = state["surprise"].numpy()
        done, spent, best = state["done"], state["spent"], state["best"]
    first, half = done, device.type == "cuda" or computes_in_half()
    while spent < budget and done < plan["passes"] and (stop_after_passes is None or done - first < stop_after_passes):
        began, mean = time.perf_counter(), 0.0
        draw = random.Random(f"{recipe.seed}/{done}")
        again = targets.hardest(plan.get("hard_share", 0.0))
        found = examples(kept, tokenizer=tokenizer, plan=plan, characters=characters, draw=draw, again=again)
        passed = (done, spent, began)
        for share, batch in _shares(batches(found, size=plan["batch"], draw=draw), of=len(found), plan=plan, passed=passed):
            with torch.autocast(device.type, dtype=torch.bfloat16, enabled=half):
                answer = model(padded([ids for ids, _ in batch]).to(device))
            loss = targets.loss(answer, [number for _, number in batch])
            learn(model, optimizer, loss, rate=plan["learning_rate"] * min(1.0, 20.0 * share, max(0.02, (1.0 - share) / 0.8)))
            mean += loss.item() * plan["batch"] / len(found)
        value = _precision(aside, score(model, aside, tokenizer=tokenizer, characters=characters))
        done += 1
        spent += time.perf_counter() - began
        note(out / "tune.jsonl", {"pass": done, "minutes": round(spent / 60, 2), "loss": round(mean, 4), "aside_ap": round(value, 4)})
        if value > best:
            best = value
            save(finest, {"model": model.state_dict(), "aside_ap": value})
        state = {"model": model.state_dict(), "optimizer": optimizer.state_dict(), "surprise": torch.from_numpy(targets.surprise)}
        save(checkpoint, state | {"done": done, "spent": spent, "best": best})
    return finest


def _precision(aside: Sequence[Row], scores: NDArray[np.float64]) -> float:
    """Average precision on the rows kept aside, each weighted as in training."""
    from sklearn.metrics import average_precision_score

    wanted = np.array([row.suspected for row in aside])
    return float(average_precision_score(wanted, scores, sample_weight=np.array(dataset.weights(aside))))


def _prepared(encoder: Path, *, recipe: Recipe) -> tuple[Speaker, torch.device]:
    """The speaker on the device that there is, seeded."""
    torch.set_num_threads(recipe.tune.get("threads", recipe.pretrain["threads"]))
    torch.manual_seed(recipe.seed)
    device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
    return speaker(encoder).to(device), device


def _shares(
    given: Iterable[list[Example]], *, of: int, plan: Mapping[str, Any], passed: tuple[int, float, float]
) -> Iterator[tuple[float, list[Example]]]:
    """Each batch with the share of the whole plan that is spent when it begins, by passes or by minutes, whichever is further."""
    done, spent, began = passed
    steps = -(-of // plan["batch"])
    for step, batch in enumerate(given):
        minutes = (spent + time.perf_counter() - began) / (plan["budget_min"] * 60.0)
        yield max((done + step / steps) / plan["passes"], minutes), batch


def speaker(encoder: Path) -> Speaker:
    """A speaker over a saved encoder, with fresh heads. On two cores plain attention is faster than the fused one."""
    body = AutoModel.from_pretrained(encoder, attn_implementation="sdpa" if torch.cuda.is_available() else "eager")
    return Speaker(body)
