"""Deployment settings: environment (`WANGXUN_*`) first, then `wangxun.toml` in the data folder, then these defaults.

Nothing is read at import: `load()` reads, once, where a process starts.
"""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import Any, Literal

from pydantic import AnyHttpUrl, Field, SecretStr, ValidationError
from pydantic_settings import BaseSettings, SettingsConfigDict

from domain.errors import Fault, SettingFault


class Settings(BaseSettings):
    """Every setting, with its unit in its name. docs/operating.md lists them all; a test holds the two together."""

    model_config = SettingsConfigDict(env_prefix="WANGXUN_", extra="forbid", frozen=True, env_ignore_empty=True)

    dir: Path = Field(Path("var"), description="Folder of all data.")
    database_url: str = Field("", description="SQLAlchemy address; empty means SQLite at DIR/wangxun.db.")
    platforms_dir: Path | None = Field(None, description="Folder of platform files; empty means the packaged ones and DIR/platforms.")
    rules_dir: Path | None = Field(None, description="Folder of the rule pack; empty means the packaged one.")
    weights_dir: Path | None = Field(None, description="Folder of the neural weights; empty means the packaged ones.")
    candidate_dir: Path | None = Field(
        None, description="Folder of weights that judge beside the live ones; empty means those of wangxun train candidate."
    )
    inference: Literal["auto", "openvino", "onnxruntime"] = Field(
        "auto", description="What runs the neural model; auto takes the fastest one that the processor supports."
    )
    office: str = Field("网巡示例", description="Short name of the office, in front of document numbers.")
    office_name: str = Field("（示例）市互联网信息办公室", description="Full name of the office, as letters carry it.")
    office_contact: str = Field("", description="Person, telephone and address that letters give for questions and appeals.")
    appeal_days: int = Field(7, ge=1, le=90, description="Days a publisher has to answer a notice; set by the office.")
    recheck_hours: float = Field(24.0, gt=0, description="Hours from a notice's delivery to its first recheck.")
    feedback_days: int = Field(15, ge=1, le=180, description="Days after which a lead without feedback is overdue.")
    two_person_review: bool = Field(False, description="Whether every confirmed hit needs a second, blind decision.")
    label_sample: int = Field(20, ge=0, le=500, description="Texts without a hit that are offered for labelling a day; 0 offers none.")
    user_agent: str = Field(
        "WangxunPatrol/0.1 (public-page patrol; contact the operating office)", description="How spiders name themselves."
    )
    obey_robots: bool = Field(True, description="Whether robots.txt is obeyed where a platform does not say.")
    sweep_timeout_s: float = Field(1800.0, gt=0, description="Seconds after which a sweep is ended.")
    sweep_memory_mb: int = Field(1500, ge=200, description="Resident memory at which a sweep (its browser included) is ended.")
    browser_memory_mb: int = Field(900, ge=200, description="Memory of its own at which a sweep's browser is started anew.")
    sweeps_at_once: int = Field(2, ge=1, le=64, description="Sweeps that run side by side.")
    requests_per_hour: int = Field(20_000, ge=1, le=10_000_000, description="Requests that the schedule may spend in an hour, all sites.")
    places: str = Field("", description="The city's name and those of its counties, by commas; searched for with the rules' terms.")
    upload_mb: int = Field(512, ge=1, le=20_000, description="Largest file that the console takes for import.")
    max_body_mb: int = Field(16, ge=1, le=512, description="Largest body kept, after decompression.")
    ocr_threads: int = Field(2, ge=1, le=64, description="Threads that read pictures.")
    video_frames: int = Field(24, ge=1, le=200, description="Frames of a short video that are read at most.")
    speech_command: str = Field("", description="Command that prints what a WAV file says, its path added; empty hears no speech.")
    archive_policy: str = Field("hits", pattern="^(hits|all)$", description="hits: others are dropped after spool_days; all: kept.")
    spool_days: float = Field(3.0, ge=0, description="Days that captures without a hit stay.")
    dismissed_days: float = Field(90.0, ge=0, description="Days that dismissed hits stay, for error study.")
    disk_min_mb: int = Field(500, ge=0, description="Free space below which an alarm is raised and sweeps stop.")
    judge_batch: int = Field(256, ge=1, le=8192, description="Postings judged together.")
    lease_s: float = Field(300.0, gt=0, description="Seconds that a worker may hold an item.")
    claim_min: float = Field(30.0, gt=0, description="Minutes that an officer may hold a hit.")
    smtp_host: str = Field("", description="Mail server; empty switches the e-mail channel off.")
    smtp_port: int = Field(25, ge=1, le=65535, description="Its port.")
    smtp_tls: str = Field("none", pattern="^(none|starttls|tls)$", description="none, starttls or tls.")
    smtp_user: str = Field("", description="Account at the mail server.")
    smtp_password: SecretStr = Field(SecretStr(""), description="Its password.")
    mail_from: str = Field("wangxun@localhost", description="Sender address of notices.")
    police_url: AnyHttpUrl | None = Field(None, description="Address of the police receiver; empty switches the channel off.")
    police_token: SecretStr = Field(SecretStr(""), description="Secret that signs what goes to the police receiver.")
    webhook_url: AnyHttpUrl | None = Field(None, description="Address that webhooks are posted to; empty switches the channel off.")
    webhook_token: SecretStr = Field(SecretStr(""), description="Secret that signs webhooks.")
    outbox_dir: Path | None = Field(None, description="Folder of the folder channel; empty means DIR/outbox.")
    delivery_attempts: int = Field(8, ge=1, le=50, description="Attempts before a delivery is dead and alarms.")
    backoff_s: float = Field(30.0, gt=0, description="Seconds to the second attempt; doubled each time, one hour at most.")
    console_host: str = Field("127.0.0.1", description="Address that the console listens on.")
    console_port: int = Field(8000, ge=0, le=65535, description="Its port; 0 takes a free one.")
    console_secret: SecretStr = Field(SecretStr(""), description="Signs sessions; empty means a key made and kept in DIR.")
    session_key: SecretStr = Field(SecretStr(""), description="Key of the sessions in base64; older ones after commas.")
    session_key_file: Path | None = Field(None, description="File of that key, mode 0600; empty means DIR/session.key, made at need.")
    browser_path: Path | None = Field(None, description="Chromium to use; empty means the system's.")
    log_level: str = Field("INFO", pattern="^(DEBUG|INFO|WARNING|ERROR)$", description="Least level that is logged.")

    @property
    def database(self) -> str:
        return self.database_url or f"sqlite:///{(self.dir / 'wangxun.db').resolve()}"

    @property
    def archive_dir(self) -> Path:
        return self.dir / "archive"

    def environment(self) -> dict[str, str]:
        """These settings as environment variables, for a child process to load the same ones."""
        given = self.model_dump(mode="python", exclude_defaults=True) | {"dir": self.dir.resolve()}
        result = {}
        for name, value in given.items():
            if isinstance(value, SecretStr):
                value = value.get_secret_value()
            if value is not None:
                result[f"WANGXUN_{name.upper()}"] = str(value)
        return result


