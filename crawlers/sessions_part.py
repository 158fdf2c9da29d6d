"""The part of a platform file that says with whose session it is read, and by what an expired one is seen."""

from __future__ import annotations

from typing import Annotated, Any

from pydantic import AfterValidator, BeforeValidator, Field, model_validator

from crawlers.platform_parts import Part, Web, css_alone

NAME = r"^[a-z0-9][a-z0-9-]{0,23}$"
"""Short, since `session:NAME/browser` stands in a column of 40 characters; and a file's name."""


class SessionUse(Part):
    """Read with the office's own, lawful account (`wangxun sessions add`). A name alone will do."""

    name: str = Field(pattern=NAME)
    login: Web | None = None
    """Page on which a person logs in; without it the home."""
    must: Annotated[str, AfterValidator(css_alone)] | None = None
    """CSS of what only those who are logged in are shown. Without `check` it must stand on every page."""
    check: Web | None = None
    """Page that is asked for before each sweep, and must show `must`. It is not kept: it may name the account."""

    @model_validator(mode="after")
    def _fits_together(self) -> SessionUse:
        if self.check is not None and self.must is None:
            raise ValueError("session: check without must; name the CSS that only those who are logged in are shown")
        return self


def _named(value: Any) -> Any:
    return {"name": value} if isinstance(value, str) else value


NamedSession = Annotated[SessionUse, BeforeValidator(_named)]
