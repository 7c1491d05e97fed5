"""Defaults for the options from a TOML file: keys are long option names without their dashes.

    max-connections = 16
    header = ["Accept-Language: en"]

The command line and the environment win over it. What makes a run unsafe is never taken from a file (S10).
"""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Any, Final

import click

from penstock.cli.types import byte_count, byte_rate, seconds

#: A longer file is a mistake.
MAX_BYTES: Final = 1024 * 1024
_NEVER: Final = frozenset({"config", "no_config", "help", "dry_run"})
_LOADED: Final = "penstock.config"


def choose_config(ctx: click.Context, param: click.Parameter, value: Path | None) -> None:
    """The callback of ``--config``: make the file's values the defaults of `ctx`'s command."""
    if ctx.resilient_parsing:  # a shell asks what could stand here: nothing is carried out
        return
    if ctx.meta.get(_LOADED) is False:
        _only_one(ctx) if value is not None else None
        return
    path = value if value is not None else default_path()
    if value is None and not path.is_file():
        return
    ctx.meta[_LOADED] = True
    ctx.default_map = read_config(path, ctx)


def refuse_config(ctx: click.Context, param: click.Parameter, value: bool) -> None:
    """The callback of ``--no-config``."""
    if not value:
        return
    if ctx.meta.get(_LOADED):
        _only_one(ctx)
    ctx.meta[_LOADED] = False


def default_path() -> Path:
    """Where the file is looked for: ``config.toml`` in the platform's configuration directory."""
    from platformdirs import user_config_path

    return user_config_path("penstock", appauthor=False) / "config.toml"


def read_config(path: Path, ctx: click.Context) -> dict[str, Any]:
    """Default values by parameter name; raises click.UsageError naming the file and the key."""
    options = _by_key(ctx.command.params)
    values = {}
    for key, value in _parse(path, ctx).items():
        option = options.get(key)
        if option is None or option.name is None or option.name in _NEVER:
            raise click.UsageError(f"{path}: {key}: unknown key; {_near(key, options)}", ctx)
        if option.name == "insecure":
            raise click.UsageError(f"{path}: insecure: not allowed in a file; give --insecure each time", ctx)
        if option.name == "user":
            raise click.UsageError(f"{path}: user: not allowed in a file; use PENSTOCK_USER or --netrc", ctx)
        values[option.name] = _checked(value, option, f"{path}: {key}", ctx)
    return values


def _near(key: str, options: Iterable[str]) -> str:
    from difflib import get_close_matches  # only after a mistake

    near = next(iter(get_close_matches(key, options, n=1)), None)
    return f"did you mean {near}?" if near is not None else "keys are the long names of options"


def _only_one(ctx: click.Context) -> None:
    raise click.UsageError("--config and --no-config exclude each other", ctx)


def _by_key(params: Iterable[click.Parameter]) -> dict[str, click.Option]:
    return {
        name.removeprefix("--"): param
        for param in params
        if isinstance(param, click.Option)
        for name in param.opts
        if name.startswith("--")
    }


def _parse(path: Path, ctx: click.Context) -> dict[str, Any]:
    import tomllib

    try:
        with path.open("rb") as file:
            content = file.read(MAX_BYTES + 1)
        if len(content) > MAX_BYTES:
            raise click.UsageError(f"{path}: larger than {MAX_BYTES} bytes", ctx)
        return tomllib.loads(content.decode())
    except OSError as error:
        raise click.UsageError(
            f"{path}: {error.strerror}; name a configuration file, or give --no-config", ctx
        ) from error
    except (ValueError, RecursionError) as error:  # TOML's and UTF-8's errors both; nesting
        raise click.UsageError(f"{path}: not TOML: {error}", ctx) from error


def _checked(value: Any, option: click.Option, where: str, ctx: click.Context) -> Any:
    kinds, named = _expected(option)
    parts = value if option.multiple and isinstance(value, list) else [value]
    # bool is an int to Python, not to a person
    fits = all(isinstance(part, kinds) and (bool in kinds or not isinstance(part, bool)) for part in parts)
    if not fits or option.multiple != isinstance(value, list):
        raise click.UsageError(f"{where}: must be {named}", ctx)
    try:
        if isinstance(option.type, click.Path):
            value = os.path.expanduser(value)
        option.type_cast_value(ctx, value)
    except click.BadParameter as error:
        raise click.UsageError(f"{where}: {error.message}", ctx) from error
    except (ValueError, OverflowError) as error:  # a path with NUL in it, an integer beyond every float
        raise click.UsageError(f"{where}: {error}", ctx) from error
    return value


def _expected(option: click.Option) -> tuple[tuple[type, ...], str]:
    """The TOML types that fit `option`, and their name."""
    if option.multiple:
        return (str,), "a list of strings"
    if option.is_flag:
        return (bool,), "true or false"
    if option.count or isinstance(option.type, click.IntRange):
        return (int,), "a whole number"
    parse = getattr(option.type, "func", None)
    if parse is seconds:
        return (int, float), "a number of seconds"
    if parse in {byte_count, byte_rate}:
        return (int, str), 'a number of bytes or a string such as "2M"'
    return (str,), "a string"
