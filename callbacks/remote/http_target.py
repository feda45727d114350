"""Where posts go."""

import base64
import urllib.request
from collections.abc import Mapping
from http.client import HTTPException
from typing import Any
from urllib.error import HTTPError, URLError
from urllib.parse import quote, unquote, urlencode, urlsplit, urlunsplit

_TIMEOUT = 2.0
# Answers that say that what was posted will never be taken, so that it is no use to repeat it.
_REFUSALS = frozenset(range(400, 500)) - {401, 403, 404, 408, 425, 429}


class HTTPTarget:
    """Takes posts for one URL; no error and no text of it shows a credential.

    Proxies and certificates are those of `urllib.request`; redirects are not
    followed, since headers with credentials would be too.

    Parameters
    ----------
    url
        ``http://`` or ``https://``; user and password in it become a header.
    field
        Name of the form's field that holds what is posted; None to post it as
        it is, as JSON.
    headers
        More headers.

    Raises
    ------
    ValueError
        For a text that is no such URL, and for headers that HTTP cannot send.
    """

    def __init__(
        self, url: str, field: str | None = None, headers: Mapping[str, str] | None = None
    ) -> None:
        parts = _checked_url(url)
        host = parts.netloc.rpartition("@")[2]
        self._url = urlunsplit((parts.scheme, host, parts.path, parts.query, ""))
        #: The server, for messages: a path or a query may be secret too.
        self.name = f"{parts.scheme}://{host}"
        self._field = field
        self._headers = {
            "Content-Type": "application/json"
            if field is None
            else "application/x-www-form-urlencoded",
            "User-Agent": "schoolbell",
        }
        if "@" in parts.netloc:
            pair = f"{unquote(parts.username or '')}:{unquote(parts.password or '')}"
            code = base64.b64encode(pair.encode()).decode()
            self._headers["Authorization"] = f"Basic {code}"
        for name, value in (headers or {}).items():
            _check_header(name, value)
            self._headers[name] = value
        userinfo = (parts.username, parts.password, self._headers.get("Authorization"))
        self._secrets = [one for one in (*userinfo, *(headers or {}).values(), self._url) if one]
        self._opener = urllib.request.build_opener(_NoRedirects)

    def __getstate__(self) -> dict[str, Any]:
        # It may hold certificates that belong to this process.
        return {name: one for name, one in vars(self).items() if name != "_opener"}

    def __setstate__(self, state: dict[str, Any]) -> None:
        vars(self).update(state)
        self._opener = urllib.request.build_opener(_NoRedirects)

    def post(self, text: str) -> None:
        """Post a text, waiting two seconds at most for each answer of the network.

        Raises
        ------
        ConnectionError
            When it did not arrive and should be tried again.
        ValueError
            When the server refuses it for good.
        """
        body = text if self._field is None else urlencode({self._field: text})
        request = urllib.request.Request(self._url, body.encode(), self._headers, method="POST")
        try:
            with self._opener.open(request, timeout=_TIMEOUT):
                return
        except HTTPError as error:
            error.close()
            failure = ValueError if error.code in _REFUSALS else ConnectionError
            reason = f"it answers {error.code} {error.reason}"
            raise failure(self._without_secrets(reason)) from None
        except (OSError, HTTPException) as error:
            reason = error.reason if isinstance(error, URLError) else error
            text = " ".join(str(reason).split()) or type(reason).__name__
            raise ConnectionError(self._without_secrets(text)) from None

    def _without_secrets(self, text: str) -> str:
        """Return what a server or a library says, if it repeats no header and no URL."""
        return "it failed" if any(one in text for one in self._secrets) else text[:200]

    def __repr__(self) -> str:
        return f"HTTPTarget({self.name!r})"


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, req: Any, fp: Any, code: int, msg: str, headers: Any, newurl: str):
        return None


def _checked_url(url: str) -> Any:
    # Without the URL in the message: it may hold a password.
    wrong = "root must be the URL of a web server, as in http://localhost:9000"
    try:
        parts = urlsplit(url)
        port = parts.port
    except ValueError:
        raise ValueError(wrong) from None
    whole = "@" not in parts.path + parts.query + parts.fragment
    if parts.scheme not in ("http", "https") or not parts.hostname or port == 0 or not whole:
        raise ValueError(wrong)
    path = quote(parts.path, safe="/%:;,=+!$&'()*~")
    query = quote(parts.query, safe="/%:;,=+!$&'()*~?")
    return parts._replace(path=path, query=query)


def _check_header(name: str, value: Any) -> None:
    try:
        good = name.isascii() and not set(name) & set(" \t\r\n:") and name != ""
        good = good and not set(value) & set("\r\n\0") and bool(value.encode("latin-1") or True)
    except (AttributeError, TypeError, UnicodeEncodeError):
        good = False
    if not good:
        # Without the value, which may be secret.
        raise ValueError(f"HTTP cannot send the header {name!r}")
