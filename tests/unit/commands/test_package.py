"""Which model `make package` packs, and what it says of it."""

import pytest

from flows.adapters.models.lambda_package import Package
from flows.commands import package as command
from flows.errors import SettingsError
from flows.settings import Settings

pytestmark = pytest.mark.usefixtures("shipped_model")


@pytest.fixture
def packed(monkeypatch):
    """The versions that were packed; nothing is installed."""
    versions = []

    def build(name, architecture, model, folder, compiler):
        versions.append(model.version)
        return Package(command.DIST / f"{name}-{architecture}.zip", 1, 1)

    monkeypatch.setattr(command, "build_package", build)
    monkeypatch.delenv("MANAGED_BY", raising=False)
    return versions


def test_packing_the_shipped_model_is_said(packed, tmp_path, capsys):
    command.package(Settings(data_dir=tmp_path))
    assert set(packed) == {packed[0]}
    assert f"the packages have the model that comes with the project, {packed[0]}" in capsys.readouterr().err


def test_where_terraform_manages_the_environment_its_model_store_is_asked_for(packed, tmp_path, monkeypatch):
    monkeypatch.setenv("MANAGED_BY", "terraform")
    monkeypatch.delenv("MODELS", raising=False)
    with pytest.raises(SettingsError, match="MODELS is not set: `make env`"):
        command.package(Settings(data_dir=tmp_path))
    assert packed == []
    command.package(Settings(data_dir=tmp_path, models=str(tmp_path / "store")))
    assert packed
