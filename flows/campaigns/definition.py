"""The definition of a campaign: a small YAML file."""

import difflib
from collections.abc import Iterator, Mapping
from types import MappingProxyType
from typing import Annotated, Any, Literal, Self, get_args

import yaml
from pydantic import BaseModel, Field, ValidationError, model_validator
from pydantic_core import ErrorDetails

from flows.campaigns.offer import Money, Offer, Strict, Variant
from flows.campaigns.remedies import as_number, of_syntax
from flows.errors import BadInput
from flows.settings import DestinationName
from functions.churn_api.contract import Lifecycle, RiskBand

Place = tuple[str | int, ...]
VariantName = Annotated[str, Field(pattern=r"^[a-z0-9][a-z0-9_-]{0,29}$")]


class Bought(Strict):
    """Customers who bought a category or a product; if `due`, those whose usual time until they buy it again has
    nearly passed."""

    category: str | None = Field(None, min_length=1)
    product: str | None = Field(None, min_length=1)
    due: bool = False

    @model_validator(mode="after")
    def _names_one(self) -> Self:
        if (self.category is None) == (self.product is None):
            raise ValueError("category: name either a category or a `product`, and not both")
        return self


class Audience(Strict):
    """The customers considered. A key that is left out does not restrict them.

    consent: `not_opted_out` includes everyone who has not opted out; `known` only those whose contact record states
    consent. min_spend: within the last 365 days, in the shop's currency."""

    segments: tuple[str, ...] | None = Field(None, min_length=1)
    countries: tuple[str, ...] | None = Field(None, min_length=1)
    channels: tuple[str, ...] | None = Field(None, min_length=1)
    languages: tuple[str, ...] | None = Field(None, min_length=1)
    min_spend: Money | None = None
    risk_bands: tuple[RiskBand, ...] | None = Field(None, min_length=1)
    lifecycle: tuple[Lifecycle, ...] | None = Field(None, min_length=1)
    bought: Bought | None = None
    consent: Literal["not_opted_out", "known"] = "not_opted_out"


class ContactCap(Strict):
    """No customer is contacted more than `contacts` times within `days` days, over all campaigns."""

    contacts: int = Field(1, ge=1, le=100)
    days: int = Field(30, ge=1, le=365)


