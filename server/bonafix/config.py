"""Settings: user file, `[tool.bonafix]`, editor, command line in; one `Config` out.

The project is not trusted to configure its own judge: from `[tool.bonafix]` only
`PROJECT_KEYS` are taken, and anything else there is an error, not ignored.
"""

from __future__ import annotations

import dataclasses
import os
import typing
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from bonafix.errors import ConfigurationError

Engine = Literal["auto", "claude", "search"]
Confine = Literal["require", "prefer", "off"]
RunWhen = Literal["on-save", "on-open", "manual"]
Service = Literal["", "anthropic", "bedrock", "vertex", "foundry"]

SERVICES = ("anthropic", "bedrock", "vertex", "foundry")
EFFORTS = ("off", "low", "medium", "high", "xhigh", "max")


@dataclass(frozen=True, slots=True, kw_only=True)
class Config:
    """All settings, with their defaults. Money in USD, times in seconds."""

    # who proposes
    engine: Engine = "auto"
    model: str = ""  # "" = the default of the shipped model table
    thinking: str = "medium"  # one of EFFORTS, or a number of tokens
    candidates: int = 1
    fan: int = 1  # conversations at a time
    max_cost: float = 1.0  # per run of the command, per job in an editor
    max_tokens: int = 400_000  # of all requests together, input and output
    failure_cost: float = 0.0  # of it, per failure; 0 = all that is left
    failure_tokens: int = 0  # of them, per failure; 0 = all that are left
    timeout: float = 300.0  # per failure, from first proposal to verdict
    batch_timeout: float = 3600.0  # for all failures of a run together
    batch_candidates: int = 50  # conversations for all failures of a run together
    search_seconds: float = 20.0
    review: Literal["auto", "off"] = "auto"  # whether a model also reads patches
    service: Service = ""  # who offers the model; "" = BONAFIX_SERVICE, or the API
    service_region: str = ""  # of a cloud; "" = its own variables
    service_project: str = ""  # Google's project, or Foundry's resource; "" likewise
    base_url: str = ""  # "" = the SDK's own default and environment
    exclude: tuple[str, ...] = ()  # globs never sent to a model
    # how tests run
    interpreter: str = ""  # "" = found; an absolute path otherwise
    confine: Confine = "require"
    suite_timeout: float = 900.0
    test_timeout: float = 60.0
    memory: int = 4 * 1024**3  # bytes a test process may map
    carry: tuple[str, ...] = ()  # globs of ignored files to copy all the same
    environment: tuple[str, ...] = ()  # names of variables handed to tests
    cache: bool = True  # whether a baseline is kept for the next fix of the same code
    # what a fix may touch
    packages: tuple[str, ...] = ()  # package roots; () = found
    tests: tuple[str, ...] = ()  # extra globs that count as tests
    allow: tuple[str, ...] = ()  # extra globs that a fix may touch
    new_files: bool = False
    # how it is delivered
    accept: Literal["verified", "plausible"] = "verified"
    run: RunWhen = "on-save"
    trust: bool = False  # the language server may run this root's tests


PROJECT_KEYS = frozenset(
    {"carry", "exclude", "packages", "run", "suite_timeout", "test_timeout", "tests"}
)


def load(
    root: Path, *, overrides: Mapping[str, object] | None = None, user: bool = True
) -> Config:
    """Lay the sources over the defaults, weakest first.

    Order: user file, project file, `overrides` (editor or command line; `None`
    values count as absent).

    Raises:
        ConfigurationError: a file cannot be parsed, or a key or value is wrong.
    """
    config = Config()
    if user:
        path = user_file()
        config = merge(config, _read(path), source=str(path))
    project = root / "pyproject.toml"
    table = _read(project)
    tool = table.get("tool", {})
    own = tool.get("bonafix", {}) if isinstance(tool, dict) else {}
    if not isinstance(own, dict):
        raise ConfigurationError("pyproject.toml: [tool.bonafix] must be a table")
    _refuse_foreign(own)
    config = merge(config, own, source="pyproject.toml [tool.bonafix]")
    given = {k: v for k, v in (overrides or {}).items() if v is not None}
    return merge(config, given, source="settings")


def user_file() -> Path:
    """Where the user's own settings live, whether or not the file exists."""
    override = os.environ.get("BONAFIX_CONFIG")
    if override:
        return Path(override)
    import platformdirs  # noqa: PLC0415 - the server says hello without it

    return platformdirs.user_config_path("bonafix") / "config.toml"


