"""Set an easy handle up for one exchange: the only place that knows libcurl's options."""

from __future__ import annotations

import functools
import itertools
import os
import socket
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import pycurl

from penstock._version import __version__
from penstock.core.addresses import is_public
from penstock.core.secrets import harmless
from penstock.core.urls import identity, origin, strip_userinfo, userinfo
from penstock.model import Options
from penstock.net.proxies import named_proxy

USER_AGENT: Final = f"penstock/{__version__}"
#: Bytes libcurl reads at a time. Larger ones cost fewer system calls; beyond this nothing more was gained.
_BUFFER_BYTES: Final = 128 * 1024
#: Options that pycurl has no names for (curl.h).
_SUPPRESS_CONNECT_HEADERS: Final = 265
_HAPPY_EYEBALLS_TIMEOUT_MS: Final = 271
#: A dead IPv6 address costs this much before IPv4 is tried beside it (RFC 8305 §5 recommends 250).
_HAPPY_EYEBALLS_MS: Final = 200
_KEEPALIVE_SECONDS: Final = 60
_HTTPS_PORT: Final = 443
#: Bytes of .netrc that are looked at for a redirect.
_MAX_NETRC: Final = 1024 * 1024

_HTTP_VERSIONS: Final = {
    "1.0": pycurl.CURL_HTTP_VERSION_1_0,
    "1.1": pycurl.CURL_HTTP_VERSION_1_1,
    "2": pycurl.CURL_HTTP_VERSION_2TLS,
    "3": pycurl.CURL_HTTP_VERSION_3,
}
_MULTIPLEXING: Final = frozenset({"2", "3"})
_FAMILIES: Final = {4: pycurl.IPRESOLVE_V4, 6: pycurl.IPRESOLVE_V6}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One request to make. `asked_url` is the source it serves: credentials go to that origin and to no other."""

    url: str = field(repr=False)
    asked_url: str = field(repr=False)
    options: Options
    #: Value of the Range header, or None to ask for the whole.
    range: str | None = None
    #: Value of the If-Range header.
    if_range: str | None = None
    #: Undo a content coding that the server applied unasked.
    decode: bool = False
    #: It may share a connection with others, where the protocol has streams (HTTP/2, HTTP/3).
    may_share: bool = False


def aim(curl: Any, url: str) -> None:
    """Set what differs between exchanges that are otherwise the same."""
    curl.setopt(pycurl.URL, url if "@" not in url else strip_userinfo(url))


def configure(curl: Any, exchange: Exchange) -> None:
    """Set every option of a clean handle, but for the URL."""
    options = exchange.options
    curl.setopt(pycurl.NOSIGNAL, 1)
    curl.setopt(pycurl.PROTOCOLS, pycurl.PROTO_HTTP | pycurl.PROTO_HTTPS)
    curl.setopt(pycurl.FOLLOWLOCATION, 0)
    curl.setopt(_SUPPRESS_CONNECT_HEADERS, 1)
    curl.setopt(_HAPPY_EYEBALLS_TIMEOUT_MS, _HAPPY_EYEBALLS_MS)
    curl.setopt(pycurl.BUFFERSIZE, _BUFFER_BYTES)
    curl.setopt(pycurl.TCP_KEEPALIVE, 1)
    curl.setopt(pycurl.TCP_KEEPIDLE, _KEEPALIVE_SECONDS)
    curl.setopt(pycurl.CONNECTTIMEOUT_MS, max(1, int(options.connect_timeout * 1000)))
    curl.setopt(pycurl.HTTP_VERSION, _HTTP_VERSIONS[options.http_version])
    curl.setopt(pycurl.USERAGENT, USER_AGENT if options.user_agent is None else options.user_agent)
    if options.http_version in _MULTIPLEXING:
        if exchange.may_share:
            curl.setopt(pycurl.PIPEWAIT, 1)
        else:  # on one connection segments would share a window and a fate
            curl.setopt(pycurl.FRESH_CONNECT, 1)
    if options.ip_version is not None:
        curl.setopt(pycurl.IPRESOLVE, _FAMILIES[options.ip_version])
    if options.referer is not None:
        curl.setopt(pycurl.REFERER, identity(options.referer))  # RFC 9110 §10.1.3
    if options.public_only:
        _guard(curl, exchange)
    elif options.proxy is not None:
        curl.setopt(pycurl.PROXY, options.proxy)
    if exchange.decode:
        curl.setopt(pycurl.ACCEPT_ENCODING, "")
    _trust(curl, exchange)
    _identify(curl, exchange)
    curl.setopt(pycurl.HTTPHEADER, _headers(exchange))


def _trust(curl: Any, exchange: Exchange) -> None:
    options = exchange.options
    if not exchange.url.startswith("https:") and not _proxy(exchange):
        return
    authorities = str(options.ca_file) if options.ca_file is not None else _bundled_authorities()
    curl.setopt(pycurl.CAINFO, authorities)
    curl.setopt(pycurl.PROXY_CAINFO, authorities)
    if options.insecure:
        curl.setopt(pycurl.SSL_VERIFYPEER, 0)
        curl.setopt(pycurl.SSL_VERIFYHOST, 0)


def _guard(curl: Any, exchange: Exchange) -> None:
    """Let it connect to public addresses only. A proxy connects by itself, and may be at any address, so whether there
    is one is decided here and not left to libcurl."""
    proxy = proxy_of(exchange)
    curl.setopt(pycurl.PROXY, proxy)
    curl.setopt(pycurl.NOPROXY, "")
    if not proxy:
        curl.setopt(pycurl.OPENSOCKETFUNCTION, _open_public)


def proxy_of(exchange: Exchange) -> str:
    """The proxy that it goes by; empty when it goes straight to the server."""
    proxy = _proxy(exchange)
    return "" if proxy and _goes_direct(exchange) else proxy


def _goes_direct(exchange: Exchange) -> bool:
    """True for a host that the environment's no_proxy names."""
    from urllib import request  # only where there is a proxy: a slow import

    place = origin(exchange.url)
    # typeshed does not know `proxy_bypass_environment`, which does not ask the system as `proxy_bypass` may
    return bool(getattr(request, "proxy_bypass_environment")(f"{place.host}:{place.port}"))  # noqa: B009


