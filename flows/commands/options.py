"""Settings as options of the command line. A field defines its name, type, limits, default and help."""

from collections.abc import Callable, Iterator
from datetime import date, datetime
from inspect import Parameter, Signature, signature
from types import NoneType
from typing import Annotated, Any, get_args

import typer
from pydantic.fields import FieldInfo

from flows.settings import Settings, read_settings


def takes(*names: str) -> Callable[[Callable[..., None]], Callable[..., None]]:
    """Gives a command these settings as options; its `settings` come from the options, the environment and the
    defaults, in this order."""

    def decorate(command: Callable[..., None]) -> Callable[..., None]:
        def called(context: typer.Context, **values: Any) -> None:
            options = {name: values.pop(name) for name in names}
            given = {name: value for name, value in options.items() if _is_given(context, name)}
            command(settings=read_settings(Settings, **given), **values)

        own = [one for one in signature(command).parameters.values() if one.name != "settings"]
        parameters = [Parameter("context", Parameter.KEYWORD_ONLY, annotation=typer.Context), *own, *_options(names)]
        called.__name__, called.__doc__ = command.__name__, command.__doc__
        called.__annotations__ = {one.name: one.annotation for one in parameters}
        called.__signature__ = Signature(  # type: ignore[attr-defined]
            [one.replace(kind=Parameter.KEYWORD_ONLY) for one in parameters]
        )
        return called

    return decorate


def _is_given(context: typer.Context, name: str) -> bool:
    source = context.get_parameter_source(name)
    return source is not None and source.name == "COMMANDLINE"


def _options(names: tuple[str, ...]) -> Iterator[Parameter]:
    for name in names:
        field = Settings.model_fields[name]
        yield Parameter(name, Parameter.KEYWORD_ONLY, default=field.default, annotation=_annotation(field))


def _annotation(field: FieldInfo) -> Any:
    limits = {end: getattr(limit, end) for limit in field.metadata for end in ("ge", "le") if hasattr(limit, end)}
    kind = field.annotation
    if NoneType in get_args(kind):  # which cannot be typed
        (kind,) = (one for one in get_args(kind) if one is not NoneType)
    if kind is date:
        option = typer.Option(help=field.description, formats=["%Y-%m-%d"], metavar="YYYY-MM-DD")
        return Annotated[datetime, option]
    return Annotated[kind, typer.Option(help=field.description, min=limits.get("ge"), max=limits.get("le"))]
