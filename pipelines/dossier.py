"""Dossier (卷宗): everything that a lead rests on, sealed in one file. Lead material (线索材料), no proof of anything.

`refer` seals one on approval; this stage is the door for all others: `seal` again after new facts, `verify` anywhere, offline.
"""

from __future__ import annotations

from pipelines.packet.contents import seal
from pipelines.packet.sealed import manifest_hash, verify

__all__ = ["manifest_hash", "seal", "verify"]
