"""A bound on the bytes that wait in memory."""

from threading import Condition


class Room:
    """Lets bytes in while there is room; the last to enter may go over the limit."""

    def __init__(self, limit: int) -> None:
        self._left = limit
        self._changed = Condition()

    def enter(self, size: int) -> None:
        """Wait for room, then take `size` bytes of it."""
        with self._changed:
            self._changed.wait_for(lambda: self._left > 0 or not size)
            self._left -= size

    def leave(self, size: int) -> None:
        """Give `size` bytes back."""
        with self._changed:
            self._left += size
            self._changed.notify_all()
