"""What can be seen in the demo city at one moment: arrivals by the city's clock, and what publishers do after a warning."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal

from patrol.demo.postings import Post, Poster, Truth

RETURNED = "9"
"""Put behind the id of a posting that comes back: a new posting, at a new address."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Shown:
    """A posting as the public sees it now, and the truth about it as it stands now."""

    id: str
    post: Post
    title: str
    body: str
    image: Poster | None
    truth: Truth
    scheme: str | None
    edition: Literal["first", "edited", "again"]
    posted_at: datetime
    """Aware UTC."""

    @property
    def site(self) -> str:
        return self.post.site

    @property
    def author(self) -> str:
        return self.post.author

    @property
    def number(self) -> str:
        return self.id[1:]


class Life:
    """The postings over time. Nothing is stored but when each was warned; all else follows from the clock.

    `elapsed_s` gives city seconds since the start. `warned` maps the id of a posting to the city second of its first
    warning and is changed in place. `reaction_s` and `return_s` are city seconds.
    """

    def __init__(
        self,
        posts: Sequence[Post],
        *,
        elapsed_s: Callable[[], float],
        began_at: datetime,
        warned: dict[str, float],
        reaction_s: float,
        return_s: float,
    ) -> None:
        self.posts = {post.id: post for post in posts}
        self.warned = warned
        self._elapsed_s, self._began_at = elapsed_s, began_at
        self._reaction_s, self._return_s = reaction_s, return_s

    def shown(self, site: str | None = None) -> tuple[Shown, ...]:
        """What is public now, newest first; of one site, or of all."""
        found = [item for post in self.posts.values() if site in (None, post.site) for item in self._editions(post)]
        return tuple(sorted(found, key=lambda item: (item.posted_at, item.id), reverse=True))

    def find(self, key: str) -> Shown | None:
        """The posting with this id, if it is public now."""
        post = self.post(key)
        return next((item for item in self._editions(post) if item.id == key), None) if post else None

    def post(self, key: str) -> Post | None:
        """The posting that this id belongs to, whether it is public now or not."""
        if key in self.posts:
            return self.posts[key]
        return self.posts.get(key.removesuffix(RETURNED)) if key.endswith(RETURNED) else None

    def floors(self, thread: str) -> tuple[Shown, ...]:
        """The floors of a thread in their order, the opening one first; empty when the thread is gone."""
        first = self.find(thread)
        if first is None:
            return ()
        replies = [item for post in self.posts.values() if post.reply_to == thread for item in self._editions(post)]
        return (first, *sorted(replies, key=lambda item: (item.posted_at, item.id)))

    def warn(self, key: str) -> bool:
        """Tell the publisher of this posting; True where it was not told before."""
        if self.post(key) is None or key in self.warned:
            return False
        self.warned[key] = self._elapsed_s()
        return True

    def _editions(self, post: Post) -> Iterator[Shown]:
        now = self._elapsed_s()
        if now < post.appears_s or (post.reply_to and self.find(post.reply_to) is None):
            return
        warned = self.warned.get(post.id)
        reacted = warned is not None and now >= warned + self._reaction_s
        if not reacted or post.behaviour in ("stays", "ignores"):
            yield self._shown(post, "first")
        elif post.behaviour == "edits_on_warning":
            yield self._shown(post, "edited")
        elif post.behaviour == "comes_back" and warned is not None and now >= warned + self._return_s:
            second = self.warned.get(post.id + RETURNED)
            if second is None or now < second + self._reaction_s:
                yield self._shown(post, "again")

    def _shown(self, post: Post, edition: Literal["first", "edited", "again"]) -> Shown:
        wording = {"first": post, "edited": post.edited, "again": post.again}[edition]
        if wording is None:
            raise ValueError(f"{post.id}: {post.behaviour} without the words for it")
        if post.appears_s:
            posted = self._began_at + timedelta(seconds=post.appears_s)
        else:
            posted = self._began_at - timedelta(hours=self._age_h(post))
        if edition == "again":
            posted = self._began_at + timedelta(seconds=self.warned[post.id] + self._return_s)
        return Shown(
            id=post.id + RETURNED if edition == "again" else post.id,
            post=post,
            title=wording.title,
            body=wording.body,
            image=None if edition == "edited" else post.image,
            truth="lookalike" if edition == "edited" else post.truth,
            scheme=None if edition == "edited" else post.scheme,
            edition=edition,
            posted_at=posted,
        )

    def _age_h(self, post: Post) -> float:
        """A reply is always younger than its thread."""
        thread = self.posts.get(post.reply_to or "")
        if thread is None or thread.appears_s:
            return post.hours_ago
        return thread.hours_ago * post.hours_ago / (post.hours_ago + 24)
