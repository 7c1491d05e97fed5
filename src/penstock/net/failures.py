"""What a libcurl error means: a cause that retrying can decide on, and words for a person."""

from __future__ import annotations

import errno
import os
import re
from typing import Any, Final

import pycurl

from penstock.core.retry import Cause, Failure
from penstock.core.urls import escape, redact

_CAUSES: Final = {
    pycurl.E_COULDNT_RESOLVE_HOST: (Cause.NAME_RESOLUTION, "the host name could not be resolved"),
    pycurl.E_COULDNT_RESOLVE_PROXY: (Cause.PROXY, "the proxy's host name could not be resolved"),
    pycurl.E_COULDNT_CONNECT: (Cause.REFUSED, "could not connect"),
    pycurl.E_OPERATION_TIMEDOUT: (Cause.CONNECT_TIMEOUT, "connecting took too long"),
    pycurl.E_PARTIAL_FILE: (Cause.CUT, "the connection closed before the end"),
    pycurl.E_GOT_NOTHING: (Cause.CUT, "the server closed the connection without an answer"),
    pycurl.E_RECV_ERROR: (Cause.RESET, "the connection broke"),
    pycurl.E_SEND_ERROR: (Cause.RESET, "the connection broke while asking"),
    pycurl.E_HTTP2: (Cause.RESET, "the HTTP/2 connection broke"),
    pycurl.E_SSL_CONNECT_ERROR: (Cause.TLS_HANDSHAKE, "the TLS handshake failed"),
    pycurl.E_PEER_FAILED_VERIFICATION: (Cause.TLS_CERTIFICATE, "the server's certificate is not to be trusted"),
    pycurl.E_SSL_CACERT_BADFILE: (Cause.TLS_CERTIFICATE, "the CA certificates could not be read"),
    pycurl.E_SSL_CERTPROBLEM: (Cause.TLS_CERTIFICATE, "the client certificate cannot be used"),
    pycurl.E_SSL_ISSUER_ERROR: (Cause.TLS_CERTIFICATE, "the server's certificate has the wrong issuer"),
    pycurl.E_BAD_CONTENT_ENCODING: (Cause.BAD_RESPONSE, "the body's content coding is broken"),
    pycurl.E_WRITE_ERROR: (Cause.BAD_RESPONSE, "the answer could not be used"),
    pycurl.E_UNSUPPORTED_PROTOCOL: (Cause.BAD_RESPONSE, "the server does not speak HTTP"),
    pycurl.E_URL_MALFORMAT: (Cause.BAD_RESPONSE, "the URL is malformed"),
}
#: Numbers that older pycurl releases have no name for (curl.h).
_HTTP2_STREAM, _PROXY_HANDSHAKE, _QUIC_CONNECT, _HTTP3, _WEIRD, _TOO_LARGE = 92, 97, 96, 95, 8, 100
_LATER: Final = {
    _HTTP2_STREAM: (Cause.RESET, "the HTTP/2 stream broke"),
    _WEIRD: (Cause.BAD_RESPONSE, "the server's answer makes no sense"),
    _TOO_LARGE: (Cause.BAD_RESPONSE, "the server's answer is too large"),
    _HTTP3: (Cause.RESET, "the HTTP/3 connection broke"),
    _QUIC_CONNECT: (Cause.UNREACHABLE, "no QUIC connection"),
    _PROXY_HANDSHAKE: (Cause.PROXY, "the proxy refused"),
}
_QUOTED_PROXY: Final = re.compile(r"(?s)(?i:(proxy[^'\"]*?)) (?:in|for) ['\"].*")
#: Proxy Authentication Required (RFC 9110 §15.5.8).
_WANTS_LOGIN: Final = 407
_UNREACHABLE: Final = {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.ENETDOWN, errno.EHOSTDOWN}


def cleaned(message: str) -> str:
    """libcurl's message as people and traces may see it: it repeats a proxy's URL, password and all, and what a server
    or a certificate said."""
    return escape(_QUOTED_PROXY.sub(r"\1", message))


def failure_of(number: int, message: str, curl: Any, *, proxy: str = "", is_guarded: bool = False) -> Failure:
    """The failure for libcurl error `number` with its `message` on handle `curl`, by way of `proxy`, if there is one;
    `is_guarded`: only public addresses may be connected to."""
    message = cleaned(message)
    cause, words = (_CAUSES | _LATER).get(number, (Cause.OTHER, "the transfer failed"))
    system = curl.getinfo(pycurl.OS_ERRNO)
    if number == pycurl.E_COULDNT_CONNECT:
        if (refused := _refused_by_proxy(curl, message)) is not None:
            return refused
        if not system and is_guarded and not proxy:
            return Failure(Cause.PRIVATE, "its address is private, and a public page must not lead there")
        if proxy:
            cause, words = Cause.PROXY, f"could not connect to the proxy {redact(proxy)}"
        elif system in _UNREACHABLE:
            cause = Cause.UNREACHABLE
        if system:
            return Failure(cause, f"{words}: {os.strerror(system).lower()}")
    if number == pycurl.E_OPERATION_TIMEDOUT and proxy and not curl.getinfo(pycurl.CONNECT_TIME):
        return Failure(Cause.PROXY, f"connecting to the proxy {redact(proxy)} took too long")
    if number == pycurl.E_RECV_ERROR:
        if (refused := _refused_by_proxy(curl, message)) is not None:
            return refused
        if "chunk" in message or "header" in message.lower():
            return Failure(Cause.BAD_RESPONSE, message)
    return Failure(cause, f"{words} ({message})" if message else words)


def _refused_by_proxy(curl: Any, message: str) -> Failure | None:
    """The proxy's own answer, if it would not connect us."""
    status = curl.getinfo(pycurl.HTTP_CONNECTCODE)
    if status < 400:
        return None
    # of others than this one the advice would be about the server
    return Failure(Cause.PROXY, f"the proxy refused: {message}", status=status if status == _WANTS_LOGIN else 0)
