from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from classifiers import manifest, neural
from classifiers.base import Classifier
from classifiers.linear import LinearVoice, ngrams
from classifiers.neural import NeuralClassifier
from classifiers.windows import WINDOW
from domain.errors import ModelUnavailable
from domain.model import Document

PROMO = "稳健理财，保本保息，年化收益18%，到期还本付息，老客户介绍新客户另有返点，名额有限，详询张经理 13800001234"
PLAIN = "今天下午三点到五点小区停水检修，请各位居民提前储水，给您带来不便敬请谅解。"


@pytest.fixture(scope="module")
def shipped() -> NeuralClassifier:
    return neural.load()


@pytest.fixture
def copied(tmp_path: Path) -> Path:
    return Path(shutil.copytree(manifest.PACKAGED, tmp_path / "weights"))


def _score(classifier: NeuralClassifier, text: str) -> float:
    return classifier.judge([Document(text=text)])[0].score.value


def test_shipped_weights_follow_the_protocol_and_tell_promo_from_notice(shipped: NeuralClassifier) -> None:
    assert isinstance(shipped, Classifier)
    promo, plain = shipped.judge([Document(text=PROMO), Document(text=PLAIN)])
    assert promo.score.value > 0.5 > 0.3 > plain.score.value
    assert promo.score.version == shipped.version
    assert promo.schemes
    assert promo.schemes[0][0] in ("wealth_mgmt", "p2p")
    assert plain.schemes == ()


def test_the_same_text_scores_the_same_alone_and_in_company(shipped: NeuralClassifier) -> None:
    texts = [PROMO, PLAIN, "短", PROMO * 9, "", "。", PLAIN * 30]
    together = [opinion.score.value for opinion in shipped.judge([Document(text=text) for text in texts])]
    assert [_score(shipped, text) for text in texts] == pytest.approx(together, abs=1e-5)
    assert [opinion.score.value for opinion in shipped.judge([Document(text=text) for text in texts])] == together


def test_nothing_to_judge_gives_nothing(shipped: NeuralClassifier) -> None:
    assert shipped.judge([]) == []


@pytest.mark.parametrize("text", ["", " \n\t", "\x00\x01", "\ud800", "😀" * 50, "\u200b" * 10, "a" * 5000])
def test_odd_texts_get_a_bounded_answer(shipped: NeuralClassifier, text: str) -> None:
    opinion = shipped.judge([Document(text=text)])[0]
    assert 0.0 <= opinion.score.value <= 1.0


def test_a_text_longer_than_any_window_is_bounded(shipped: NeuralClassifier) -> None:
    opinion = shipped.judge([Document(text=PLAIN * 20_000)])[0]
    assert 0.0 <= opinion.score.value <= 1.0


def test_a_buried_promo_is_named_by_its_window(shipped: NeuralClassifier) -> None:
    before = (PLAIN + "\n") * 40
    text = before + PROMO + "\n" + PROMO + "\n" + (PLAIN + "\n") * 40
    opinion = shipped.judge([Document(text=text)])[0]
    assert opinion.score.value > _score(shipped, PLAIN * 80)
    ((start, end),) = opinion.spans
    assert end - start <= WINDOW + 10
    assert len(before) <= start < end <= len(before) + 2 * len(PROMO) + 2


def test_traditional_and_full_width_are_read_alike(shipped: NeuralClassifier) -> None:
    assert _score(shipped, "穩健理財，保本保息，年化收益１８％，到期還本付息") == pytest.approx(
        _score(shipped, "稳健理财，保本保息，年化收益18%，到期还本付息"), abs=1e-6
    )


def test_missing_folder_and_missing_file_name_path_and_way_out(tmp_path: Path, copied: Path) -> None:
    with pytest.raises(ModelUnavailable, match=r"manifest\.json: cannot be read.*restore"):
        neural.load(tmp_path / "nowhere")
    (copied / "linear.npz").unlink()
    with pytest.raises(ModelUnavailable, match=r"linear\.npz: cannot be read.*restore"):
        neural.load(copied)


@pytest.mark.parametrize("name", ["linear.npz", "tokenizer.json"])
def test_one_altered_byte_is_refused(copied: Path, name: str) -> None:
    data = bytearray((copied / name).read_bytes())
    data[len(data) // 2] ^= 1
    (copied / name).write_bytes(data)
    with pytest.raises(ModelUnavailable, match="sha256"):
        neural.load(copied)


@pytest.mark.parametrize(
    ("change", "said"), [("[]", "version is missing"), ("{", "not JSON"), ('{"format": 99}', "version is missing"), (None, "format is 99")]
)
def test_a_strange_manifest_is_refused(copied: Path, change: str | None, said: str) -> None:
    path = copied / manifest.NAME
    path.write_text(change if change is not None else json.dumps(json.loads(path.read_text("utf-8")) | {"format": 99}), "utf-8")
    with pytest.raises(ModelUnavailable, match=said):
        neural.load(copied)


def test_an_unknown_tokenizer_is_refused_though_its_hash_is_right(copied: Path) -> None:
    (copied / "tokenizer.json").write_text('{"model": {"type": "Oracle"}}', "utf-8")
    path = copied / manifest.NAME
    data = json.loads(path.read_text("utf-8"))
    data["files"]["tokenizer.json"] = manifest.sha256((copied / "tokenizer.json").read_bytes())
    path.write_text(json.dumps(data), "utf-8")
    with pytest.raises(ModelUnavailable, match="is no tokenizer"):
        neural.load(copied)


def test_shipped_weights_are_small_and_known() -> None:
    found = manifest.read()
    assert sum((found.folder / name).stat().st_size for name in found.files) < 8_000_000
    assert all(len(found.bytes_of(name)) > 0 for name in found.files)
    assert found.version in (found.folder / "CARD.md").read_text("utf-8")


def test_run_time_never_imports_torch() -> None:
    code = (
        "import sys; from classifiers import neural; from domain.model import Document; neural.load().judge([Document(text='保本')]);"
        "sys.exit(any(name.split('.')[0] in ('torch', 'transformers', 'sklearn', 'scipy') for name in sys.modules))"
    )
    assert subprocess.run([sys.executable, "-c", code], cwd=Path(__file__).parents[2], check=False).returncode == 0


def test_ngrams_of_one_text_have_length_one_and_distinct_buckets() -> None:
    buckets, values = ngrams(np.array([7, 8, 9, 7, 8], dtype=np.int64), bits=18)
    assert len(set(buckets.tolist())) == len(buckets)
    assert float(np.square(values).sum()) == pytest.approx(1.0, abs=1e-5)
    assert buckets.min() >= 0
    assert buckets.max() < 2**18


def test_ngrams_of_nothing_leave_the_bias() -> None:
    voice = LinearVoice(np.ones(16, dtype=np.int8), scale=1.0, bias=-2.5)
    assert voice.logit(np.zeros(0, dtype=np.int64)) == -2.5
