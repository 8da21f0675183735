"""Acts that pack files: in a thread of its own, since a large folder takes long."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from activities.archive import Stopped, pack
from activities.outcomes import Done, NotDone
from activities.settings import ActivitySettings
from phasegate.acts import ArchiveAct
from phasegate.sunset_ports import ActOrder

# Not the loop's own threads: those are for what is over in a moment.
_THREADS = ThreadPoolExecutor(4, thread_name_prefix="archive")


class ArchiveActs:
    """Packing the same files twice gives the same archive, so a second attempt does no harm."""

    repeatable = True
    over = timedelta(0)

    def __init__(self, settings: ActivitySettings) -> None:
        self._settings = settings

    async def carry_out(self, order: ActOrder) -> Done | NotDone:
        """Pack `source` below the archive root; see `activities.archive.pack`."""
        assert isinstance(order.act, ArchiveAct)
        source = order.act.source.replace("{product}", order.product)
        stopped = threading.Event()

        def on() -> None:
            if stopped.is_set():
                raise Stopped

        loop = asyncio.get_running_loop()
        try:
            return await loop.run_in_executor(_THREADS, pack, self._settings, source, order.key, on)
        finally:
            stopped.set()

    async def probe(self, order: ActOrder) -> None:
        """It is packed again instead."""
