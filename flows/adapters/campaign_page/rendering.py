"""What the page shows, as HTML: templates with the texts and figures of a language."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache
from math import isfinite
from pathlib import Path
from typing import Any

import jinja2
import yaml

from flows.adapters.campaign_page import pictures
from flows.adapters.campaign_page.campaign_files import CampaignFile
from flows.adapters.campaign_page.desk import Launch, LaunchedCampaign, Overview, Preview
from flows.adapters.campaign_page.form import FIELDS, REQUIRED, hidden_keys, to_form
from flows.adapters.campaign_page.language import Language
from flows.adapters.campaign_page.sentences import describe
from flows.campaigns.definition import Campaign
from flows.campaigns.power import PLAUSIBLE_LIFT

_FOLDER = Path(__file__).parent
# the fields of the form in its three parts, and those that most campaigns leave as they are
WHO, WHAT, HOW_MUCH, MORE = (
    ("audience.segments", "audience.lifecycle", "audience.risk_bands", "audience.countries", "audience.channels",
     "audience.languages", "audience.min_spend", "audience.bought.category", "audience.bought.product",
     "audience.bought.due"),
    ("offer.text", "offer.kind", "offer.value", "offer.cost_per_contact", "offer.cost_per_redemption", "destination"),
    ("margin", "budget", "holdout", "window_days"),
    ("audience.consent", "explore", "contact_cap.contacts", "contact_cap.days", "to_learn", "i_know"),
)  # fmt: skip
_PREFIXES = {
    "offer.kind": "kind_",
    "audience.lifecycle": "lifecycle_",
    "audience.risk_bands": "",
    "audience.consent": "",
}


@dataclass(frozen=True)
class Shell:
    """What every page has: its language, address, the token of its session, and whether somebody is signed in."""

    say: Language
    root: str
    token: str
    is_signed_in: bool = False


@dataclass(frozen=True)
class Row:
    """A campaign in the calendar."""

    link: str
    name: str
    state: str
    window: str
    arms: str
    result: str
    bar: list[pictures.Part]


def calendar(shell: Shell, overview: Overview | None, files: Sequence[CampaignFile], folder: Path, notice: str) -> str:
    """All campaigns: running, planned and past."""
    rows, axis = _rows(shell, overview, files)
    return _render("calendar.html.j2", shell, overview=overview, rows=rows, axis=axis, folder=folder, notice=notice)


def form(
    shell: Shell, overview: Overview | None, document: Mapping[str, Any], file: CampaignFile | None, notice: str
) -> str:
    """The form of a campaign, filled from a document."""
    campaign = str(document.get("name", ""))
    launched = next((one for one in overview.launched if one.name == campaign), None) if overview else None
    return _render(
        "form.html.j2", shell, overview=overview, file=file, notice=notice, launched=launched, values=to_form(
            document, shell.say), hidden=hidden_keys(document), fields={field.key: field for field in FIELDS},
        parts=(("who", WHO), ("what", WHAT), ("how_much", HOW_MUCH)), more=MORE, options=_options(shell.say, overview),
        required=REQUIRED, currency=overview.currency if overview else None,
    )  # fmt: skip


def preview(shell: Shell, found: Preview) -> str:
    """What a campaign would do, as pictures with their figures."""
    lifts = [found.detectable_lift, found.break_even_lift, PLAUSIBLE_LIFT]
    costs = [found.expected_cost, found.highest_cost, found.budget]
    return _render(
        "preview.html.j2", shell, found=found, segments=pictures.segments(found), isfinite=isfinite,
        lift_bars=pictures.on_one_scale(lifts), cost_bars=pictures.on_one_scale(costs), plausible=PLAUSIBLE_LIFT,
        # what it can show is said by a picture
        warnings=[
            describe(shell.say, of, found.currency) for of in found.warnings if of.code != "shows_nothing"
        ],
    )  # fmt: skip


def result(shell: Shell, overview: Overview, campaign: LaunchedCampaign) -> str:
    """What a launched campaign changed, with a paragraph to copy; nothing of it until its window has ended."""
    row = campaign.result if campaign.is_over else None
    return _render(
        "result.html.j2", shell, overview=overview, campaign=campaign, row=row,
        paragraph=paragraph(shell.say, campaign) if row else "", verdict=_verdict(row) if row else "",
        rate_bars=pictures.on_one_scale([row["treated_rate"], row["held_out_rate"]]) if row else (),
    )  # fmt: skip


def launched(shell: Shell, campaign: str, done: Launch) -> str:
    """What became of a launch."""
    return _render("launched.html.j2", shell, campaign=campaign, done=done)


def sign_in(shell: Shell) -> str:
    """Where to give an API key."""
    return _render("sign_in.html.j2", shell)


def message(shell: Shell, text: str) -> str:
    """A page that says why it is not another one."""
    return _render("message.html.j2", shell, text=text)


def message_part(shell: Shell, text: str) -> str:
    """A sentence in place of a preview."""
    return _render("message_part.html.j2", shell, text=text)


def paragraph(say: Language, campaign: LaunchedCampaign) -> str:
    """The result in sentences for a report."""
    row = campaign.result
    assert row is not None  # asked only of measured campaigns
    currency = row["currency"]

    def known(name: str) -> list[float] | None:
        values = [row[f"{name}{end}"] for end in ("", "_low", "_high")]
        return None if None in values else values

    def figures(name: str, write: Any) -> str:
        if (values := known(name)) is None:
            return say(f"{_KEYS[name]}_unknown")
        return say(f"{_KEYS[name]}_of", **dict(zip(("mean", "low", "high"), map(write, values), strict=True)))

    def amount(value: float) -> str:
        return say.money(value, currency)

    return say(
        "paragraph", name=campaign.name, offer=campaign.offer, first=say.day(campaign.launched_on),
        last=say.day(campaign.window_ends_on), contacted=say.count(row["contacted"]),
        held_out=say.count(row["held_out"]),
        treated_rate=say.percent(row["treated_rate"], 1), held_out_rate=say.percent(row["held_out_rate"], 1),
        buyers=figures("additional_buyers", say.count), revenue=figures("incremental_revenue", amount),
        cost=amount(row["cost"]), profit=figures("profit", amount),
    ) + (f" {say('verdict_off')}" if row["is_sample_ratio_off"] else "")  # fmt: skip


_KEYS = {"additional_buyers": "buyers", "incremental_revenue": "revenue", "profit": "profit"}


def _verdict(row: Mapping[str, Any]) -> str:
    """What the result says, as a key: only of what its interval leaves no doubt."""
    if row["is_sample_ratio_off"]:
        return "off"
    for figure, above, below in (("profit", "helped", "harmed"), ("additional_buyers", "more", "fewer")):
        low, high = row[f"{figure}_low"], row[f"{figure}_high"]
        if low is not None and low > 0:
            return above
        if high is not None and high < 0:
            return below
    return "open"


def _rows(
    shell: Shell, overview: Overview | None, files: Sequence[CampaignFile]
) -> tuple[list[Row], pictures.Timeline | None]:
    say, today = shell.say, overview.as_of if overview else None
    launched = overview.launched if overview else ()
    known = {campaign.name for campaign in launched}
    planned = [(file, _definition(file)) for file in files]
    planned = [(file, campaign) for file, campaign in planned if campaign is None or campaign.name not in known]
    windows = [(campaign.launched_on, campaign.window_ends_on) for campaign in launched]
    if today:
        windows += [(today, today + timedelta(days=campaign.window_days)) for _, campaign in planned if campaign]
    axis = pictures.Timeline.of(windows, today) if today else None
    rows = [_planned(shell, file, campaign, axis) for file, campaign in planned]
    for campaign in sorted(launched, key=lambda one: (one.is_over, -one.launched_on.toordinal(), one.name)):
        state = "over" if campaign.is_over else "running"
        first, last = say.day(campaign.launched_on), say.day(campaign.window_ends_on)
        rows.append(
            Row(
                f"{shell.root}/of/{campaign.name}", campaign.name, state, say("until", first=first, last=last),
                f"{say.count(campaign.treated)} · {say.count(campaign.held_out)}", _outcome(say, campaign),
                axis.bar(campaign.launched_on, campaign.window_ends_on, state) if axis else [],
            )
        )  # fmt: skip
    return rows, axis


def _planned(shell: Shell, file: CampaignFile, campaign: Campaign | None, axis: pictures.Timeline | None) -> Row:
    say, link = shell.say, f"{shell.root}/file/{file.path.name}"
    if campaign is None:
        return Row(link, file.path.name, "unreadable", "", "", "", [])
    state = "approved" if file.approval else "draft"
    days = say("if_launched_today", days=campaign.window_days)
    bar = axis.bar(axis.today, axis.today + timedelta(days=campaign.window_days), state) if axis else []
    return Row(link, campaign.name, state, days, "", "", bar)


def _definition(file: CampaignFile) -> Campaign | None:
    try:
        return Campaign.model_validate(yaml.safe_load(file.text))
    except (yaml.YAMLError, ValueError):
        return None


def _outcome(say: Language, campaign: LaunchedCampaign) -> str:
    if not campaign.is_over:
        return say("withheld", day=say.day(campaign.window_ends_on))
    row = campaign.result
    if row is None:
        return say("not_measured")
    ends = [row[f"profit{end}"] for end in ("", "_low", "_high")]
    if None in ends or row["is_sample_ratio_off"]:
        return say("verdict_off") if row["is_sample_ratio_off"] else say("profit_unknown")
    profit, low, high = (say.money(value, row["currency"]) for value in ends)
    return say("gain", profit=profit, low=low, high=high)


def _options(say: Language, overview: Overview | None) -> dict[str, list[tuple[str, str]]]:
    """The values of each choice, with what they are called."""
    of_shop = overview.choices if overview else {}
    found = {}
    for field in FIELDS:
        if field.kind not in ("chips", "choice"):
            continue
        values = field.options or of_shop.get(field.key.removeprefix("audience."), ())
        prefix = _PREFIXES.get(field.key)
        found[field.key] = [(v, say.name(v) if prefix is None else say(f"{prefix}{v}")) for v in values]
    return found


def _render(template: str, shell: Shell, **values: Any) -> str:
    return _environment().get_template(template).render(shell=shell, say=shell.say, **values)


@cache
def _environment() -> jinja2.Environment:
    return jinja2.Environment(
        loader=jinja2.FileSystemLoader(_FOLDER), autoescape=True, trim_blocks=True, lstrip_blocks=True,
        undefined=jinja2.StrictUndefined,
    )  # fmt: skip
