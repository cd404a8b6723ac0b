"""The form of a campaign: what is typed becomes a document of YAML, and a document fills the form.

Keys that the form does not show, such as variants, stay as they are in the file."""

import copy
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from pydantic import ValidationError
from pydantic_core import ErrorDetails

from flows.adapters.campaign_page.language import Language, Unreadable
from flows.campaigns.definition import Campaign
from flows.campaigns.offer import OfferKind
from flows.settings import DestinationName
from functions.churn_api.contract import Lifecycle, RiskBand

Typed = Mapping[str, str | Sequence[str]]


@dataclass(frozen=True)
class Field:
    """`key`: its place in the file, and in the form. `default`: what the file means without it. `options`: of a choice
    that is the same for every shop."""

    key: str
    kind: Literal["text", "money", "percent", "whole", "number", "chips", "choice", "flag"]
    default: Any = None
    options: tuple[str, ...] = ()


FIELDS = (
    Field("name", "text"),
    Field("audience.segments", "chips"),
    Field("audience.lifecycle", "chips", options=get_args(Lifecycle)),
    Field("audience.risk_bands", "chips", options=get_args(RiskBand)),
    Field("audience.countries", "chips"),
    Field("audience.channels", "chips"),
    Field("audience.languages", "chips"),
    Field("audience.min_spend", "money"),
    Field("audience.bought.category", "text"),
    Field("audience.bought.product", "text"),
    Field("audience.bought.due", "flag", False),
    Field("audience.consent", "choice", "not_opted_out", ("not_opted_out", "known")),
    Field("offer.text", "text"),
    Field("offer.kind", "choice", None, ("", *get_args(OfferKind))),
    Field("offer.value", "number"),
    Field("offer.cost_per_contact", "money", 0.0),
    Field("offer.cost_per_redemption", "money", 0.0),
    Field("margin", "percent"),
    Field("budget", "money"),
    Field("holdout", "percent", 0.2),
    Field("window_days", "whole", 30),
    Field("destination", "choice", "csv", get_args(DestinationName)),
    Field("explore", "percent", 0.05),
    Field("contact_cap.contacts", "whole", 1),
    Field("contact_cap.days", "whole", 30),
    Field("to_learn", "flag", False),
    Field("i_know", "flag", False),
)
BY_KEY = {field.key: field for field in FIELDS}
REQUIRED = frozenset({"name", "offer.text", "margin", "budget"})


