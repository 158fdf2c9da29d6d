"""A tiny model is really pretrained, tuned, exported and loaded, on a few hundred composed lines, in seconds."""

from __future__ import annotations

import json
import lzma
import random
from pathlib import Path

import numpy as np
import pytest

from classifiers import dataset, manifest, neural, train
from domain.errors import ConfigFault, ModelUnavailable
from domain.model import Document

pytestmark = pytest.mark.train
torch = pytest.importorskip("torch", reason="training needs the train extra: pip install 'wangxun[train]'")
pytest.importorskip("transformers")
pytest.importorskip("sklearn")
pytest.importorskip("opencc")

RECIPE = """
name = "mini"
seed = 7
composed = "composed"
[tokenizer]
min_count = 2
max_vocab = 3000
[model]
layers = 1
width = 32
heads = 2
inner = 64
positions = 66
[pretrain]
budget_min = 0.05
batch = 4
characters = 64
short_characters = 32
mask = 0.16
learning_rate = 2.0e-3
warmup = 0.03
weight_decay = 0.01
save_every_s = 1
threads = 1
[pretrain.passes]
composed = 1.0
[tune]
budget_min = 1.0
passes = 3
batch = 16
learning_rate = 2.0e-3
weight_decay = 0.01
evaded_share = 0.3
cut_share = 0.1
hard_share = 0.1
composed_weight = 1.0
label_share = 0.5
scheme_share = 0.1
[linear]
bits = 14
scheme_bits = 10
strength = 20.0
composed_weight = 1.0
real_share = 0.4
evaded_share = 0.3
evaded_weight = 0.3
window_weight = 0.3
[screen]
bits = 14
strength = 20.0
evaded_share = 0.3
lost = 0.01
[negatives]
plain = {rows = 20, label = "other"}
"""


