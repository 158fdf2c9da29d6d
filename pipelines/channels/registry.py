"""Which channels there are, and which of them an office has set up."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from domain.errors import Fault, SettingFault
from domain.settings import Settings
from pipelines.channels.base import Channel
from pipelines.channels.email import EmailChannel
from pipelines.channels.folder import FolderChannel
from pipelines.channels.police import PoliceChannel
from pipelines.channels.webhook import WebhookChannel

EVERY: tuple[tuple[Callable[[Settings], Channel], Callable[[Settings], bool]], ...] = (
    (EmailChannel, lambda settings: bool(settings.smtp_host)),
    (WebhookChannel, lambda settings: settings.webhook_url is not None),
    (FolderChannel, lambda settings: True),
    (PoliceChannel, lambda settings: settings.police_url is not None),
)
"""(how it is made, whether these settings switch it on)."""


def configured(settings: Settings) -> dict[str, Channel]:
    """The channels that `settings` switch on, by name. Raises SettingFault where two carry one name."""
    return by_name([make(settings) for make, is_on in EVERY if is_on(settings)])


def by_name(channels: Sequence[Channel]) -> dict[str, Channel]:
    """Channels by their names. Raises SettingFault for a name that stands twice: one of the two would never be asked."""
    found: dict[str, Channel] = {}
    for channel in channels:
        if channel.name in found:
            kinds = f"{type(found[channel.name]).__name__} and {type(channel).__name__}"
            raise SettingFault([Fault("channels", 1, f"the name {channel.name} stands twice ({kinds})", "rename one of them")])
        found[channel.name] = channel
    return found


def names(channels: Mapping[str, Channel]) -> str:
    """For messages."""
    return ", ".join(sorted(channels)) or "none"
