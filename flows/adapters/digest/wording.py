"""A digest in words, in both languages."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any, Literal

import yaml

from flows.adapters.dashboard.phrases import label
from flows.adapters.digest.contents import Digest

Language = Literal["en", "fr"]
_TEXTS = Path(__file__).parent / "texts.yml"
_THIN_SPACE = "\u202f"


@dataclass(frozen=True)
class Section:
    title: str
    lines: Sequence[str]


@dataclass(frozen=True)
class Letter:
    """A digest in one language. `about_picture`: what the picture shows, for who does not see it. `link`: where the
    page is; None: nowhere that a reader could open."""

    language: Language
    subject: str
    compared: str
    sections: Sequence[Section]
    picture_title: str
    about_picture: str
    open_page: str
    link: str | None
    no_names: str


def letter(digest: Digest, language: Language, link: str | None, sign: str | None) -> Letter:
    """The digest in a language. `sign`: of its currency; None: its code stands for it."""
    say = _Words(language, sign, digest.currency or "")
    changes = digest.changes
    count = {name: say.number(changes[name]) for name in ("slipped", "came_back", "left", "new")}
    loss, then = changes["expected_loss"], changes["expected_loss_then"]
    by_stage = (
        say.text("picture_says", stage=say.stage(of.lifecycle), then=say.money(of.expected_loss_then),
                 now=say.money(of.expected_loss))
        for of in digest.stages
    )  # fmt: skip
    return Letter(
        language=language,
        subject=say.text("subject", as_of=say.day(digest.as_of), slipped=count["slipped"], loss=say.money(loss)),
        compared=say.text("compared", since=say.day(digest.since), horizon=digest.horizon_days),
        sections=(
            Section(say.text("customers_title"), [
                say.text("slipped", count=count["slipped"], loss=say.money(changes["expected_loss_of_slipped"])),
                *(say.text(name, count=count[name]) for name in ("left", "came_back", "new")),
            ]),
            Section(say.text("money_title"), [
                say.text("money", loss=say.money(loss), then=say.money(then), change=say.change(then, loss))
            ]),
            Section(say.text("promises_title"), list(_promises(digest, say))),
            Section(say.text("campaigns_title"), list(_campaigns(digest, say))),
            Section(say.text("quality_title"), list(_quality(digest, say))),
        ),
        picture_title=say.text("picture"),
        about_picture=(f"{_THIN_SPACE}; " if language == "fr" else "; ").join(by_stage),
        open_page=say.text("open"),
        link=link,
        no_names=say.text("no_names"),
    )  # fmt: skip


@dataclass(frozen=True)
class _Words:
    language: Language
    sign: str | None
    currency: str

    def text(self, name: str, **values: Any) -> str:
        return _texts()[name][self.language].format(**values)

    def stage(self, lifecycle: str) -> str:
        return label(f"lifecycle_{lifecycle}", self.language)

    def day(self, of: date) -> str:
        return f"{of:%d/%m/%Y}" if self.language == "fr" else f"{of:%Y-%m-%d}"

    def number(self, value: float, digits: int = 0, sign: str = "") -> str:
        return self._written(f"{value:{sign},.{digits}f}")

    def share(self, value: float, digits: int = 0, sign: str = "") -> str:
        return self.number(100 * value, digits, sign) + (f"{_THIN_SPACE}%" if self.language == "fr" else "%")

    def change(self, then: float, now: float) -> str:
        return self.share(now / then - 1, sign="+") if then else "–"

    def money(self, amount: float | None) -> str:
        if amount is None:
            return "–"
        number, minus = self.number(abs(amount)), "-" if round(amount) < 0 else ""
        if self.language == "fr":
            return f"{minus}{number}{_THIN_SPACE}{self.sign or self.currency}".rstrip()
        return f"{minus}{self.sign}{number}" if self.sign else f"{minus}{number} {self.currency}".rstrip()

    def _written(self, number: str) -> str:
        return number.replace(",", _THIN_SPACE).replace(".", ",") if self.language == "fr" else number


def _promises(digest: Digest, say: _Words) -> Iterator[str]:
    if not digest.promises:
        yield say.text("no_promises")
    for row in digest.promises:
        yield say.text(
            f"promise_{row['kind']}", subject=row["subject"], stated=say.day(row["stated_on"]),
            promised=say.money(row["promised"]), came=say.money(row["came"]),
        )  # fmt: skip


def _campaigns(digest: Digest, say: _Words) -> Iterator[str]:
    if not digest.campaigns:
        yield say.text("no_campaigns")
    for row in digest.campaigns:
        yield _effect(row, say)
        if row["profit_low"] is not None:
            ends = {name: say.money(row[of]) for name, of in (("low", "profit_low"), ("high", "profit_high"))}
            yield say.text("campaign_profit", profit=say.money(row["profit"]), **ends)


def _effect(row: Mapping[str, Any], say: _Words) -> str:
    campaign = row["campaign"]
    if not row["held_out"]:
        return say.text("campaign_without_control", campaign=campaign)
    if row["lift_low"] is None:
        return say.text("campaign_unknown", campaign=campaign)
    kind = "more" if row["lift_low"] > 0 else "fewer" if row["lift_high"] < 0 else "unclear"
    lift, low, high = (say.number(100 * row[name], 1, "+") for name in ("lift", "lift_low", "lift_high"))
    return say.text(f"campaign_{kind}", campaign=campaign, lift=lift, low=low, high=high)


def _quality(digest: Digest, say: _Words) -> Iterator[str]:
    if digest.newest_order:
        yield say.text("newest_order", day=say.day(digest.newest_order))
    of_all = digest.rejected / digest.lines if digest.lines else 0.0
    yield say.text(
        "rejected", rejected=say.number(digest.rejected), lines=say.number(digest.lines), share=say.share(of_all, 1)
    )
    found = len(digest.warnings)
    yield say.text("warnings", count=say.number(found)) if found else say.text("no_warnings")


@cache
def _texts() -> Mapping[str, Mapping[str, str]]:
    texts: Mapping[str, Mapping[str, str]] = yaml.safe_load(_TEXTS.read_text(encoding="utf-8"))
    return texts