def load(**overrides: Any) -> Settings:
    """Settings of this process. `overrides` win over environment and file.

    Raises SettingFault with all faults, each naming its variable or its line in wangxun.toml.
    """
    folder = Path(overrides.get("dir") or os.environ.get("WANGXUN_DIR") or "var")
    path = folder / "wangxun.toml"
    given: dict[str, Any] = {}
    if path.is_file():
        try:
            given = tomllib.loads(path.read_text(encoding="utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingFault([Fault(str(path), 1, f"not TOML: {error}", "check the quotes and brackets")]) from error
    # The environment wins over the file, so a name that it carries is taken out of the file's part.
    from_file = {key: value for key, value in given.items() if f"WANGXUN_{key.upper()}" not in os.environ}
    try:
        return Settings(**{**from_file, "dir": folder, **overrides})
    except ValidationError as error:
        faults = []
        for item in error.errors(include_url=False):
            name = str(item["loc"][0]) if item["loc"] else "settings"
            where = str(path) if name in from_file else "environment" if f"WANGXUN_{name.upper()}" in os.environ else "settings"
            faults.append(Fault(where, _line_of(path, name), f"{name}: {item['msg']}", "see docs/operating.md, Settings"))
        raise SettingFault(faults) from error


def _line_of(path: Path, name: str) -> int:
    if not path.is_file():
        return 1
    lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    return next((number for number, line in enumerate(lines, 1) if line.split("=")[0].strip() == name), 1)