class Campaign(Strict):
    """margin: share of revenue that remains before the campaign's own cost. holdout: share of the chosen customers
    who are not contacted. window_days: a purchase counts until so many days after the launch. explore: share of
    the budget that goes to customers by lot where a ranking is used. to_learn: it may be
    launched although it is expected to lose. variants: contents of which each customer gets one."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9_-]{2,59}$")
    audience: Audience = Field(default_factory=lambda: Audience.model_validate({}))
    offer: Offer
    variants: dict[VariantName, Variant] | None = Field(None, min_length=2, max_length=6)
    margin: float = Field(gt=0, le=1, strict=True)
    budget: float = Field(gt=0, le=1e9, allow_inf_nan=False, strict=True)
    contact_cap: ContactCap = Field(default_factory=lambda: ContactCap.model_validate({}))
    holdout: float = Field(0.2, ge=0, le=0.9, strict=True)
    explore: float = Field(0.05, ge=0, le=0.5, strict=True)
    i_know: bool = False
    to_learn: bool = False
    window_days: int = Field(30, ge=1, le=365)
    destination: DestinationName = "csv"

    @property
    def needs_address(self) -> bool:
        """Whether its destination requires e-mail addresses; a file may be for letters and calls."""
        return self.destination != "csv"

    @property
    def offers(self) -> dict[str, Offer]:
        """The offer of each variant; none without variants."""
        return {name: variant.of(self.offer) for name, variant in (self.variants or {}).items()}

    @model_validator(mode="after")
    def _can_be_measured(self) -> Self:
        if self.holdout == 0 and not self.i_know:
            raise ValueError(
                "holdout: with 0 nobody can know what the campaign changed. Give at least 0.1, or write"
                " `i_know: true` if that is meant"
            )
        return self


def read_campaign(
    text: str,
    file: str,
    segments: tuple[str, ...],
    others: Mapping[str, tuple[str, ...]] = MappingProxyType({}),
    translated: Mapping[str, str] = MappingProxyType({}),
) -> Campaign:
    """The campaign that a YAML text describes. `file`: its name in errors. `segments`: the existing segments. `others`:
    the existing countries, channels and languages. `translated`: segments by their names in another language.

    Raises:
        BadInput: with line, key and remedy of everything that does not fit.
    """
    try:
        document = yaml.compose(text, Loader=yaml.SafeLoader)
        content = yaml.safe_load(text)
    except yaml.MarkedYAMLError as error:
        line, remedy = of_syntax(error, text)
        raise BadInput(f"{file}, line {line}: {remedy}") from None
    except yaml.YAMLError as error:  # a character that no text may have
        raise BadInput(f"{file}: this is not YAML: {' '.join(str(error).split())}.") from None
    if not isinstance(content, Mapping) or document is None:
        raise BadInput(f"{file} describes no campaign: it needs at least name, offer, margin and budget.")
    lines = dict(_lines(document))
    problems = [_twice(file, place, lines) for place in _repeated(document)]
    try:
        campaign = Campaign.model_validate(content)
    except ValidationError as error:
        found = error.errors()
        places = [problem["loc"] for problem in found]
        # pydantic also reports a list with a wrong entry as too short
        whole = [
            p for p in found if not any(other != p["loc"] and other[: len(p["loc"])] == p["loc"] for other in places)
        ]
        problems += [_describe(file, problem, lines) for problem in whole]
        raise BadInput("\n".join(problems)) from None
    campaign = _translated(campaign, translated)
    for key, known in {"segments": segments, **others}.items():
        problems += _unknown(file, key, getattr(campaign.audience, key) or (), known, lines)
    if problems:
        raise BadInput("\n".join(problems))
    return campaign


def _translated(campaign: Campaign, translated: Mapping[str, str]) -> Campaign:
    ours = {name.casefold(): ours for name, ours in translated.items()}
    if not (given := campaign.audience.segments):
        return campaign
    audience = campaign.audience.model_copy(update={"segments": tuple(ours.get(n.casefold(), n) for n in given)})
    return campaign.model_copy(update={"audience": audience})


def _unknown(
    file: str, key: str, given: tuple[str, ...], known: tuple[str, ...], lines: Mapping[Place, int]
) -> Iterator[str]:
    one = {"countries": "country"}.get(key, key.removesuffix("s"))
    for n, name in enumerate(given):
        if not known:
            where = f"{file}, line {_line(('audience', key, n), lines)}: audience.{key}"
            yield f"{where}: no {one} is known of any customer{_NEEDS.get(key, '')}."
        elif name not in known:
            yield (
                f"{file}, line {_line(('audience', key, n), lines)}: audience.{key}: there is no {one} {name!r}."
                f"{_did_you_mean(name, known)} There are: {', '.join(known)}."
            )


_NEEDS = {"languages": ": contacts need a column for it, such as `language` or `locale`"}
_SHAPES = {
    "tuple_type": "write a list: [one, another]",
    "model_type": "write keys of its own, each with a value",
    "dict_type": "write a name for each, with keys of its own",
    "float_type": "write a number",
}


def _lines(node: yaml.Node, place: Place = ()) -> Iterator[tuple[Place, int]]:
    """The line, from 1, of every key and list entry."""
    yield place, node.start_mark.line + 1
    if isinstance(node, yaml.MappingNode):
        for key, value in node.value:
            yield from _lines(value, (*place, str(key.value)))
            yield (*place, str(key.value)), key.start_mark.line + 1
    elif isinstance(node, yaml.SequenceNode):
        for position, value in enumerate(node.value):
            yield from _lines(value, (*place, position))


def _repeated(node: yaml.Node, place: Place = ()) -> Iterator[Place]:
    """Duplicated keys: YAML would silently take the last one."""
    if not isinstance(node, yaml.MappingNode):
        return
    seen = set()
    for key, value in node.value:
        if key.value in seen:
            yield (*place, str(key.value))
        seen.add(key.value)
        yield from _repeated(value, (*place, str(key.value)))


def _twice(file: str, place: Place, lines: Mapping[Place, int]) -> str:
    return f"{file}, line {_line(place, lines)}: {'.'.join(map(str, place))} is duplicated."


def _describe(file: str, problem: ErrorDetails, lines: Mapping[Place, int]) -> str:
    place = problem["loc"]
    where = f"{file}, line {_line(place, lines)}"
    name = ".".join(map(str, place))
    if problem["type"] == "extra_forbidden":
        known = _known_keys(place)
        meant = _did_you_mean(str(place[-1]), known)
        return f"{where}: {name} is no key of a campaign.{meant} There are: {', '.join(known)}."
    if problem["type"] == "missing":
        return f"{where}: {name} is missing."
    if problem["type"] == "string_pattern_mismatch" and place == ("name",):
        return f"{where}: name: {problem['input']!r} must be 3 to 60 small letters, digits, - and _."
    if place[-1:] == ("[key]",):
        return f"{where}: {name.removesuffix('.[key]')}: a name is up to 30 small letters, digits, - and _."
    message = _SHAPES.get(problem["type"]) or problem["msg"].removeprefix("Value error, ")
    if problem["type"] == "float_type" and isinstance(problem["input"], str):
        if (meant_number := as_number(problem["input"])) is not None:
            message = f"{message}, with a point and without a unit: {place[-1]}: {meant_number:g}"
    elif (
        problem["type"] == "less_than_equal"
        and place in (("margin",), ("holdout",), ("explore",))
        and 1 < problem["input"] < 100
    ):
        message = f"{message}. {problem['input']:g} % is written {problem['input'] / 100:g}"
    if problem["type"] == "value_error" and isinstance(problem["input"], Mapping):  # about keys that the message names
        key = (*place, message.split(":")[0])
        return f"{file}, line {_line(key, lines)}: {'.'.join(map(str, (*place, message)))}."
    return f"{where}: {name}: {problem['input']!r}: {message[:1].lower()}{message[1:]}."


def _line(place: Place, lines: Mapping[Place, int]) -> int:
    """The line of the key, or of what should contain it."""
    while place and place not in lines:
        place = place[:-1]
    return lines.get(place, 1)


def _known_keys(place: Place) -> tuple[str, ...]:
    model: type[BaseModel] = Campaign
    for key in place[:-1]:
        if field := model.model_fields.get(str(key)):  # else the name of a variant, of which all have the same keys
            model = next(_models(field.annotation))
    return tuple(model.model_fields)


def _models(kind: Any) -> Iterator[type[BaseModel]]:
    if isinstance(kind, type) and issubclass(kind, BaseModel):
        yield kind
    for inner in get_args(kind):
        yield from _models(inner)


def _did_you_mean(word: str, known: tuple[str, ...]) -> str:
    by_letters = {name.casefold(): name for name in known}
    close = difflib.get_close_matches(word.casefold(), by_letters, n=1)
    return f" Did you mean {by_letters[close[0]]}?" if close else ""