@pytest.fixture(scope="module")
def data(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A data folder with 500 composed lines and, in place of the public sets, 200 others."""
    folder = tmp_path_factory.mktemp("data")
    (folder / "composed").mkdir()
    (folder / "labelled").mkdir()
    (folder / "pretrain").mkdir()
    lines = (dataset.COMPOSED / "part1.jsonl").read_text("utf-8").splitlines()
    (folder / "composed" / "part1.jsonl").write_text("\n".join(lines[:500]), "utf-8")
    with lzma.open(folder / "labelled" / "real_train.jsonl.xz", "wt", encoding="utf-8") as file:
        for number, line in enumerate(lines[500:700]):
            row = json.loads(line)
            file.write(
                json.dumps({key: row[key] for key in ("text", "label", "scheme")} | {"group": f"g{number // 2}", "readers": 1 + number % 2})
                + "\n"
            )
    with lzma.open(folder / "pretrain" / "plain.txt.xz", "wt", encoding="utf-8") as file:
        file.writelines(f"第{number}号楼明天上午停水检修，请居民提前储水\n" for number in range(40))
    (folder / "mini.toml").write_text(RECIPE, "utf-8")
    return folder


def test_the_whole_way_from_text_to_a_loaded_judge(data: Path, tmp_path: Path) -> None:
    config, runs, out = data / "mini.toml", tmp_path / "runs", tmp_path / "weights"
    encoder = train.pretrain(data, config=config, runs=runs)
    assert (encoder / "config.json").exists()
    train.tune(data, config=config, runs=runs)
    assert (runs / "mini" / "loss.png").stat().st_size > 1000
    path = train.export(data, config=config, runs=runs, out=out)
    found = manifest.read(out)
    assert path == out / manifest.NAME
    assert set(found.files) == {"tokenizer.json", "linear.npz", "model.onnx"}
    assert found.facts["metrics"]["aside"]["whole"] > 0.5
    assert set(found.facts["data"]["files"]) == {"part1.jsonl", "read.jsonl", "real_train.jsonl.xz"}
    classifier = neural.load(out)
    promo, plain = classifier.judge([Document(text="保本保息，年化18%，到期连本带利，名额有限，加微信"), Document(text="明天上午停水检修")])
    assert promo.score.value > plain.score.value
    assert classifier.hears(["保本保息，年化18%，到期连本带利", ""])[1] is False
    assert set(found.voices["screen"]) == {"scale", "bias", "least"}
    assert classifier.backend.split()[0] in ("openvino", "onnxruntime")


def test_screen_lets_go_no_more_promos_than_asked(data: Path) -> None:
    from classifiers.screen import Screen
    from classifiers.training import screening
    from domain.signs import codes_of
    from domain.text import fold_all

    rows = dataset.composed(data / "composed")
    steps, scale, bias = screening.fit(rows[:400], plan={"bits": 14, "strength": 20.0, "evaded_share": 0.3}, seed=1)
    screen, promos = Screen(steps, scale=scale, bias=bias), [row.text for row in rows[400:] if row.suspected]
    heard = screen.logits(*codes_of(fold_all(promos).texts))
    assert len(promos) > 20
    for lost in (0.0, 0.1, 0.3):
        assert (heard < screening.least(screen, promos, lost=lost)).mean() <= lost
    assert (heard < screening.least(screen, promos, lost=0.5)).any()


def test_onnx_says_what_torch_says(data: Path, tmp_path: Path) -> None:
    from classifiers.encoder import EncoderVoice
    from classifiers.training import export, tune

    config, runs = data / "mini.toml", tmp_path / "runs"
    encoder = train.pretrain(data, config=config, runs=runs)
    own = runs / "mini"
    model = tune.speaker(encoder)
    torch.save({"model": model.state_dict()}, own / "tuned.pt")
    voice = EncoderVoice(export.export(own / "tuned.pt", encoder=encoder, out=own).read_bytes(), characters=62, choice="onnxruntime")
    draw = np.random.default_rng(3)
    windows = [draw.integers(5, 200, size) for size in (1, 14, 15, 40, 62)]
    with torch.no_grad():
        model.eval()
        wanted = [model(tune.padded([ids]))[0].item() for ids in windows]
    assert voice.run(windows)[0].tolist() == pytest.approx(wanted, abs=1e-3)


def test_pretraining_killed_and_resumed_goes_on_where_it_was(data: Path, tmp_path: Path) -> None:
    from classifiers.training import pretrain
    from classifiers.training.recipe import load

    recipe = load(data / "mini.toml")
    whole, parts = tmp_path / "whole", tmp_path / "parts"
    for out, steps in ((whole, (6,)), (parts, (2, 4))):
        for count in steps:
            pretrain.run(data, recipe=recipe, out=out, stop_after_steps=count)
    states = [torch.load(out / "checkpoint.pt", weights_only=True) for out in (whole, parts)]
    assert [state["step"] for state in states] == [6, 6]
    assert not list(parts.glob("*.part"))
    # The learning rate follows the clock, so the two runs are near each other, not equal.
    first, second = (state["model"]["bert.embeddings.word_embeddings.weight"] for state in states)
    assert torch.allclose(first, second, atol=0.05)


def test_tuning_killed_and_resumed_does_the_passes_that_were_left(data: Path, tmp_path: Path) -> None:
    from classifiers.training import tune
    from classifiers.training.recipe import load
    from classifiers.training.saving import notes
    from classifiers.training.shipping import lessons

    recipe, runs = load(data / "mini.toml"), tmp_path / "runs"
    encoder = train.pretrain(data, config=data / "mini.toml", runs=runs)
    found = lessons(data, recipe=recipe)
    out = runs / "mini"
    for _ in range(2):
        tune.run(found.kept, found.aside, recipe=recipe, encoder=encoder, out=out, stop_after_passes=1)
    assert [row["pass"] for row in notes(out / "tune.jsonl")] == [1, 2]


def test_a_full_disk_leaves_the_last_checkpoint(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from classifiers.training import saving

    path = tmp_path / "checkpoint.pt"
    saving.save(path, {"step": 1})

    def full(state: object, target: Path) -> None:
        target.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(saving.torch, "save", full)
    with pytest.raises(OSError, match="No space"):
        saving.save(path, {"step": 2})
    monkeypatch.undo()
    assert torch.load(path, weights_only=True) == {"step": 1}
    assert list(tmp_path.iterdir()) == [path]


def test_a_corpus_with_invalid_utf8_is_read(data: Path, tmp_path: Path) -> None:
    from classifiers.training import corpus

    (tmp_path / "pretrain").mkdir()
    with lzma.open(tmp_path / "pretrain" / "broken.txt.xz", "wb") as file:
        file.write("保本理财\n".encode() + b"\xff\xfe\xfa\n" + "收益\n".encode())
    assert len(list(corpus.lines(tmp_path, "broken", composed=data))) == 3
    with pytest.raises(ConfigFault, match="no text named absent"):
        list(corpus.lines(tmp_path, "absent", composed=data))


def test_a_recipe_that_lacks_a_part_names_it(tmp_path: Path) -> None:
    from classifiers.training.recipe import load

    path = tmp_path / "r.toml"
    path.write_text('name = "r"\n[model]\n', "utf-8")
    with pytest.raises(ConfigFault, match="seed is missing"):
        load(path)
    assert load("small").model["layers"] == 4


def test_whole_words_are_masked_together() -> None:
    from classifiers.training import corpus, pretrain

    start = corpus.WORD_START
    rows = np.array([[10 | start, 11, 12 | start, 13, 14, 15 | start] * 20] * 8, dtype=np.uint16)
    _, labels = pretrain.masked(rows, share=0.3, vocabulary=50, draw=np.random.default_rng(1))
    asked = (labels[:, 1:-1] >= 0).numpy().reshape(8, 20, 6)
    assert (asked[..., 0] == asked[..., 1]).all()
    assert (asked[..., 2] == asked[..., 3]).all()
    assert (asked[..., 3] == asked[..., 4]).all()
    assert 0.15 < asked.mean() < 0.45


def test_evasion_is_drawn_alike_and_leaves_a_text() -> None:
    from classifiers.training import evasion

    text = "保本理财，年化收益18%，加微信详谈"
    found = {evasion.evade(text, random.Random(seed)) for seed in range(40)}
    assert len(found) > 25
    assert all(one.strip() for one in found)
    assert evasion.evade(text, random.Random(3)) == evasion.evade(text, random.Random(3))
    assert all(evasion.evade(one, random.Random(1)) for one in ("a", "1", "本"))


def test_drawn_negatives_come_near_no_measured_text(data: Path) -> None:
    from classifiers.training import negatives
    from classifiers.training.recipe import load

    recipe = load(data / "mini.toml")
    measured = "第7号楼明天上午停水检修，请居民提前储水"
    assert len(negatives.drawn(data, recipe=recipe, avoid=[])) == 20
    rows = negatives.drawn(data, recipe=recipe, avoid=[measured])
    assert rows == []


def test_missing_torch_says_how_to_add_it(monkeypatch: pytest.MonkeyPatch) -> None:
    import sys

    monkeypatch.setitem(sys.modules, "onnx", None)
    with pytest.raises(ModelUnavailable, match=r"onnx: is not installed.*wangxun\[train\]"):
        train.require()
