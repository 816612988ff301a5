"""What stands between the user and the model: for `bonafix doctor`, and who may ask."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bonafix.config import Config
from bonafix.propose.claude import clouds, credentials, learning, models
from bonafix.propose.claude.credentials import Credential
from bonafix.propose.claude.models import Model


@dataclass(frozen=True, slots=True, kw_only=True)
class Status:
    """What was found, without asking anybody."""

    credential: str  # its kind and where it was found, never its value; "" for none
    problem: str  # why it cannot be used and what to do, "" where it may be
    model: str  # which one would be asked, and in what form
    tables: str  # how old what is known of models and prices is
    unknown: str  # what is not known of the model, "" where all is


def credential(config: Config, environment: Mapping[str, str]) -> Credential | None:
    """The credential that these settings would use, if there is one."""
    return credentials.find(clouds.addressed(config, environment)[1])


def status(config: Config, environment: Mapping[str, str]) -> Status:
    """Look at the settings, the environment and the shipped tables."""
    config, environ = clouds.addressed(config, environment)
    found = credentials.find(environ)
    endpoint = learning.endpoint_of(config.base_url, environ)
    model = learning.recall(endpoint, config.model)
    form = models.form(model, config.thinking)
    return Status(
        credential=f"{found.kind} from {found.source}" if found else "",
        problem=credentials.problem(environ, config.base_url),
        model=f"{model.id}, thinking {form.label}",
        tables=f"what models take is known as of {models.table_date()}, "
        f"prices as of {models.price_date()}",
        unknown=_unknown(model),
    )


def _unknown(model: Model) -> str:
    if model.retires:
        return f"{model.id} retires on {model.retires}: choose another with --model"
    if model.price is None:
        return (
            f"no price of {model.id} is known: money cannot be capped, only tokens "
            "(max_tokens)"
        )
    return ""