def _open_public(_purpose: int, address: tuple[int, int, int, tuple[Any, ...]]) -> Any:
    """A socket for an address of the public internet, and for no other (S18): names may resolve to anything."""
    family, kind, protocol, place = address
    if not is_public(str(place[0])):
        return pycurl.SOCKET_BAD
    return socket.socket(family, kind, protocol)


def _proxy(exchange: Exchange) -> str:
    """The proxy of the options, else of the environment, as libcurl reads it; empty for none."""
    if exchange.options.proxy is not None:
        return exchange.options.proxy
    return named_proxy("https" if exchange.url.startswith("https:") else "http", os.environ)[1]


@functools.cache
def _bundled_authorities() -> str:
    import certifi  # costs a start that needs no TLS 10 ms

    return certifi.where()


def _identify(curl: Any, exchange: Exchange) -> None:
    """Credentials and cookies: to the source's own origin only (CVE-2018-1000007, CVE-2022-27774)."""
    options = exchange.options
    curl.setopt(pycurl.COOKIEFILE, "")  # cookies that servers set are kept, and sent by libcurl's rules
    if (options.netrc or options.netrc_file is not None) and (is_home(exchange) or _is_named_in_netrc(exchange)):
        curl.setopt(pycurl.NETRC, pycurl.NETRC_OPTIONAL)  # looked up by the host of this very request
        if options.netrc_file is not None:
            curl.setopt(pycurl.NETRC_FILE, str(options.netrc_file))
    if options.cookie_file is not None:
        curl.setopt(pycurl.COOKIEFILE, str(options.cookie_file))  # its own domains bind each cookie
    if not is_home(exchange):
        return
    credentials = options.credentials if options.credentials is not None else userinfo(exchange.asked_url)
    if credentials is not None:
        user, _, password = credentials.partition(":")
        curl.setopt(pycurl.USERNAME, user)
        curl.setopt(pycurl.PASSWORD, password)
        curl.setopt(pycurl.HTTPAUTH, pycurl.HTTPAUTH_BASIC)
    if options.cookies is not None:
        curl.setopt(pycurl.COOKIE, options.cookies)


def _is_named_in_netrc(exchange: Exchange) -> bool:
    """True when .netrc names the host that a redirect led to, as for a login server, and nobody else can listen: its
    ``default`` is for no host that a stranger chose, and a host's login for none but its own HTTPS port."""
    place = origin(exchange.url)
    if place.scheme != "https" or place.port != _HTTPS_PORT:
        return False
    path = exchange.options.netrc_file or Path("~/.netrc").expanduser()
    try:
        with path.open("rb") as file:
            words = file.read(_MAX_NETRC).split()
    except OSError:
        return False
    host = place.host.encode()
    return any(word == b"machine" and name.lower() == host for word, name in itertools.pairwise(words))


def is_home(exchange: Exchange) -> bool:
    """True when the request goes to the origin that the user named: scheme, host and port."""
    if exchange.url is exchange.asked_url:
        return True
    return origin(exchange.url) == origin(exchange.asked_url)


def _headers(exchange: Exchange) -> list[str]:
    lines = ["Accept-Encoding: identity"]
    if exchange.range is not None:
        lines.append(f"Range: {exchange.range}")
        if exchange.if_range is not None:
            lines.append(f"If-Range: {exchange.if_range}")
    given = exchange.options.headers
    for name, value in given if is_home(exchange) else harmless(given):
        lines.append(f"{name}: {value}" if value else f"{name};")
    return lines
