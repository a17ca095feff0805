"""OpenTelemetry's instrumentation of psycopg and SQLAlchemy: spans of all sessions, no id, seal or value in them."""

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import psycopg
import pytest
from opentelemetry.instrumentation.psycopg import PsycopgInstrumentor
from opentelemetry.instrumentation.sqlalchemy import SQLAlchemyInstrumentor
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from sqlmodel import Session, select

from tests.connection.conftest import MakeServed
from userscope.errors import InvalidValue
from userscope.models import Todo


@pytest.fixture(params=["psycopg", "sqlalchemy"])
def spans(request: pytest.FixtureRequest) -> Iterator[InMemorySpanExporter]:
    """What is traced while one of the two is instrumented, as ``opentelemetry-instrument`` does it."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    instrumentor: Any = PsycopgInstrumentor() if request.param == "psycopg" else SQLAlchemyInstrumentor()
    before = {kind: vars(kind)["connect"] for kind in (psycopg.Connection, psycopg.AsyncConnection)}
    instrumentor.instrument(tracer_provider=provider, skip_dep_check=True)
    yield exporter
    instrumentor.uninstrument()
    for kind, connect in before.items():  # it leaves a method that makes no subclass
        setattr(kind, "connect", connect)  # noqa: B010  # of either kind


def test_spans(make_served: MakeServed, spans: InMemorySpanExporter, alice: UUID) -> None:
    """Each statement of a session and of a reader has its span, in a first session as in a later one."""
    served = make_served(database_pool_size=1)

    def write(session: Session) -> None:
        session.add(Todo(title="Zx9q a title"))
        session.flush()
        session.exec(select(Todo)).all()

    def refused(session: Session) -> None:
        session.add(Todo(title="Zx9q" * 100))

    for _ in range(2):
        spans.clear()
        served.session(alice, write)
        served.reader(alice, lambda session: session.exec(select(Todo)).all())
        names = [span.name.split()[0] for span in spans.get_finished_spans()]
        assert (names.count("INSERT"), names.count("SELECT")) == (1, 2)
    with pytest.raises(InvalidValue):
        served.session(alice, refused)
    told = " ".join(span.to_json() for span in spans.get_finished_spans())
    assert "app.todos" in told
    for secret in (str(alice), "Zx9q", "set_user_id", served.settings.url("service").params["password"]):
        assert secret not in told
