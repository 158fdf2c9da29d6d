"""Who judges: the judge in force and the candidate beside it, renewed when their files change. What is broken never replaces what works."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from classifiers import manifest as manifests
from classifiers import promotion
from classifiers.backends import Choice
from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from classifiers.neural import NeuralClassifier
from classifiers.shadow import Shadow
from domain.errors import ModelUnavailable, RuleFault
from rules.loader import digest_of, load

LOOK_EVERY = timedelta(minutes=1)
"""Between two looks at the rule files: reading them all takes some 20 ms, and a person who saves a rule waits no longer than this."""
Stamp = tuple[str, int, int, int]


@dataclass(slots=True, kw_only=True)
class Bench:
    """Made once a process; `renew` before each batch, then `judge` and `shadow`."""

    home: Path
    """See classifiers.promotion."""
    rules_dir: Path | None = None
    weights_dir: Path | None = None
    candidate_dir: Path | None = None
    inference: Choice = "auto"
    faults: dict[str, str] = field(default_factory=dict)
    """In Chinese, by what is broken: `neural`, `pack`, `candidate`. Empty where all is well."""
    _judge: Judge | None = None
    _shadow: Shadow | None = None
    _candidate: NeuralClassifier | None = None
    _looked_at: datetime | None = None
    _digest: str = ""
    """Of the rule files that were tried last, whether they could be used or not."""
    _weights: tuple[Stamp, ...] = ()
    _beside: Stamp | None = None

    @property
    def judge(self) -> Judge:
        """Raises RuntimeError before the first `renew`."""
        if self._judge is None:
            raise RuntimeError("a bench judges after its first renew")
        return self._judge

    @property
    def shadow(self) -> Shadow | None:
        """The candidate, where there is one that can judge."""
        return self._shadow

    def renew(self, now: datetime) -> bool:
        """Take up what changed since the last call: whether anything did, for good or ill.

        Weights are looked at each time, rules once a minute. Raises RuleFault where the rules are broken at the first call: without
        rules nothing can be explained.
        """
        before = (self._judge, self._shadow, dict(self.faults))
        if self._judge is None:
            self._begin()
            self._looked_at = now
        else:
            self._renew_weights()
        if self._looked_at is None or not timedelta(0) <= now - self._looked_at < LOOK_EVERY:
            self._looked_at = now
            self._renew_rules()
        self._renew_candidate()
        return before != (self._judge, self._shadow, self.faults)

    def _begin(self) -> None:
        ruleset = load(self.rules_dir)
        self._digest = ruleset.digest
        self._weights = self._stamps()
        self._judge = Judge(keyword=KeywordClassifier(ruleset), neural=self._first_whole(), ruleset=ruleset)

    def _first_whole(self) -> NeuralClassifier | None:
        """The first set of weights that can judge, by the order of promotion; a fault for those before it."""
        said = []
        for folder in promotion.order(self.home, self.weights_dir):
            try:
                found = promotion.checked(folder, choice=self.inference)
            except (ModelUnavailable, ImportError) as error:
                said.append(str(error))
                continue
            if said:
                self.faults["neural"] = f"模型权重不可用，已退回 {found.version}：{'；'.join(said)}"
            return found
        self.faults["neural"] = f"神经网络模型不可用，仅以规则研判：{'；'.join(said)}"
        return None

    def _renew_weights(self) -> None:
        stamps, judge = self._stamps(), self.judge
        if stamps == self._weights:
            return
        self._weights = stamps
        try:
            promotion.read(self.home)  # broken pointers are no reason to leave what judges now
            found = promotion.checked(promotion.order(self.home, self.weights_dir)[0], choice=self.inference)
        except (ModelUnavailable, ImportError) as error:
            self.faults["neural"] = f"新的模型权重不可用，继续使用 {judge.model}：{error}"
            return
        self.faults.pop("neural", None)
        self._judge = Judge(keyword=judge.keyword, neural=found, ruleset=judge.ruleset)

    def _renew_rules(self) -> None:
        judge = self.judge
        try:
            digest = digest_of(self.rules_dir)
            if digest == self._digest:
                return
            self._digest = digest
            ruleset = load(self.rules_dir)
        except (RuleFault, OSError) as error:
            named = "；".join(map(str, error.faults[:3])) if isinstance(error, RuleFault) else str(error)
            self.faults["pack"] = f"规则库改动有错，继续使用 {judge.ruleset.digest}：{named}"
            return
        self.faults.pop("pack", None)
        if ruleset.digest != judge.ruleset.digest:  # equal where a change was taken back
            self._judge = Judge(keyword=KeywordClassifier(ruleset), neural=judge.neural, ruleset=ruleset)

    def _renew_candidate(self) -> None:
        """Take up, change or leave the candidate; it follows the rules in force."""
        folder, fault = self._candidate_folder()
        beside = _stamp(folder / manifests.NAME) if folder else None
        if beside != self._beside or fault or (folder is None and "candidate" in self.faults):
            self._beside, self._candidate = beside, None
            self.faults.pop("candidate", None)
            try:
                self._candidate = promotion.checked(folder, choice=self.inference) if folder else None
            except (ModelUnavailable, ImportError) as error:
                fault = str(error)
            if fault:
                self.faults["candidate"] = f"候选模型不可用，不作旁评，不影响研判：{fault}"
        judge = self.judge
        if self._candidate is None or self._candidate.version == judge.model:
            self._shadow = None  # what is in force needs no second word of its own
        elif self._shadow is None or self._shadow.neural is not self._candidate or self._shadow.ruleset is not judge.ruleset:
            self._shadow = Shadow(self._candidate, ruleset=judge.ruleset)

    def _candidate_folder(self) -> tuple[Path | None, str]:
        """(its folder, what is wrong with the pointers)."""
        if self.candidate_dir is not None:
            return self.candidate_dir, ""
        try:
            name = promotion.read(self.home).candidate
        except ModelUnavailable as error:
            return None, str(error)
        return (self.home / name if name else None), ""

    def _stamps(self) -> tuple[Stamp, ...]:
        """What tells whether other weights are in force: where they lie, and their manifest. Where they are broken, each file of them:
        one that is put back mends them.
        """
        folder = promotion.order(self.home, self.weights_dir)[0] or manifests.PACKAGED
        more = sorted(folder.glob("*")) if "neural" in self.faults else []
        return tuple(map(_stamp, (folder / manifests.NAME, *more)))


def _stamp(path: Path) -> Stamp:
    try:
        about = path.stat()
    except OSError:
        return str(path), 0, 0, 0
    return str(path), about.st_mtime_ns, about.st_size, about.st_ino
