"""What can go wrong while a checkpoint is fetched, each as one sentence that says what to do.

In: what huggingface_hub and the system raise. Out: a DownloadError. What is fetched is not its business.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import NoReturn
from urllib.parse import urlsplit

from models.base import ModelError

KEPT = "What is here already is kept: the same command goes on from there."


class DownloadError(ModelError):
    """A checkpoint cannot be fetched."""


@contextmanager
def converted(repository: str, endpoint: str, folder: str) -> Iterator[None]:
    """Around all that speaks to the hub or writes to its cache: what is raised inside comes out as a DownloadError.

    Args:
        repository: what is fetched.
        endpoint: from where, as a URL.
        folder: to where.
    """
    import httpx2
    from huggingface_hub.errors import HfHubHTTPError, HFValidationError, OfflineModeIsEnabled

    host = _host(endpoint)
    try:
        yield
    except DownloadError:
        raise
    except HFValidationError as error:
        raise DownloadError(f"{repository!r} is no name of a repository: it is written OWNER/NAME.") from error
    except OfflineModeIsEnabled as error:
        raise DownloadError(
            f"{repository} is not on this computer, and HF_HUB_OFFLINE forbids to fetch it: unset that variable."
        ) from error
    except HfHubHTTPError as error:
        raise DownloadError(_refused(repository, host, error.response.status_code)) from error
    except httpx2.ConnectError as error:
        raise DownloadError(_unreachable(host, error)) from error
    except httpx2.TimeoutException as error:
        raise DownloadError(f"{host} does not answer: check the connection, then try again. {KEPT}") from error
    except httpx2.HTTPError as error:
        raise DownloadError(f"The connection to {host} broke off: try again. {KEPT}") from error
    except OSError as error:
        _raise_local(error, host, folder)


def _host(endpoint: str) -> str:
    """Raises DownloadError where an address is none."""
    with suppress(ValueError):
        parts = urlsplit(endpoint)
        if parts.scheme in ("https", "http") and parts.hostname:
            return parts.hostname
    raise DownloadError(
        f"HF_ENDPOINT is {endpoint!r}, which is no address: write it as https://huggingface.co is written."
    )


def _refused(repository: str, host: str, status: int) -> str:
    match status:
        case 401 | 403:
            return (
                f"{host} does not give {repository} to everyone: there is no such repository, or its owner asks for an "
                "account. Check the name; if it is right, accept its terms there and set HF_TOKEN."
            )
        case 404:
            return f"There is no repository {repository} at {host}, or a file of it is gone: check the name."
        case 429:
            return f"{host} asks to come back later, too much was fetched from here: wait a while, then try again."
        case _ if status >= 500:
            return f"{host} is out of order (status {status}): try again later. {KEPT}"
    return f"{host} refuses {repository} (status {status}): check the name, then try again."


def _unreachable(host: str, error: BaseException | None) -> str:
    while error is not None:
        if isinstance(error, socket.gaierror):
            return f"The host {host} is not found: check the connection, and HF_ENDPOINT if it is set. {KEPT}"
        error = error.__cause__ or error.__context__
    return f"{host} cannot be reached: check the connection, then try again. {KEPT}"


def _raise_local(error: OSError, host: str, folder: str) -> NoReturn:
    """What is neither the hub's answer nor the network: the disk, or a file shorter than was promised.

    Raises:
        DownloadError: always.
    """
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        raise DownloadError(
            f"The disk is full: make room in {folder}, or name another place by HF_HOME. {KEPT}"
        ) from error
    if error.errno is not None:
        raise DownloadError(
            f"{folder} cannot be written ({error.strerror}): allow it, or name another place by HF_HOME."
        ) from error
    if error.__cause__ is not None:  # the library's own wording of what came before
        with converted("the repository", f"https://{host}", folder):
            raise error.__cause__
    raise DownloadError(f"{host} sent a file cut short: try again. {KEPT}") from error
