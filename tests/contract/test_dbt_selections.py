"""What a run builds it selects by folders, so that a new model is built without a line in Python."""

from flows.settings import REPOSITORY
from flows.steps import building

SELECTIONS = (building.STAGING, building.FEATURES, building.TRAINING, building.SCORES)


def test_every_model_and_seed_is_built_by_exactly_one_of_the_builds():
    project = REPOSITORY / "dbt_project"
    folders = [project / selected.removeprefix("path:") for selection in SELECTIONS for selected in selection]
    files = [*project.glob("models/**/*.sql"), *project.glob("seeds/*.csv")]
    built_by = {file.stem: [folder for folder in folders if file.is_relative_to(folder)] for file in files}
    assert {name: places for name, places in built_by.items() if len(places) != 1} == {}
    assert all(any(file.is_relative_to(folder) for file in files) for folder in folders)
