"""An S3 bucket as storage: bounded patience, whole objects or none, and what arrives is checked."""

import datetime
import hashlib
import tempfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import IO, Any

import boto3
from boto3.exceptions import Boto3Error
from boto3.s3.transfer import TransferConfig
from botocore.config import Config
from botocore.exceptions import BotoCoreError, ClientError
from django.core.files import File
from storages.backends.s3 import S3Storage
from urllib3.exceptions import HTTPError

from web.holding import Holding
from web.storage import CHUNK, StorageUnavailable, promised_hash, temporary_folder

CONNECT_SECONDS, READ_SECONDS, TRIES = 5, 20, 3
PART = 16 * CHUNK  # what is larger travels in parts of this size
IN_MEMORY = 8 * CHUNK  # what is larger lies on disk while it is read
# Also kinds that botocore lets through from the library below it while a body is read.
TROUBLE = (BotoCoreError, ClientError, Boto3Error, HTTPError, ConnectionError)


@contextmanager
def told_plainly(name: str) -> Iterator[None]:
    """Nothing there is FileNotFoundError; whatever else goes wrong is StorageUnavailable."""
    try:
        yield
    except TROUBLE as error:
        answer = error.response if isinstance(error, ClientError) else {}
        missing = answer.get("ResponseMetadata", {}).get("HTTPStatusCode") == 404
        if missing and answer.get("Error", {}).get("Code") != "NoSuchBucket":
            raise FileNotFoundError(name) from error
        raise StorageUnavailable(f"{name}: {' '.join(str(error).split())}") from error


class Objects(Holding, S3Storage):  # type: ignore[misc]
    """django-storages' S3 with our settings. Keys carry hashes: to write one twice changes nothing."""

    def get_default_settings(self) -> dict[str, Any]:
        """What differs from django-storages' own defaults."""
        patience = Config(
            connect_timeout=CONNECT_SECONDS,
            read_timeout=READ_SECONDS,
            retries={"total_max_attempts": TRIES, "mode": "standard"},
            s3={"addressing_style": "path"},
            tcp_keepalive=True,
        )
        parts = TransferConfig(multipart_threshold=PART, multipart_chunksize=PART, max_concurrency=4)
        defaults: dict[str, Any] = super().get_default_settings()
        return defaults | {
            "links": "",  # where browsers find the bucket; nothing: they are not sent there
            "file_overwrite": True,
            "client_config": patience,
            "transfer_config": parts,
            # A suffix says nothing to whom we serve, and `.gz` must not be announced as an encoding.
            "object_parameters": {"ContentType": "application/octet-stream"},
        }

    @property
    def client(self) -> Any:
        """boto3's client of this thread."""
        return self.connection.meta.client

    def signed_link(self, name: str, seconds: int, headers: Mapping[str, str]) -> str | None:
        """An address that needs no other key, for so long; the bucket answers with these headers."""
        if not self.links:
            return None
        signing = boto3.client(
            "s3",
            endpoint_url=None if self.links == "aws" else self.links,
            region_name=self.client.meta.region_name,
            config=self.client_config.merge(Config(signature_version="s3v4")),
        )
        answers = {f"Response{header.replace('-', '')}": value for header, value in headers.items()}
        with told_plainly(name):
            link = signing.generate_presigned_url(
                "get_object", Params=self._place(name) | answers, ExpiresIn=seconds
            )
        return str(link)

    def _place(self, name: str) -> dict[str, str]:
        return {"Bucket": self.bucket_name, "Key": self._normalize_name(name)}

    def _open(self, name: str, mode: str = "rb") -> "File[bytes]":
        if mode != "rb":
            raise ValueError("stored files are read as bytes, and written by save() alone")
        target = tempfile.SpooledTemporaryFile(IN_MEMORY, dir=temporary_folder())  # noqa: SIM115  (handed out)
        try:
            with told_plainly(name):
                digest = self._fetch(name, target)
            if (promised := promised_hash(name)) and digest != promised:
                raise StorageUnavailable(f"{name}: what arrived is not what was stored (sha256 {digest})")
        except BaseException:
            target.close()
            raise
        target.seek(0)
        return File(target, name)

    def _fetch(self, name: str, target: IO[bytes]) -> str:
        """Copy the object, going on where a broken connection stopped; its sha256."""
        digest, have = hashlib.sha256(), 0
        for left in reversed(range(TRIES)):
            more = {"Range": f"bytes={have}-"} if have else {}
            body = self.client.get_object(**self._place(name), **more)["Body"]
            try:
                for chunk in body.iter_chunks(CHUNK):
                    target.write(chunk)
                    digest.update(chunk)
                    have += len(chunk)
                break
            except TROUBLE:
                if not left:
                    raise
            finally:
                body.close()
        return digest.hexdigest()

    def pieces(self, name: str, start: int, stop: int) -> Iterator[bytes]:
        """The bytes from `start` to `stop` (exclusive), going on where a broken connection stopped."""
        left = TRIES
        while start < stop:
            with told_plainly(name):
                body = self.client.get_object(**self._place(name), Range=f"bytes={start}-{stop - 1}")["Body"]
            try:
                for piece in body.iter_chunks(CHUNK):
                    start += len(piece)
                    yield piece
            except TROUBLE as error:
                left -= 1
                if not left:
                    raise StorageUnavailable(f"{name}: {' '.join(str(error).split())}") from error
            finally:
                body.close()

    def _save(self, name: str, content: "File[bytes]") -> str:
        """Upload it; a large one in parts, which are given up together if one fails.

        The server checks the sum that boto3 sends along; whether all parts came together we look ourselves.
        """
        size = content.size
        with told_plainly(name):
            saved = str(super()._save(name, content))
        if size > PART and (arrived := self.size(name)) != size:
            self.delete(name)
            raise StorageUnavailable(f"{name}: {arrived} of {size} bytes arrived")
        return saved

    def delete(self, name: str) -> None:
        with told_plainly(name):
            super().delete(name)

    def exists(self, name: str) -> bool:
        with told_plainly(name):
            return bool(super().exists(name))

    def size(self, name: str) -> int:
        with told_plainly(name):
            return int(self.client.head_object(**self._place(name))["ContentLength"])

    def contents(self, folder: str = "") -> Iterator[tuple[str, int]]:
        """Every key (below a folder) with its size."""
        start = f"{self.location}/" if self.location else ""
        with told_plainly(start):
            pages = self.client.get_paginator("list_objects_v2")
            for page in pages.paginate(Bucket=self.bucket_name, Prefix=f"{start}{folder}"):
                for each in page.get("Contents", ()):
                    yield each["Key"].removeprefix(start), each["Size"]

    def unfinished(self, older_than: float) -> list[str]:
        """Keys of uploads in parts that were begun so many seconds ago and never ended."""
        return [each["Key"] for each in self._unfinished(older_than)]

    def abandon(self, older_than: float) -> int:
        """Give those up, so that nobody pays for their parts; how many there were."""
        found = self._unfinished(older_than)
        for each in found:
            with told_plainly(each["Key"]):
                self.client.abort_multipart_upload(
                    Bucket=self.bucket_name, Key=each["Key"], UploadId=each["UploadId"]
                )
        return len(found)

    def _unfinished(self, older_than: float) -> list[dict[str, Any]]:
        until = datetime.datetime.now(datetime.UTC) - datetime.timedelta(seconds=older_than)
        with told_plainly(self.location):
            pages = self.client.get_paginator("list_multipart_uploads")
            found = pages.paginate(Bucket=self.bucket_name, Prefix=self.location)
            return [each for page in found for each in page.get("Uploads", ()) if each["Initiated"] <= until]
