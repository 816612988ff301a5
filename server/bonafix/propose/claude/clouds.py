"""The clouds that offer Claude: what each needs, and how settings become variables.

Pure but for a look at what is installed. Nothing here imports the SDK, so that what a
cloud lacks is said before any work is done, and by `bonafix doctor`.
"""

from __future__ import annotations

import importlib.util
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path

from bonafix.config import SERVICES, Config
from bonafix.propose.claude import models

SERVICE = "BONAFIX_SERVICE"
"""The variable that names a cloud: its own credentials are used, not the API's."""
_OWN = "anthropic"
_BEARER = "AWS_BEARER_TOKEN_BEDROCK"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cloud:
    """What one cloud's client needs; variables are named, the preferred one first."""

    name: str
    package: str = ""  # that must be importable
    keys: tuple[str, ...] = ()  # with one of these in a variable it need not be
    endpoint: str  # the variable that names another endpoint
    region: tuple[str, ...] = ()
    project: tuple[str, ...] = ()
    secret: str = ""  # a key that it cannot do without
    placed: bool = False  # region and project are in every request, at any endpoint
    errors: str = ""  # `module:name`, what its sign-in raises besides the SDK's own
    prefix: str = ""  # of its names for models
    check: str  # what to look at where it does not let anybody in


CLOUDS: Mapping[str, Cloud] = {
    "bedrock": Cloud(
        name="bedrock",
        package="boto3",
        keys=(_BEARER, "ANTHROPIC_AWS_API_KEY"),
        endpoint="ANTHROPIC_BEDROCK_MANTLE_BASE_URL",
        region=("AWS_REGION", "AWS_DEFAULT_REGION"),
        placed=True,
        errors="botocore.exceptions:BotoCoreError",
        prefix="anthropic.",
        check="AWS_REGION, the AWS credentials or profile, and that the account may "
        "use the model",
    ),
    "vertex": Cloud(
        name="vertex",
        package="google.auth",
        endpoint="ANTHROPIC_VERTEX_BASE_URL",
        region=("CLOUD_ML_REGION",),
        project=("ANTHROPIC_VERTEX_PROJECT_ID", "GOOGLE_CLOUD_PROJECT"),
        placed=True,
        errors="google.auth.exceptions:GoogleAuthError",
        check="CLOUD_ML_REGION, ANTHROPIC_VERTEX_PROJECT_ID and the Google credentials "
        "(gcloud auth application-default login)",
    ),
    "foundry": Cloud(
        name="foundry",
        endpoint="ANTHROPIC_FOUNDRY_BASE_URL",
        project=("ANTHROPIC_FOUNDRY_RESOURCE",),
        secret="ANTHROPIC_FOUNDRY_API_KEY",  # noqa: S106 - the name of a variable
        check="ANTHROPIC_FOUNDRY_API_KEY and ANTHROPIC_FOUNDRY_RESOURCE",
    ),
}


def cloud_of(environment: Mapping[str, str]) -> Cloud | None:
    """The cloud that is asked for; `None` for the API itself, or an unknown name."""
    return CLOUDS.get(environment.get(SERVICE, ""))


def is_cloud(environment: Mapping[str, str]) -> bool:
    """Whether something else than the API itself is asked for."""
    return environment.get(SERVICE, "") not in {"", _OWN}


def addressed(
    config: Config, environment: Mapping[str, str]
) -> tuple[Config, dict[str, str]]:
    """Settings laid over the variables, and the model by its name in that cloud.

    Both say the same to whoever reads them then: the worker's SDK reads variables.
    """
    environ = dict(environment)
    if config.service:
        environ[SERVICE] = config.service
    cloud = cloud_of(environ)
    if cloud is None:
        return config, environ
    for names, value in (
        (cloud.region, config.service_region),
        (cloud.project, config.service_project),
    ):
        if names and value:
            environ[names[0]] = value
    return replace(config, model=_named(cloud, config.model)), environ


def _named(cloud: Cloud, model: str) -> str:
    name = models.lookup(model).id
    known = name.startswith("claude-")
    return f"{cloud.prefix}{name}" if known else model


def lacking(environment: Mapping[str, str], base_url: str = "") -> str:
    """What the cloud that is asked for cannot do without, and how to get it, or ""."""
    name, cloud = environment.get(SERVICE, ""), cloud_of(environment)
    if cloud is None:
        known = name in {"", *SERVICES}
        return "" if known else f"{SERVICE} must be one of {', '.join(SERVICES)}"
    if cloud.secret and not environment.get(cloud.secret):
        return f"{name} needs a key: set {cloud.secret}"
    signs = cloud.package and not value_of(environment, cloud.keys)
    if signs and not _is_installed(cloud.package):
        missing = f"{name} needs a package that is not installed"
        return f"{missing}: pip install 'bonafix[{name}]'"
    elsewhere = base_url or environment.get(cloud.endpoint)
    if elsewhere and not (cloud.placed and signs):
        return ""
    return _unplaced(cloud, environment)


def _unplaced(cloud: Cloud, environment: Mapping[str, str]) -> str:
    """Which of region and project nobody has named, or ""."""
    for what, names, setting in (
        ("a region", cloud.region, "service_region"),
        ("a project or resource", cloud.project, "service_project"),
    ):
        if not names or value_of(environment, names):
            continue
        if names is cloud.region and _has_profile(cloud, environment):
            continue
        return (
            f"{cloud.name} needs {what}: set {names[0]}, or {setting} in your settings"
        )
    return ""


def value_of(environment: Mapping[str, str], names: tuple[str, ...]) -> str:
    """What the first of the variables says that is set, or ""."""
    return next((environment[name] for name in names if environment.get(name)), "")


def _has_profile(cloud: Cloud, environment: Mapping[str, str]) -> bool:
    """Whether a region may be in the user's AWS settings, which only boto3 reads."""
    if cloud.name != "bedrock":
        return False
    home = environment.get("HOME") or str(Path.home())
    given = environment.get("AWS_CONFIG_FILE")
    return Path(given or Path(home) / ".aws" / "config").is_file()


def _is_installed(package: str) -> bool:
    try:
        return importlib.util.find_spec(package) is not None
    except ModuleNotFoundError:  # of the package around it
        return False
