"""A stream that takes every text."""

from typing import Any, TextIO


class SafeStream:
    """A text stream that takes every text: what its encoding lacks becomes a question mark.

    Parameters
    ----------
    stream
        Where the texts go; all else that is asked of this one is asked of it.
    """

    def __init__(self, stream: TextIO) -> None:
        self.stream = stream

    def write(self, text: str) -> int:
        """Write a text."""
        return self.stream.write(self.encodable(text))

    def encodable(self, text: str) -> str:
        """Return the text with question marks for what the stream cannot encode."""
        # One that stands before another, as rich's does, need not know the encoding.
        behind = getattr(self.stream, "rich_proxied_file", self.stream)
        encoding = getattr(behind, "encoding", None) or "utf-8"
        try:
            text.encode(encoding)
        except UnicodeEncodeError:
            return text.replace("…", ".").encode(encoding, "replace").decode(encoding)
        return text

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__") or name == "stream":
            raise AttributeError(name)
        return getattr(self.stream, name)

    def __eq__(self, other: object) -> bool:
        return self.stream == (other.stream if isinstance(other, SafeStream) else other)

    def __hash__(self) -> int:
        return hash(self.stream)