def state_dir() -> Path:
    """Where receipts and trust decisions are kept: never in the repository."""
    override = os.environ.get("BONAFIX_STATE_DIR")
    if override:
        return Path(override)
    import platformdirs  # noqa: PLC0415 - as above

    return platformdirs.user_state_path("bonafix")


def merge(config: Config, values: Mapping[str, object], *, source: str) -> Config:
    """`config` with `values` laid over it; keys may be written with `-` or `_`.

    What one source keeps from being sent no other one can give free: `exclude` grows.
    """
    known = {field.name for field in dataclasses.fields(Config)}
    hints = typing.get_type_hints(Config)
    clean: dict[str, object] = {}
    for key, value in values.items():
        name = key.replace("-", "_")
        if name not in known:
            hint = _nearest(name, known)
            raise ConfigurationError(f"{source}: unknown setting {key!r}{hint}")
        clean[name] = _coerce(value, hints[name], f"{source}: {key}")
    if isinstance(more := clean.get("exclude"), tuple):
        clean["exclude"] = tuple(dict.fromkeys((*config.exclude, *more)))
    merged = dataclasses.replace(config, **clean)  # type: ignore[arg-type]  # coerced
    _check(merged, source)
    return merged


def _refuse_foreign(table: Mapping[str, object]) -> None:
    for key in table:
        if key.replace("-", "_") not in PROJECT_KEYS:
            allowed = ", ".join(sorted(PROJECT_KEYS))
            raise ConfigurationError(
                f"pyproject.toml: [tool.bonafix] must not set {key!r}: a project "
                f"cannot configure its own judge. It may set {allowed}; anything "
                f"else belongs in {user_file().name} of your user settings, in the "
                "editor, or on the command line."
            )


def _read(path: Path) -> dict[str, object]:
    import tomllib  # noqa: PLC0415 - as above

    try:
        with path.open("rb") as file:
            return tomllib.load(file)
    except FileNotFoundError:
        return {}
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path.name} is not valid TOML: {error}") from error
    except OSError as error:
        raise ConfigurationError(
            f"{path.name} cannot be read: {error.strerror}"
        ) from error


def _coerce(value: object, hint: object, where: str) -> object:
    origin = typing.get_origin(hint)
    if origin is Literal:
        choices = typing.get_args(hint)
        if value not in choices:
            named = ", ".join(filter(None, choices))
            raise ConfigurationError(f"{where} must be one of {named}, not {value!r}")
        return value
    if origin is tuple:
        if isinstance(value, str) or not isinstance(value, list | tuple):
            raise ConfigurationError(f"{where} must be a list of strings")
        if not all(isinstance(item, str) for item in value):
            raise ConfigurationError(f"{where} must be a list of strings")
        return tuple(value)
    return _scalar(value, hint, where)


def _scalar(value: object, hint: object, where: str) -> object:
    assert isinstance(hint, type)
    if hint is str and isinstance(value, int) and not isinstance(value, bool):
        return str(value)  # thinking = 8000
    if hint is float and isinstance(value, int) and not isinstance(value, bool):
        return float(value)
    if isinstance(value, bool) != (hint is bool) or not isinstance(value, hint):
        name = getattr(hint, "__name__", str(hint))
        raise ConfigurationError(f"{where} must be of type {name}, not {value!r}")
    return value


def _check(config: Config, source: str) -> None:
    thinking = config.thinking
    if thinking not in EFFORTS and not (thinking.isdigit() and int(thinking) > 0):
        raise ConfigurationError(
            f"{source}: thinking must be one of {', '.join(EFFORTS)}, or a number "
            f"of tokens, not {thinking!r}"
        )
    positive = (
        "candidates",
        "fan",
        "timeout",
        "batch_timeout",
        "batch_candidates",
        "suite_timeout",
        "test_timeout",
        "memory",
    )
    for name in positive:
        if not getattr(config, name) > 0:
            raise ConfigurationError(f"{source}: {name} must be greater than zero")
    for name in ("max_cost", "failure_cost", "max_tokens", "failure_tokens"):
        if getattr(config, name) < 0:
            raise ConfigurationError(f"{source}: {name} must not be negative")


def _nearest(name: str, known: set[str]) -> str:
    import difflib  # noqa: PLC0415 - only on the way to an error

    near = difflib.get_close_matches(name, known, n=1)
    return f"; did you mean {near[0]!r}?" if near else ""
