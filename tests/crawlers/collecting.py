"""A pipeline for tests: writes what the spider yields into the folder that COLLECT_INTO names."""

from __future__ import annotations

import json
import pickle
from pathlib import Path
from typing import Any


class CollectPipeline:
    def __init__(self, crawler: Any) -> None:
        self._crawler = crawler
        self._folder = Path(crawler.settings["COLLECT_INTO"])
        self._file = (self._folder / "harvests.pickle").open("wb")

    @classmethod
    def from_crawler(cls, crawler: Any) -> CollectPipeline:
        return cls(crawler)

    def process_item(self, item: Any) -> Any:
        pickle.dump(item, self._file)
        return item

    def close_spider(self) -> None:
        self._file.close()
        (self._folder / "stats.json").write_text(json.dumps(self._crawler.stats.get_stats(), default=str), encoding="utf-8")
