"""``userscope doctor``: it sees what is there and what is wrong, and shows no secret, wherever one was put."""

import json
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import Database
from userscope.identity import SealKey

SECRET = "Zx9qWv7kTop5ecret"


@pytest.fixture
def userscope(database: Database, folder: Path, capfd: pytest.CaptureFixture[str]) -> Runner:
    """The command line, configured for a migrated database."""
    return Runner(folder, capfd, **database.environment)


def states(found: str) -> dict[str, set[str]]:
    told: dict[str, set[str]] = {}
    for check in json.loads(found)["checks"]:
        told.setdefault(check["name"], set()).add(check["state"])
    return told


def test_well(userscope: Runner, database: Database) -> None:
    """Where all is well: every version, setting and check, and exit code 0; as text too."""
    userscope("migrate", "--log-only")
    done = userscope("doctor", "--json", code=None)
    found = json.loads(done.stdout)
    checks = {check["name"]: check for check in found["checks"]}
    assert set(checks) == {"projects", "service", "auth", "admin", "pool", "sealing", "migrations", "audit"}
    assert {check["said"] for check in checks.values() if check["state"] == "wrong"} <= {checks["audit"]["said"]}
    assert states(done.stdout) | {"audit": {"ok"}} == {name: {"ok"} for name in checks}
    assert done.code == int(checks["audit"]["state"] == "wrong")  # other tests' roles in the same cluster, if anything
    assert f"PostgreSQL {database.cluster.version}." in checks["admin"]["said"]
    assert {"userscope", "python", "libpq", "psycopg"} <= found["versions"].keys()
    assert set(found["settings"]) >= {"DATABASE_URL", "ADMIN_DATABASE_URL", "AUTH_DATABASE_URL"}
    said = userscope("doctor", code=None).stdout
    assert "\nchecks\n  projects    ok       all of ours\n" in said


def test_wrong(userscope: Runner, database: Database, empty: Database) -> None:
    """A login above policies and pending changes: exit code 1, and the cure."""
    userscope.environment["DATABASE_URL"] = database.url("admin").text()
    done = userscope("doctor", "--json", code=1)
    assert states(done.stdout)["service"] == {"wrong"}
    assert "bypasses row-level security" in done.stdout
    userscope.environment["ADMIN_DATABASE_URL"] = empty.url().text()
    found = userscope("doctor", "--json", code=None)
    assert states(found.stdout)["migrations"] == {"wrong"}
    assert 'Run \\"userscope migrate\\".' in found.stdout


def test_unreachable(userscope: Runner) -> None:
    """What cannot be looked at is told, once, and is exit code 2."""
    gone = "postgresql://me:secret@127.0.0.1:1/app"
    userscope.environment = {**userscope.environment, "DATABASE_URL": gone, "ADMIN_DATABASE_URL": gone}
    told = states(userscope("doctor", "--json", code=2).stdout)
    assert told["service"] == told["admin"] == {"unknown"}
    assert "audit" not in told
    userscope.environment["DATABASE_POOL_SIZE"] = "many"
    broken = userscope("doctor", code=2).stdout
    assert "DATABASE_POOL_SIZE cannot be used" in broken
    assert "python" in broken


def test_service_alone(userscope: Runner) -> None:
    """Where a service runs there is no owner's URL: what needs it is left out, and nothing is wrong."""
    del userscope.environment["ADMIN_DATABASE_URL"]
    told = states(userscope("doctor", "--json").stdout)
    assert told == {"projects": {"ok"}, "service": {"ok"}, "auth": {"ok"}, "admin": {"skipped"}}


def test_nothing_there(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """In an empty folder it makes nothing."""
    done = Runner(folder, capfd)("doctor", code=2)
    assert "none is set" in done.stdout
    assert "there is no embedded server yet" in done.stdout
    assert not any(folder.iterdir())


@pytest.mark.parametrize("well_formed", [True, False])
def test_no_secret(folder: Path, capfd: pytest.CaptureFixture[str], well_formed: bool) -> None:
    """Whatever is set, in the environment or .env, right or wrong: neither form shows a secret."""
    key = SealKey.generate()
    url = f"postgresql://me:{SECRET}@127.0.0.1:1/app?sslpassword={SECRET}"
    urls = ("DATABASE_URL", "ADMIN_DATABASE_URL", "AUTH_DATABASE_URL", "DATABASE_URL_UNPOOLED")
    (folder / ".env").write_text(f"DATABASE_URL_UNPOOLED={url}\nAUTH_SECRET={SECRET * 3}\nOTHER={SECRET}\n")
    planted = dict.fromkeys(urls[:3], url if well_formed else f"postgresql://me:{SECRET}@@@{SECRET}/?{SECRET}={SECRET}")
    planted |= {
        "USERSCOPE_SEAL_KEY": key.text() if well_formed else f"{SECRET}:{SECRET}",
        "AUTH_JWKS_URL": f"https://me:{SECRET}@issuer.example.com/jwks?token={SECRET}",
        "AUTH_ISSUER": f"https://me:{SECRET}@issuer.example.com/",
        "AUTH_AUDIENCE": "todo",
        "PGPASSWORD": SECRET,
        "PGOPTIONS": f"-c app.secret={SECRET}",
    }
    run = Runner(folder, capfd, **planted)
    for words in ("doctor", "doctor --json"):
        done = run(*words.split(), code=2)
        assert SECRET not in done.stdout + done.stderr
        assert key.text().partition(":")[2] not in done.stdout + done.stderr
        assert "AUTH_AUDIENCE" in done.stdout
        assert "PGPASSWORD" in done.stdout
