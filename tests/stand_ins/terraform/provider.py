"""A provider for Terraform's plugin protocol 6 that knows a schema and some rules, and no cloud."""

import json
from collections.abc import Iterable, Mapping
from typing import Any, Protocol

import grpc
from tf.gen import tfplugin_pb2 as pb
from tf.gen import tfplugin_pb2_grpc

from tests.stand_ins.terraform import rules
from tests.stand_ins.terraform.answers import Surroundings, computed, seed_of
from tests.stand_ins.terraform.schemas import as_message
from tests.stand_ins.terraform.values import Unknown, Value, known, planned, settled
from tests.stand_ins.terraform.wire import read, written


class Refused(Exception):
    """An API's refusal."""


class Backend(Protocol):
    """An API that has its say about some types: it gets what is applied, and knows what is there."""

    def knows(self, kind: str) -> bool: ...

    def configure(self, config: Mapping[str, Any]) -> None: ...

    def create(self, kind: str, value: Value) -> Value:
        """Makes it; returns what only the API knows, such as ids. Raises Refused."""

    def update(self, kind: str, value: Value) -> None:
        """Changes it. Raises Refused."""

    def delete(self, kind: str, state: Value) -> None:
        """Removes it. Raises Refused."""

    def exists(self, kind: str, state: Value) -> bool: ...


