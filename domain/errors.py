"""Every fault that Wangxun raises on purpose.

    PatrolError
    ├── ConfigFault(path, line)      a file that a person wrote is wrong
    │   ├── RuleFault
    │   ├── PlatformFault
    │   └── SettingFault
    ├── FetchFault                   a page could not be had
    │   ├── Blocked                  the site refuses us: counted and alarmed, never worked around
    │   ├── LoginWall
    │   ├── Refused                  our own guard: an address outside the public internet
    │   └── Timeout
    ├── JudgeFault
    │   └── ModelUnavailable         keyword-only judging goes on, with an alarm
    ├── StoreFault
    │   ├── IllegalMove              a state move that the table does not list
    │   ├── LeaseLost                somebody else holds it now
    │   ├── EvidenceAltered          bytes no longer match their hash
    │   └── DiskFull
    ├── NotPermitted                 a person may not do this: their role, or the two-person rule
    ├── LetterFault                  a letter could not be made, such as for want of a Chinese font
    └── ChannelFault                 a delivery attempt failed
        ├── Transient(retry_after_s)
        ├── Doubtful                 the receiver may have taken it: a person settles it, never a blind resend
        └── Permanent

A message reads `WHERE: what was found; what would do`.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass


class PatrolError(Exception):
    """Root of all faults that Wangxun raises on purpose."""


@dataclass(frozen=True, slots=True, order=True)
class Fault:
    """One thing wrong in a file that a person wrote: `path:line: found; remedy`."""

    path: str
    line: int
    found: str
    remedy: str

    def __str__(self) -> str:
        return f"{self.path}:{self.line}: {self.found}; {self.remedy}"


class ConfigFault(PatrolError):
    """All faults of the files read together, so that a person mends them in one go."""

    def __init__(self, faults: Sequence[Fault]) -> None:
        self.faults = tuple(sorted(faults))
        super().__init__("\n".join(str(fault) for fault in self.faults))


class RuleFault(ConfigFault):
    """Faults in the rule pack."""


class PlatformFault(ConfigFault):
    """Faults in the platform files."""


class SettingFault(ConfigFault):
    """Faults in the environment or in `wangxun.toml`."""


class FetchFault(PatrolError):
    """A page could not be had."""


class Blocked(FetchFault):
    """The site answered with a captcha or a refusal."""


class LoginWall(FetchFault):
    """The site wants a login; Wangxun reads public pages only."""


class Refused(FetchFault):
    """The guard refused an address outside the public internet."""


class Timeout(FetchFault):
    """The site did not answer in time."""


class JudgeFault(PatrolError):
    """A text could not be judged."""


class ModelUnavailable(JudgeFault):
    """The neural classifier is missing or altered."""


class StoreFault(PatrolError):
    """The database or the archive could not do what was asked."""


class IllegalMove(StoreFault):
    """A state move that `domain.states` does not list."""

    def __init__(self, *, machine: str, state: str, event: str, allowed: Sequence[str]) -> None:
        self.machine, self.state, self.event, self.allowed = machine, state, event, tuple(allowed)
        options = ", ".join(self.allowed) or "nothing: this state is final"
        super().__init__(f"{machine} in state {state}: cannot {event}; allowed here: {options}")


class LeaseLost(StoreFault):
    """Somebody else holds the item now, or took it further meanwhile."""


class EvidenceAltered(StoreFault):
    """Kept bytes no longer match the hash written when they were kept."""


class DiskFull(StoreFault):
    """No room to keep what was fetched; nothing kept before is touched."""


class NotPermitted(PatrolError):
    """A person may not do this: their role, or the two-person rule, forbids it."""


class LetterFault(PatrolError):
    """A letter could not be made."""


class ChannelFault(PatrolError):
    """A delivery attempt failed."""


class Transient(ChannelFault):
    """Worth another attempt, after `retry_after_s` seconds where the receiver named a time."""

    def __init__(self, message: str, *, retry_after_s: float | None = None) -> None:
        self.retry_after_s = retry_after_s
        super().__init__(message)


class Doubtful(ChannelFault):
    """The receiver may or may not have taken it, and cannot tell two copies apart: a person settles it."""


class Permanent(ChannelFault):
    """No further attempt would help; a person is needed."""
