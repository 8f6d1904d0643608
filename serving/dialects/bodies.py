"""Reading request bodies within limits: refused by their length before they are read, never held whole."""

import io
from typing import Any, BinaryIO, cast

from django.conf import settings
from django.core.exceptions import BadRequest, SuspiciousOperation
from django.core.files.uploadedfile import UploadedFile
from django.core.files.uploadhandler import FileUploadHandler
from django.http import HttpRequest, UnreadablePostError
from django.http.multipartparser import MultiPartParserError
from django.utils.datastructures import MultiValueDict
from django.utils.translation import gettext_noop

from serving.pictures import TooManyBytes, TooManyPictures
from web.sentences import Refusal

CHUNK = 64 * 1024
ENVELOPE = 1024**2  # multipart's own lines and headers
DRAINED = 64 * 1024**2


class BadBody(Refusal):
    """A body that is not what its headers say."""

    code = "bad-body"


class LengthNeeded(Refusal):
    """A body of unknown length."""

    code = "length-needed"
    status = 411


class Bounded(FileUploadHandler):
    """Stops an upload at the first file too many or the first byte over the limit."""

    def __init__(self, request: HttpRequest, most_files: int, most_bytes: int) -> None:
        super().__init__(request)
        self._most_files, self._most_bytes = most_files, most_bytes
        self._files = self._bytes = 0

    def new_file(self, *args: Any, **kwargs: Any) -> None:
        """Another file begins."""
        super().new_file(*args, **kwargs)
        self._files, self._bytes = self._files + 1, 0
        if self._files > self._most_files:
            raise TooManyPictures(self._most_files)

    def receive_data_chunk(self, raw_data: bytes, start: int) -> bytes:
        """More of the file."""
        self._bytes += len(raw_data)
        if self._bytes > self._most_bytes:
            raise TooManyBytes(self._most_bytes)
        return raw_data

    def file_complete(self, file_size: int) -> None:
        """The handlers after this one keep the file."""


def bound(request: HttpRequest, most_files: int) -> None:
    """Set the limits on the request's files; call it before anything looks at the body."""
    if not any(isinstance(handler, Bounded) for handler in request.upload_handlers):
        handler = Bounded(request, most_files, settings.MAX_FILE_BYTES)
        request.upload_handlers = [handler, *request.upload_handlers]


def length_of(request: HttpRequest, most: int) -> int:
    """The body's length as announced; raises TooManyBytes before a byte is read."""
    if "chunked" in request.headers.get("Transfer-Encoding", "").lower():
        raise LengthNeeded(gettext_noop("Send a Content-Length header: chunked bodies are not taken."))
    try:
        length = int(request.headers.get("Content-Length") or 0)
    except ValueError as error:
        raise BadBody(gettext_noop("The Content-Length header is not a number.")) from error
    if length > most:
        raise TooManyBytes(settings.MAX_FILE_BYTES)
    return length


def files_of(request: HttpRequest, most_files: int) -> MultiValueDict:  # type: ignore[type-arg]
    """The files of a multipart body."""
    length_of(request, most_files * settings.MAX_FILE_BYTES + ENVELOPE)
    try:
        return request.FILES
    except (MultiPartParserError, BadRequest, SuspiciousOperation, UnreadablePostError) as error:
        raise BadBody(
            gettext_noop("The multipart body cannot be read: it is cut short or malformed.")
        ) from error


def stream_of(file: "UploadedFile[Any]") -> BinaryIO:
    """The content of an uploaded file, in memory or on disk."""
    return cast(BinaryIO, file.file)


def raw_body(request: HttpRequest) -> bytes:
    """A whole body that is one picture."""
    length = length_of(request, settings.MAX_FILE_BYTES)
    try:
        data = request.read(length)
    except UnreadablePostError as error:
        raise BadBody(gettext_noop("The body was cut short.")) from error
    if len(data) < length:
        raise BadBody(gettext_noop("The body was cut short."))
    return bytes(data)


def discard(request: HttpRequest) -> None:
    """Read on over a refused body without keeping it, so that the client is ready to hear the answer."""
    left = DRAINED
    try:
        while left > 0 and (chunk := request.read(CHUNK)):
            left -= len(chunk)
    except (OSError, io.UnsupportedOperation):
        return
