"""A key is replaced while services work: no request is refused, and the old key is worth nothing afterwards."""

import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from uuid import UUID

import pytest

from tests.clusters import Database
from tests.connection.conftest import make_user, settings_for
from tests.connection.served import SyncServed, whoami
from userscope.admin import seals
from userscope.errors import SealRejected
from userscope.identity import SealKey


def test_rotation(database: Database) -> None:
    """Three services under load get the new key one after the other; then the old one is retired."""
    users = [make_user(database) for _ in range(3)]
    admin = database.url()
    old, _ = seals.add(admin)
    seals.require(admin)
    over = threading.Event()
    with ExitStack() as stack:

        def deploy(key: SealKey) -> SyncServed:
            url = database.url("service")
            made = SyncServed(settings_for(url, userscope_seal_key=key.text(), database_pool_size=1))
            stack.callback(made.close)
            return made

        services = [deploy(old) for _ in users]
        retired_key = services[0]
        requests = [0] * len(users)
        resting = [threading.Lock() for _ in users]  # a service ends its request before it gives way to the next

        def serve(number: int) -> set[UUID | None]:
            seen: set[UUID | None] = set()
            while not over.is_set():
                with resting[number]:
                    seen.add(services[number].session(users[number], whoami))
                    requests[number] += 1
            return seen

        def more() -> None:
            before = list(requests)
            while any(now - then < 5 for now, then in zip(requests, before, strict=True)):
                assert not any(future.done() for future in futures), [future.exception() for future in futures]
                over.wait(0.01)

        with ThreadPoolExecutor(len(users)) as pool:
            futures = [pool.submit(serve, number) for number in range(len(users))]
            try:
                more()
                new, _ = seals.add(admin)
                more()
                for number in range(len(users)):
                    replacement = deploy(new)
                    with resting[number]:
                        services[number] = replacement
                    more()
                seals.retire(admin, old.id)
                more()
            finally:
                over.set()
            assert [future.result() for future in futures] == [{user} for user in users]
        with pytest.raises(SealRejected, match="names no active key"):
            retired_key.session(users[0], whoami)
