"""The proxy that the environment names, as libcurl reads it. Knows nothing of libcurl itself."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

#: The variables that are read, the first one set counts. Of HTTP_PROXY only the lower case does: in a CGI program the
#: other is a client's header (httpoxy, S23).
VARIABLES: Final = {
    "http": ("http_proxy", "all_proxy", "ALL_PROXY"),
    "https": ("https_proxy", "HTTPS_PROXY", "all_proxy", "ALL_PROXY"),
}
SCHEMES: Final = ("http", "https", "socks4", "socks4a", "socks5", "socks5h")


def named_proxy(scheme: str, environment: Mapping[str, str]) -> tuple[str, str]:
    """The variable that names the proxy for URLs of `scheme`, and its value; both empty when none does."""
    return next(((name, value) for name in VARIABLES[scheme] if (value := environment.get(name))), ("", ""))


def is_supported(proxy: str) -> bool:
    """True for the URL of a proxy of a kind that we speak; without a scheme it is an http proxy."""
    return "://" not in proxy or proxy.partition("://")[0].lower() in SCHEMES
