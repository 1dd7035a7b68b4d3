"""Cancelling a trigger as Airflow does, at a moment."""

import asyncio
from contextlib import suppress
from typing import Any

from airflow_sm_pipelines import triggers


def waiting(trigger: Any, moment: float) -> None:
    """Cancel the wait of a trigger, as when a user ends its task; raises how it has ended."""

    async def cancel() -> None:
        event = asyncio.ensure_future(anext(trigger.run()))
        await asyncio.sleep(moment)
        event.cancel("user-action")
        await event

    asyncio.run(cancel())


def killing(trigger: Any, moment: float) -> None:
    """Cancel a trigger while it does what the end of its task asks for, and see that through."""

    async def cancel() -> None:
        ending = asyncio.create_task(trigger.on_kill())
        await asyncio.sleep(moment)
        ending.cancel()
        with suppress(asyncio.CancelledError):
            await ending
        while triggers._GOING_ON:
            await asyncio.sleep(0.01)

    asyncio.run(cancel())
