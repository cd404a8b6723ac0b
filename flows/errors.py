"""Errors with messages that a user can act on. The command line prints them without a traceback.

PipelineError
├── SettingsError      a make variable or environment variable that does not fit
├── BadInput           a file or a mapping that cannot be used as it is
├── TooLittleData      not enough history or customers to train a model
├── DbtFailed          a dbt node failed or was skipped
├── ModelRefused       a model file that does not fit the features, the horizon or its own card
├── PackageFailed      a deployment package that cannot be built
├── WarehouseRefused   Snowflake refuses: a key, a grant, a missing object, a limit
├── AirbyteRefused     Airbyte's server refuses: credentials, a right, an address
├── TableauRefused     Tableau refuses: a token, a right, a project, a version, a size
├── HubSpotRefused     HubSpot refuses: a token, a scope, a property, a list of somebody else
├── KlaviyoRefused     Klaviyo refuses: a key, a scope, a profile, a list of somebody else
├── BrevoRefused       Brevo refuses: a key, an attribute, a contact, a list of somebody else
├── MailchimpRefused   Mailchimp refuses: a key, an audience, a merge field, a segment of somebody else
├── DigestRefused      an SMTP server, Slack or Teams refuses: a login, a recipient, an address
├── PublishFailed      published content did not arrive, or not as it was sent
├── SyncFailed         (in flows/ports/syncs.py) a source could not be read, or a sync did not end in time
└── TryAgain           a failure that may succeed in a moment
    ├── WarehouseBusy        another process holds the laptop's warehouse
    ├── WarehouseUnreachable Snowflake did not respond, or broke off
    ├── AirbyteUnreachable   Airbyte's server did not respond, or its response is unclear
    ├── TableauUnreachable   Tableau did not respond, was busy, or its response is unclear
    ├── HubSpotUnreachable   HubSpot did not respond, was busy, or its response is unclear
    ├── KlaviyoUnreachable   Klaviyo did not respond, was busy, or its response is unclear
    ├── BrevoUnreachable     Brevo did not respond, was busy, or its response is unclear
    ├── MailchimpUnreachable Mailchimp did not respond, was busy, or its response is unclear
    └── DigestUnreachable    an SMTP server, Slack or Teams did not respond, or was busy
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
    """`status_code` and `response_text`: of the server's response; None and empty if the client itself stops."""

    def __init__(self, message: str, status_code: int | None = None, response_text: str = "") -> None:
        super().__init__(message)
        self.status_code, self.response_text = status_code, response_text


class AirbyteRefused(ServerRefused):
    pass


class TableauRefused(ServerRefused):
    pass


class HubSpotRefused(ServerRefused):
    pass


class KlaviyoRefused(ServerRefused):
    pass


class BrevoRefused(ServerRefused):
    pass


class MailchimpRefused(ServerRefused):
    pass


class DigestRefused(PipelineError):
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
    """`retry_after_seconds`: the pause that the server requests, if it does."""

    def __init__(self, message: str, retry_after_seconds: float | None = None) -> None:
        super().__init__(message)
        self.retry_after_seconds = retry_after_seconds


class AirbyteUnreachable(ServerUnreachable):
    pass


class TableauUnreachable(ServerUnreachable):
    pass


class HubSpotUnreachable(ServerUnreachable):
    pass


class KlaviyoUnreachable(ServerUnreachable):
    pass


class BrevoUnreachable(ServerUnreachable):
    pass


class MailchimpUnreachable(ServerUnreachable):
    pass


class DigestUnreachable(TryAgain):
    pass