class Unfit(Exception):
    """What does not fit, by key of the form; "" for what no field shows."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__(", ".join(problems))
        self.problems = dict(problems)


def to_document(typed: Typed, before: Mapping[str, Any], say: Language) -> dict[str, Any]:
    """The document of what was typed, over that of the file `before`. A value that is the default is not written,
    unless the file has the key; a flag that is taken back goes.

    Raises:
        Unfit: for texts that are no numbers.
    """
    document: dict[str, Any] = copy.deepcopy(dict(before))
    problems = {}
    for field in FIELDS:
        try:
            value = _parsed(field, typed.get(field.key, ""), say)
        except Unreadable:
            problems[field.key] = say("wrong_number")
            continue
        *parents, last = field.key.split(".")
        place = document
        for parent in parents:
            inner = place.get(parent)
            place = place.setdefault(parent, {}) if isinstance(inner, dict) or inner is None else {}
        is_taken_back = field.kind == "flag" and value != place.get(last, False) and not value
        if value is None or is_taken_back or (value == field.default and last not in place):
            place.pop(last, None)
        elif place.get(last) != value:
            place[last] = value
    if problems:
        raise Unfit(problems)
    full = _without_empty(document, before)
    order = {name: place for place, name in enumerate(Campaign.model_fields)}
    return dict(sorted(full.items(), key=lambda item: order.get(item[0], len(order))))


def _without_empty(document: dict[str, Any], before: Mapping[str, Any]) -> dict[str, Any]:
    """Without keys that have nothing in them, but for those that the file has so."""
    full = {}
    for key, value in document.items():
        was = before.get(key)
        kept = _without_empty(value, was if isinstance(was, dict) else {}) if isinstance(value, dict) else value
        if kept != {} or was == {}:
            full[key] = kept
    return full


def check(document: Mapping[str, Any], say: Language) -> Campaign:
    """The campaign of a document, as far as can be told without a warehouse.

    Raises:
        Unfit: with a sentence for each field.
    """
    try:
        return Campaign.model_validate(document)
    except ValidationError as error:
        problems: dict[str, str] = {}
        for problem in error.errors():
            key, message = _of_pydantic(problem, document, say)
            problems.setdefault(key, message)
        raise Unfit(problems) from None


def to_form(document: Mapping[str, Any], say: Language) -> dict[str, Any]:
    """What the form shows of a document: texts, and a list of names for chips."""
    return {field.key: _shown(field, _find(document, field.key), say) for field in FIELDS}


def hidden_keys(document: Mapping[str, Any]) -> list[str]:
    """Keys of the file that no field shows."""
    return list(_hidden(document, ""))


def _hidden(document: Mapping[str, Any], under: str) -> Iterator[str]:
    for name, value in document.items():
        key = f"{under}{name}"
        if isinstance(value, dict) and any(known.startswith(f"{key}.") for known in BY_KEY):
            yield from _hidden(value, f"{key}.")
        elif key not in BY_KEY:
            yield key


def _find(document: Mapping[str, Any], key: str) -> Any:
    value: Any = document
    for part in key.split("."):
        value = value.get(part) if isinstance(value, dict) else None
    return value


def _shown(field: Field, value: Any, say: Language) -> Any:
    value = field.default if value is None else value
    match field.kind:
        case "chips":
            return [str(name) for name in value] if isinstance(value, list) else []
        case "flag":
            return "yes" if value is True else ""
        case "percent" if isinstance(value, int | float):
            return say.typed(round(100 * value, 6))
        case "money" | "whole" | "number" if isinstance(value, int | float):
            return say.typed(value)
        case _:
            return "" if value is None else str(value)


def _parsed(field: Field, typed: str | Sequence[str], say: Language) -> Any:
    if field.kind == "chips":
        return [typed] if isinstance(typed, str) and typed else list(typed) or None
    text = (typed if isinstance(typed, str) else "".join(typed)).strip()
    if field.kind == "flag":
        return bool(text)
    if not text:
        return None
    match field.kind:
        case "percent":
            return round(say.number(text) / 100, 8)
        case "money" | "number":
            return say.number(text)
        case "whole":
            value = say.number(text)
            return int(value) if value.is_integer() else value
        case _:
            return text


def _of_pydantic(problem: ErrorDetails, document: Mapping[str, Any], say: Language) -> tuple[str, str]:
    """The field and the sentence."""
    place = [str(part) for part in problem["loc"]]
    key = next((name for n in range(len(place), 0, -1) if (name := ".".join(place[:n])) in BY_KEY), ".".join(place))
    kind, limits = problem["type"], problem.get("ctx", {})
    if kind == "value_error":
        named = str(limits.get("error", "")).split(":")[0]
        key = ".".join([*place, named])
        of_value = {
            "offer.value": _of_offer(document.get("offer"), say),
            "holdout": say("needs_holdout"),
            "audience.bought.category": say("needs_bought"),
        }
        return (key, of_value[key]) if key in of_value else ("", problem["msg"])
    if key not in BY_KEY:
        return "", f"{key}: {problem['msg']}"
    factor = 100 if BY_KEY[key].kind == "percent" else 1
    for limit, text in (("ge", "at_least"), ("gt", "more_than"), ("le", "at_most"), ("lt", "at_most")):
        if limit in limits:
            return key, say(text, n=say.typed(float(limits[limit]) * factor))
    if kind in ("missing", "string_too_short"):
        return key, say("missing")
    return key, say("wrong_name" if key == "name" else "wrong_value")


def _of_offer(offer: Any, say: Language) -> str:
    kind = offer.get("kind") if isinstance(offer, dict) else None
    if kind == "percent_off":
        return say("needs_percent")
    return say("needs_value" if kind == "amount_off" else "needs_no_value")
