"""Sentry: no report of an error, and no trace, holds a seal, a password, or an id but in a caller's own frame."""

import json
from collections.abc import Iterator
from typing import Any
from uuid import UUID, uuid4

import pytest
import sentry_sdk
from pydantic import SecretStr
from sentry_sdk.envelope import Envelope
from sentry_sdk.integrations.sqlalchemy import SqlalchemyIntegration
from sentry_sdk.transport import Transport
from sqlmodel import Session, select

from tests.clusters import Database
from tests.connection.conftest import MakeServed
from userscope.admin import seals
from userscope.connection.scope import Scope
from userscope.errors import InvalidValue
from userscope.identity import SealKey
from userscope.models import Todo


class _Kept(Transport):
    def __init__(self) -> None:
        super().__init__()
        self.sent: list[Any] = []

    def capture_envelope(self, envelope: Envelope) -> None:
        """Keep what would be sent."""
        self.sent += [item.payload.json for item in envelope.items]


@pytest.fixture(params=[True, False], ids=["variables", "no variables"])
def variables(request: pytest.FixtureRequest) -> bool:
    """Whether the variables of frames are shown, as Sentry does by itself."""
    shown: bool = request.param
    return shown


@pytest.fixture
def sentry(variables: bool) -> Iterator[list[Any]]:
    """What Sentry would be sent by a service that has everything traced."""
    kept = _Kept()
    sentry_sdk.init(
        "http://key@127.0.0.1:9/1",
        transport=kept,
        traces_sample_rate=1.0,
        include_local_variables=variables,
        default_integrations=False,
        integrations=[SqlalchemyIntegration()],
    )
    yield kept.sent
    sentry_sdk.init()


def _told(sent: list[Any]) -> str:
    """Everything but what stands in frames of the tests: what a caller does with an id is theirs."""
    for event in sent:
        for value in event.get("exception", {}).get("values", []):
            if "stacktrace" in value:  # the driver's error, raised elsewhere, has none
                frames = value["stacktrace"]["frames"]
                value["stacktrace"]["frames"] = [one for one in frames if not one["module"].startswith("tests")]
    return json.dumps(sent)


def test_events(make_served: MakeServed, database: Database, sentry: list[Any], alice: UUID, variables: bool) -> None:
    """A value that is refused: the event tells it only where variables of SQLAlchemy's are shown."""
    key, _ = seals.add(database.url("admin"))
    seals.require(database.url("admin"))
    served = make_served(database.url("service"), userscope_seal_key=SecretStr(key.text()))

    def refused(session: Session) -> None:
        session.add(Todo(title="Zx9q" * 100))

    with sentry_sdk.start_transaction(name="request"):
        try:
            served.session(alice, refused)
        except InvalidValue as error:
            sentry_sdk.capture_exception(error)
    told = _told(sentry)
    assert "app.todos" in told
    assert [secret for secret in (str(alice), f"{key.id}.") if secret in told] == []
    assert ("Zx9q" in told) == variables
    assert "Zx9q" not in json.dumps([sent for sent in sentry if "spans" in sent])


def test_connecting(make_served: MakeServed, home: Database, sentry: list[Any], alice: UUID) -> None:
    """Where connecting fails, no password."""
    served = make_served(home.url("service").on("no_such_database"))
    try:
        served.session(alice, lambda session: session.exec(select(Todo)).all())
    except Exception as error:
        sentry_sdk.capture_exception(error)
    told = _told(sentry)
    assert "no_such_database" in told
    assert [secret for secret in (str(alice), home.url("service").params["password"]) if secret in told] == []


def test_variables() -> None:
    """What is sent before a transaction's first statement shows neither id nor seal, wherever it is looked at."""
    user, key = uuid4(), SealKey.generate()
    scope = Scope.of(user, statement_timeout="5s", key=key)
    preamble = scope.preamble()
    assert preamble[-1].values
    assert [value for value in preamble[-1].values if value == str(user).encode() or value.startswith(key.id.encode())]
    told = sentry_sdk.serializer.serialize({"vars": {"scope": scope, "preamble": preamble}})
    assert "app.set_user_id" in str(told)
    assert [secret for secret in (str(user), key.id) if secret in str(told)] == []
