"""What can go wrong in words a user can act on. The command line prints these without a traceback.

PipelineError
├── SettingsError      a make variable or environment variable that does not fit
├── BadInput           a file or a mapping that cannot be used as it is
├── TooLittleData      not enough history or customers to train a model
├── DbtFailed          a dbt node failed or was skipped
├── ModelRefused       a model file that does not fit the features, the horizon or its own card
├── PackageFailed      a deployment package that cannot be built
├── WarehouseRefused   Snowflake does not do what was asked: a key, a grant, a missing object, a limit
└── TryAgain           what fails now may well succeed in a moment
    ├── WarehouseBusy        another process holds the laptop's warehouse
    └── WarehouseUnreachable Snowflake did not answer, or broke off
"""


class PipelineError(Exception):
    """A failure whose message says what is wrong, where, and what to do."""


class SettingsError(PipelineError):
    pass


class BadInput(PipelineError):
    pass


class TooLittleData(PipelineError):
    pass


class DbtFailed(PipelineError):
    pass


class ModelRefused(PipelineError):
    pass


class PackageFailed(PipelineError):
    pass


class WarehouseRefused(PipelineError):
    pass


class TryAgain(PipelineError):
    pass


class WarehouseBusy(TryAgain):
    pass


class WarehouseUnreachable(TryAgain):
    pass
