"""What changed in a week: written to files, and sent to those who are to know."""

import json
import logging
from collections.abc import Callable, Iterator, Mapping
from pathlib import Path

from flows.adapters.digest.contents import Digest, read_digest
from flows.adapters.digest.forms import as_email, as_page, as_slack, as_teams, as_text
from flows.adapters.digest.picture import picture
from flows.adapters.digest.sending import post, send_email
from flows.adapters.digest.wording import Language, Letter, letter
from flows.adapters.marts.told import remember, untold
from flows.adapters.prefect.secret_block import read_secret_block
from flows.console.amounts import sign_of
from flows.errors import BadInput, PipelineError, SettingsError
from flows.orchestration import alert, task
from flows.ports.warehouse import Warehouse
from flows.settings import DigestSettings, Settings, read_settings
from flows.settings.digest import WEEKDAYS
from flows.wiring import wire
from functions.clock import now

log = logging.getLogger(__name__)

LANGUAGES: tuple[Language, ...] = ("en", "fr")
_SECRETS = ("smtp_password", "slack_url", "teams_url")


def write_digest(settings: Settings) -> list[Path]:
    """Writes the digest of the last run as e-mail and messages, in both languages; returns the files.

    Raises:
        BadInput: when there is no earlier run to compare with.
    """
    digest = read_digest(wire(settings).warehouse)
    folder, written = settings.digest_folder, []
    folder.mkdir(parents=True, exist_ok=True)
    for language in LANGUAGES:
        text = _letter(digest, language, settings)
        forms = {
            "html": as_page(text, picture(digest, language)),
            "txt": as_text(text),
            "slack.json": json.dumps(as_slack(text), ensure_ascii=False, indent=2),
            "teams.json": json.dumps(as_teams(text), ensure_ascii=False, indent=2),
        }
        for ending, content in forms.items():
            file = folder / f"{language}.{ending}"
            file.write_text(content, encoding="utf-8")
            written.append(file)
    return written


def send_digest(settings: Settings) -> list[str]:
    """Sends the digest of the last run to all receivers, whatever day it is; returns who has it.

    Raises:
        SettingsError: when there is no receiver, or what it takes to reach one is missing.
        DigestRefused, DigestUnreachable: of the first receiver that did not take it, when all were tried.
    """
    receivers = _receivers(read_settings(DigestSettings))
    if not receivers:
        raise SettingsError("Nobody is to get the digest: set DIGEST_TO, DIGEST_SLACK_URL or DIGEST_TEAMS_URL.")
    problems, have_it = _send(wire(settings).warehouse, settings, receivers)
    if problems:
        raise problems[0]
    return have_it


def send_weekly_digest(settings: Settings) -> None:
    """On its weekday, sends the digest to those who have not got this week's. What goes wrong is an alert: the run has
    done its work, and to repeat it would help nobody."""
    started_at = now()
    digest_settings = read_settings(DigestSettings)
    digest_settings.refuse_half()  # every day, and not on its weekday alone
    if WEEKDAYS[started_at.weekday()] != digest_settings.weekday:
        return
    receivers = _receivers(digest_settings)
    if not receivers:
        return
    warehouse = wire(settings).warehouse
    week = f"{started_at:%G-W%V}"
    keys = {f"digest {week} {name}": name for name in receivers}
    missing = {keys[key]: receivers[keys[key]] for key in untold(warehouse, list(keys))}
    if not missing:
        return
    try:
        problems, have_it = _send(warehouse, settings, missing)
    except BadInput as problem:  # the first run of a shop has nothing to compare with
        log.info("no digest: %s", problem)
        return
    remember(warehouse, [key for key, name in keys.items() if name in have_it], started_at)
    alert("digest", [str(problem) for problem in problems])


Send = Callable[[Letter, bytes], None]


def _send(
    warehouse: Warehouse, settings: Settings, receivers: Mapping[str, Send]
) -> tuple[list[PipelineError], list[str]]:
    digest = read_digest(warehouse)
    language: Language = read_settings(DigestSettings).language
    text, image = _letter(digest, language, settings), picture(digest, language)
    problems: list[PipelineError] = []
    have_it = []
    for name, send in receivers.items():
        try:
            _deliver(name, send, text, image)
            have_it.append(name)
        except PipelineError as problem:
            problems.append(problem)
    return problems, have_it


@task(run_name="digest by {name}")  # not again: who did not respond may have taken it
def _deliver(name: str, send: Send, text: Letter, image: bytes) -> None:
    send(text, image)
    log.info("the digest is sent by %s", name)


def _letter(digest: Digest, language: Language, settings: Settings) -> Letter:
    return letter(digest, language, settings.page_link, sign_of(digest.currency))


def _receivers(settings: DigestSettings) -> dict[str, Send]:
    """Who is to get it, by name."""
    settings.refuse_half()
    secrets = _secrets(settings)

    def by_email(text: Letter, image: bytes) -> None:
        assert settings.sender is not None  # refuse_half
        send_email(settings, secrets.get("smtp_password"), as_email(text, image, settings.sender, settings.recipients))

    def to(name: str, form: Callable[[Letter], dict[str, object]]) -> Send:
        return lambda text, _: post(name, secrets[f"{name.lower()}_url"], form(text))

    found: dict[str, Send] = {"e-mail": by_email} if settings.to else {}
    return found | {name: to(name, form) for name, form in _FORMS.items() if f"{name.lower()}_url" in secrets}


_FORMS: Mapping[str, Callable[[Letter], dict[str, object]]] = {"Slack": as_slack, "Teams": as_teams}


def _secrets(settings: DigestSettings) -> dict[str, str]:
    if settings.block:
        held = read_secret_block("DIGEST_BLOCK", settings.block)
        if not isinstance(held, dict) or set(held) - set(_SECRETS):
            raise SettingsError(f"DIGEST_BLOCK={settings.block}: the block may hold {', '.join(_SECRETS)} and no more.")
        return {name: str(value) for name, value in held.items()}
    return dict(_given(settings))


def _given(settings: DigestSettings) -> Iterator[tuple[str, str]]:
    for name in _SECRETS:
        if (value := getattr(settings, name)) is not None:
            yield name, value.get_secret_value()
