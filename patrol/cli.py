"""The command line: `wangxun COMMAND`. Exit 0 well, 1 faults found or a person is needed, 2 misuse.

Each command lives in `patrol.commands` and is imported when it is called, so that `wangxun scan` never pays for a browser.
"""

from __future__ import annotations

import importlib
import logging
import sys
from typing import Any

import click

from domain.errors import PatrolError

COMMANDS = {
    "demo": "patrol.commands.demo:demo",
    "run": "patrol.commands.running:run",
    "console": "patrol.commands.running:console",
    "sweep": "patrol.commands.running:sweep",
    "schedule": "patrol.commands.scheduling:schedule",
    "queries": "patrol.commands.scheduling:queries",
    "health": "patrol.commands.watching:health",
    "log": "patrol.commands.watching:log",
    "alarms": "patrol.commands.watching:alarms",
    "scan": "patrol.commands.judging:scan",
    "read": "patrol.commands.looking:read",
    "rules": "patrol.commands.ruling:rules",
    "evaluate": "patrol.commands.evaluating:evaluate",
    "train": "patrol.commands.training:train",
    "platforms": "patrol.commands.fetching:platforms",
    "sessions": "patrol.commands.sessions:sessions",
    "import": "patrol.commands.importing:import_",
    "db": "patrol.commands.keeping:db",
    "officer": "patrol.commands.keeping:officer",
    "hits": "patrol.commands.acting:hits",
    "campaigns": "patrol.commands.campaigns:campaigns",
    "notices": "patrol.commands.acting:notices",
    "leads": "patrol.commands.acting:leads",
    "dossier": "patrol.commands.acting:dossier",
    "outbox": "patrol.commands.acting:outbox",
    "bench": "patrol.commands.bench:bench",
}


class Lazy(click.Group):
    """A group whose commands are imported when they are called."""

    def list_commands(self, ctx: click.Context) -> list[str]:
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        if cmd_name not in COMMANDS:
            return None
        module, name = COMMANDS[cmd_name].split(":")
        command = getattr(importlib.import_module(module), name)
        assert isinstance(command, click.Command)
        return command


@click.group(cls=Lazy, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="wangxun", message="wangxun %(version)s")
def main() -> None:
    """网巡: patrols public pages for suspected (涉嫌) illegal-fundraising ads, from a live page to a receipt.

    The machine assesses (研判), a person decides (复核), only the authority determines (认定).
    """


def run() -> None:
    """Entry of the `wangxun` script: faults of ours become one message and exit 1, never a traceback."""
    logging.basicConfig(level=logging.WARNING, format="%(asctime)s %(levelname)s %(name)s %(message)s")
    try:
        code = main.main(standalone_mode=False)  # the exit code of a command that ended by Exit, else what it returned
        sys.exit(code if isinstance(code, int) else 0)
    except click.Abort:
        sys.exit(130)
    except click.ClickException as error:
        error.show()
        sys.exit(2)
    except PatrolError as error:
        click.echo(str(error), err=True)
        sys.exit(1)
    except BrokenPipeError:
        # The reader (head, less) went away: not a fault of ours, and Python must not complain at exit either.
        sys.stderr.close()
        sys.exit(0)


def show_json(value: Any) -> None:
    """One JSON object on one line, Chinese as it is."""
    import json

    click.echo(json.dumps(value, ensure_ascii=False, default=str))


if __name__ == "__main__":
    run()
