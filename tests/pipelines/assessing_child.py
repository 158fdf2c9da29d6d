"""A process that judges what waits, three postings at a time, until it is done or killed: see test_caps."""

from __future__ import annotations

import os
import sys
from datetime import datetime
from pathlib import Path

from classifiers.fusion import Judge
from classifiers.keyword import KeywordClassifier
from domain.settings import load
from pipelines.assess import assess_batch
from rules.loader import load as load_rules
from store.engine import open_store, worker_name

if __name__ == "__main__":
    ruleset, store = load_rules(Path(os.environ["PACK"])), open_store(load())
    judge, now = Judge(keyword=KeywordClassifier(ruleset), neural=None, ruleset=ruleset), datetime.fromisoformat(os.environ["NOW"])
    sys.stdout.write("ready\n")
    sys.stdout.flush()
    while assess_batch(store, judge, now=now, worker=worker_name(), limit=3).assessed:
        pass