class StandIn(tfplugin_pb2_grpc.ProviderServicer):
    """Stands in for the provider of one schema; a backend, where there is one, makes the objects for real."""

    def __init__(self, schema: dict[str, Any], backend: Backend | None = None) -> None:
        self.resources = schema["resource_schemas"]
        self.data_sources = schema["data_source_schemas"]
        self.backend = backend
        self.around = Surroundings({})
        self.provider_schema = pb.GetProviderSchema.Response(
            provider=as_message(schema["provider"]),
            resource_schemas={name: as_message(one) for name, one in self.resources.items()},
            data_source_schemas={name: as_message(one) for name, one in self.data_sources.items()},
        )

    def GetMetadata(self, request: Any, context: grpc.ServicerContext) -> Any:
        return pb.GetMetadata.Response(
            resources=[pb.GetMetadata.ResourceMetadata(type_name=name) for name in self.resources],
            data_sources=[pb.GetMetadata.DataSourceMetadata(type_name=name) for name in self.data_sources],
        )

    def GetProviderSchema(self, request: Any, context: grpc.ServicerContext) -> Any:
        return self.provider_schema

    def ValidateProviderConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        return pb.ValidateProviderConfig.Response()

    def ConfigureProvider(self, request: Any, context: grpc.ServicerContext) -> Any:
        config = read(request.config)
        self.around = Surroundings({key: value for key, value in config.items() if value is not Unknown})
        if self.backend:
            self.backend.configure(self.around.config)
        named = rules.STABLE_FEATURES.intersection(self.around.config.get("preview_features_enabled") or ())
        warnings = [("preview_features_enabled", f"Deprecated: {one} is no preview any more") for one in sorted(named)]
        return pb.ConfigureProvider.Response(diagnostics=_diagnostics(warnings, pb.Diagnostic.WARNING))

    def ValidateResourceConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, config = request.type_name, read(request.config)
        warnings = _diagnostics(rules.deprecated(kind, config), pb.Diagnostic.WARNING)
        return pb.ValidateResourceConfig.Response(diagnostics=[*_diagnostics(rules.problems(kind, config)), *warnings])

    def ValidateDataResourceConfig(self, request: Any, context: grpc.ServicerContext) -> Any:
        found = rules.problems(request.type_name, read(request.config))
        return pb.ValidateDataResourceConfig.Response(diagnostics=_diagnostics(found))

    def UpgradeResourceState(self, request: Any, context: grpc.ServicerContext) -> Any:
        return pb.UpgradeResourceState.Response(upgraded_state=written(json.loads(request.raw_state.json)))

    def ReadResource(self, request: Any, context: grpc.ServicerContext) -> Any:
        state = read(request.current_state)
        if self._is_backed(request.type_name) and not self.backend.exists(request.type_name, state):
            return pb.ReadResource.Response(new_state=written(None))
        return pb.ReadResource.Response(new_state=request.current_state, private=request.private)

    def PlanResourceChange(self, request: Any, context: grpc.ServicerContext) -> Any:
        proposed, prior = read(request.proposed_new_state), read(request.prior_state)
        if proposed is None:
            return pb.PlanResourceChange.Response(planned_state=request.proposed_new_state)
        kind = request.type_name
        if problem := self._not_enabled(kind):
            return pb.PlanResourceChange.Response(diagnostics=_diagnostics([("name", problem)]))
        value = planned(self.resources[kind]["block"], proposed, creates=prior is None)
        if prior is None:
            return pb.PlanResourceChange.Response(planned_state=written(value))
        for name in rules.to_be_computed(kind, prior, value, read(request.config)):
            value[name] = Unknown
        if "tags_all" in value:
            value["tags_all"] = computed(kind, value, self.around, "tags_all")
        steps = [[pb.AttributePath.Step(attribute_name=name)] for name in rules.replaces(kind, prior, value)]
        return pb.PlanResourceChange.Response(
            planned_state=written(value), requires_replace=[pb.AttributePath(steps=step) for step in steps]
        )

    def ApplyResourceChange(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind = request.type_name
        value, prior = read(request.planned_state), read(request.prior_state)
        try:
            if value is None:
                if self._is_backed(kind):
                    self.backend.delete(kind, prior)
                return pb.ApplyResourceChange.Response(new_state=request.planned_state)
            state = self._apply(kind, value, prior, read(request.config))
        except Refused as refused:
            return pb.ApplyResourceChange.Response(
                new_state=request.prior_state, diagnostics=_diagnostics([("name", str(refused))])
            )
        return pb.ApplyResourceChange.Response(new_state=written(state))

    def _apply(self, kind: str, value: Value, prior: Value | None, config: Value) -> Value:
        block = self.resources[kind]["block"]
        write_only = {name: config.get(name) for name, one in block["attributes"].items() if one.get("write_only")}
        returned: Value = {}
        if self._is_backed(kind):
            wanted = known(value | write_only)
            if prior is None:
                returned = self.backend.create(kind, wanted)
            else:
                self.backend.update(kind, wanted)
        return settled(
            block,
            value,
            lambda name: returned[name] if name in returned else computed(kind, value, self.around, name),
            seed_of(kind, value),
        )

    def ReadDataSource(self, request: Any, context: grpc.ServicerContext) -> Any:
        kind, config = request.type_name, read(request.config)
        block = self.data_sources[kind]["block"]
        value = planned(block, config, creates=True)
        state = settled(block, value, lambda name: computed(kind, value, self.around, name), seed_of(kind, value))
        return pb.ReadDataSource.Response(state=written(state))

    def StopProvider(self, request: Any, context: grpc.ServicerContext) -> Any:
        return pb.StopProvider.Response()

    def _is_backed(self, kind: str) -> bool:
        return self.backend is not None and self.backend.knows(kind)

    def _not_enabled(self, kind: str) -> str | None:
        feature = rules.preview_feature(kind)
        if feature is None or feature in (self.around.config.get("preview_features_enabled") or ()):
            return None
        return f"{kind} is a preview feature: add {feature} to preview_features_enabled in the provider's block"


def _diagnostics(problems: Iterable[tuple[str, str]], severity: int = pb.Diagnostic.ERROR) -> list[pb.Diagnostic]:
    return [
        pb.Diagnostic(
            severity=severity,
            summary=sentence,
            attribute=pb.AttributePath(steps=[pb.AttributePath.Step(attribute_name=attribute)]),
        )
        for attribute, sentence in problems
    ]
