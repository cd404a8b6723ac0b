"""The contract's features as a pydantic model: for validation with every problem named, and for OpenAPI."""

from collections.abc import Callable
from operator import attrgetter
from typing import TYPE_CHECKING, Annotated, Any

from pydantic import BaseModel, ConfigDict, Field, create_model, model_validator

from functions.churn_api.contract import FEATURE_NAMES, FEATURES, Contract, Feature


def _as_field(feature: Feature) -> Any:
    kind: Any = int if feature.is_whole else float
    about = Field(
        description=feature.description,
        ge=feature.least,
        le=feature.most,
        json_schema_extra={"unit": feature.unit, "cause": feature.cause},
        examples=[feature.example],
        allow_inf_nan=False,
        strict=True,  # a number, not text that looks like one
    )
    return (Annotated[kind, about], ...) if feature.is_required else (Annotated[kind | None, about], None)


if TYPE_CHECKING:
    _Figures = BaseModel
else:
    _Figures = create_model(
        "_Figures",
        __config__=ConfigDict(extra="forbid", frozen=True, defer_build=True),
        **{name: _as_field(feature) for name, feature in FEATURES.items()},
    )


class CustomerFeatures(_Figures):
    __doc__ = Contract.__doc__

    @model_validator(mode="before")
    @classmethod
    def _without_points(cls, given: Any) -> Any:
        """95 for 95.0: tables with gaps have their whole numbers as floats."""
        if not isinstance(given, dict):
            return given
        return {name: int(v) if isinstance(v, float) and v.is_integer() else v for name, v in given.items()}


feature_row: Callable[[BaseModel], tuple[float | None, ...]] = attrgetter(*FEATURE_NAMES)  # in the contract's order
