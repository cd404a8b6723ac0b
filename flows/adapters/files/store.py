"""Files in a folder or in an S3 bucket, written whole or not at all."""

from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from urllib.parse import quote

from pyarrow import fs


@dataclass(frozen=True)
class FileStore:
    """Files under `location`: a folder, or `s3://bucket/prefix` with AWS's usual means of authentication."""

    location: str

    def read(self, name: str) -> bytes:
        """The content of a file; OSError when there is none."""
        with self._files.open_input_stream(f"{self._root}/{name}") as stream:
            return bytes(stream.read())

    def write(self, name: str, content: bytes, content_type: str | None = None) -> None:
        """Atomic: written to another name, then moved. `content_type`: what a bucket tells browsers."""
        path = f"{self._root}/{name}"
        if self.folder:
            self._files.create_dir(path.rsplit("/", 1)[0])
        metadata = {"Content-Type": content_type} if content_type and not self.folder else None
        with self._files.open_output_stream(f"{path}.draft", metadata=metadata) as stream:
            stream.write(content)
        self._files.move(f"{path}.draft", path)

    def exists(self, name: str) -> bool:
        return bool(self._files.get_file_info(f"{self._root}/{name}").type == fs.FileType.File)

    def remove(self, name: str) -> None:
        self._files.delete_file(f"{self._root}/{name}")

    def folders(self) -> list[str]:
        """The names of the folders right under the location."""
        found = self._files.get_file_info(fs.FileSelector(self._root, allow_not_found=True))
        return [info.base_name for info in found if info.type == fs.FileType.Directory]

    def link(self, name: str) -> str:
        """Where a person opens a file: its path, or AWS's console, which asks who they are."""
        if self.folder:
            return str(self.folder / name)
        bucket, _, prefix = self._root.partition("/")
        key = f"{prefix}/{name}" if prefix else name
        return f"https://console.aws.amazon.com/s3/object/{bucket}?prefix={quote(key)}"

    @property
    def folder(self) -> Path | None:
        """Where the files are on this machine; None: in a bucket."""
        return Path(self._root) if isinstance(self._files, fs.LocalFileSystem) else None

    @property
    def _files(self) -> fs.FileSystem:
        return self._opened[0]

    @property
    def _root(self) -> str:
        return self._opened[1]

    @cached_property
    def _opened(self) -> tuple[fs.FileSystem, str]:
        location = self.location if "://" in self.location else Path(self.location).resolve().as_uri()
        files, root = fs.FileSystem.from_uri(location)
        return files, root.rstrip("/")
