"""What can go wrong in words a user can act on. The command line prints these without a traceback.

PipelineError
├── SettingsError      a make variable or environment variable that does not fit
├── BadInput           a file or a mapping that cannot be used as it is
├── TooLittleData      not enough history or customers to train a model
├── DbtFailed          a dbt node failed or was skipped
├── ModelRefused       a model file that does not fit the features, the horizon or its own card
├── PackageFailed      a deployment package that cannot be built
├── WarehouseRefused   Snowflake does not do what was asked: a key, a grant, a missing object, a limit
├── AirbyteRefused     Airbyte's server does not do what was asked: credentials, a right, an address
├── TableauRefused     Tableau does not do what was asked: a token, a right, a project, a version, a size
├── HubSpotRefused     HubSpot does not do what was asked: a token, a scope, a property, a list of somebody else
├── PublishFailed      what was published did not arrive, or not as it was sent
├── SyncFailed         (in flows/ports/syncs.py) a source could not be read, or a sync did not end in time
└── TryAgain           what fails now may well succeed in a moment
    ├── WarehouseBusy        another process holds the laptop's warehouse
    ├── WarehouseUnreachable Snowflake did not answer, or broke off
    ├── AirbyteUnreachable   Airbyte's server did not answer, or not in a way that says what it did
    ├── TableauUnreachable   Tableau did not answer, was busy, or not in a way that says what it did
    └── HubSpotUnreachable   HubSpot did not answer, was busy, or not in a way that says what it did
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


class ServerRefused(PipelineError):
    """`status_code` and `said`: of the server's answer; None and nothing if it is we who do not go on."""

    def __init__(self, message: str, status_code: int | None = None, said: str = "") -> None:
        super().__init__(message)
        self.status_code, self.said = status_code, said


class AirbyteRefused(ServerRefused):
    pass


class TableauRefused(ServerRefused):
    pass


class HubSpotRefused(ServerRefused):
    pass


class PublishFailed(PipelineError):
    pass


class TryAgain(PipelineError):
    pass


class WarehouseBusy(TryAgain):
    pass


class WarehouseUnreachable(TryAgain):
    pass


class ServerUnreachable(TryAgain):
    """`retry_after_seconds`: how long the server asks to be left alone, if it does."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class AirbyteUnreachable(ServerUnreachable):
    pass


class TableauUnreachable(ServerUnreachable):
    pass


class HubSpotUnreachable(ServerUnreachable):
    pass
