"""The way out: proxies in effect and certificates that are trusted; and the configuration, which may name both."""

from __future__ import annotations

import os
import ssl
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import click

from penstock.cli.config import default_path, read_config
from penstock.cli.doctor.facts import Configuration, Network, Proxy
from penstock.core.urls import redact
from penstock.net.proxies import VARIABLES, is_supported, named_proxy

#: Certificates that other programs would trust, and we do not.
_OTHERS_AUTHORITIES: Final = ("SSL_CERT_FILE", "CURL_CA_BUNDLE", "REQUESTS_CA_BUNDLE")
_OWN_PROXY: Final = "PENSTOCK_PROXY"


def configuration(given: Path | None) -> tuple[Configuration, dict[str, Any]]:
    """The configuration file (the usual one unless one is `given`), and its values for those who need them."""
    from penstock.cli.get import get

    path = default_path() if given is None else given
    is_there = path.is_file()
    if not is_there and given is None:
        return Configuration(path=str(path)), {}
    try:
        values = read_config(path, click.Context(get))
    except click.UsageError as error:
        return Configuration(path=str(path), is_there=is_there, error=error.message), {}
    keys = {param.name: param.opts for param in get.params}
    names = tuple(sorted(max(keys[name], key=len).removeprefix("--") for name in values))
    return Configuration(path=str(path), is_there=True, keys=names), values


def network(config: Mapping[str, Any], config_path: str, environment: Mapping[str, str] = os.environ) -> Network:
    """What a run takes, by option, variable and the values of the configuration file."""
    authorities, source = _authorities(config, config_path)
    certificates, error = _count(authorities)
    ignored = [name for name in _OTHERS_AUTHORITIES if environment.get(name)]
    if environment.get("HTTP_PROXY") and not environment.get("http_proxy"):
        ignored.insert(0, "HTTP_PROXY")
    return Network(
        proxies=tuple(_proxies(config, config_path, environment)),
        bypass=environment.get("no_proxy") or environment.get("NO_PROXY"),
        ignored=tuple(ignored),
        authorities=authorities,
        authorities_source=source,
        certificates=certificates,
        authorities_error=error,
    )


def _proxies(config: Mapping[str, Any], config_path: str, environment: Mapping[str, str]) -> list[Proxy]:
    own = environment.get(_OWN_PROXY)
    for value, source in ((own, _OWN_PROXY), (config.get("proxy"), config_path)):
        if value is not None:  # an empty one means none at all
            return [_proxy(scheme, value, source) for scheme in VARIABLES if value]
    named = {scheme: named_proxy(scheme, environment) for scheme in VARIABLES}
    return [_proxy(scheme, value, name) for scheme, (name, value) in named.items() if value]


def _proxy(scheme: str, value: str, source: str) -> Proxy:
    return Proxy(scheme=scheme, url=redact(value), source=source, is_supported=is_supported(value))


def _authorities(config: Mapping[str, Any], config_path: str) -> tuple[str, str]:
    if config.get("ca_file") is not None:
        return os.path.expanduser(str(config["ca_file"])), config_path
    try:
        import certifi
    except ImportError:
        return "", "certifi"
    return certifi.where(), "certifi"


def _count(path: str) -> tuple[int, str | None]:
    """How many certificates are in the file, and why it cannot be used."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        context.load_verify_locations(cafile=path)
    except ssl.SSLError:
        return 0, "there is no certificate in it"
    except OSError as error:
        return 0, error.strerror or str(error)
    return context.cert_store_stats()["x509_ca"], None
