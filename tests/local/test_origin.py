"""A folder that is a link, a copy, or came with somebody else's files is refused: nothing in it is run or removed."""

import os
import shutil
import tarfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.cli.runner import Runner
from tests.clusters import first_of
from tests.local.conftest import CARELESS, ask
from userscope.errors import LocalServerError
from userscope.local.account import Account
from userscope.local.server import Server
from userscope.postgres import origin


def contents(folder: Path) -> dict[str, bytes | None]:
    """What is in a folder: every path in it, and what the files say."""
    return {str(path.relative_to(folder)): path.read_bytes() if path.is_file() else None for path in folder.rglob("*")}


@pytest.fixture
def precious(folder: Path) -> Path:
    """A folder of somebody's work that looks like a server's."""
    made = folder / "precious"
    for name in ("run", "unfinished", "data"):
        (made / name).mkdir(parents=True)
        (made / name / "thesis.txt").write_text("years of work")
    (made / "lock").write_text("")
    return made


def act(run: Runner, home: str) -> list[str]:
    """Try every command that works on the server's folder, and return what each says."""
    run.environment["USERSCOPE_HOME"] = home
    return [run(*words.split(), code=2).stderr for words in ("up", "down", "down --delete --yes", "migrate")]


@pytest.mark.parametrize("how", ["link", "home", "here", "dangling link"])
def test_what_we_did_not_make(folder: Path, precious: Path, capfd: pytest.CaptureFixture[str], how: str) -> None:
    """A link, another folder of one's own and the project's itself are refused, and nothing there is touched."""
    link = folder / "link"
    link.symlink_to(folder / "nowhere" if how == "dangling link" else precious)
    home = {"home": "../precious", "here": "."}.get(how, str(link))
    where = precious if how == "here" else folder / "project"
    where.mkdir(exist_ok=True)
    before = contents(folder)
    for said in act(Runner(where, capfd), home):
        assert said.startswith('ERROR:  "')
        assert " was not made here by userscope\n" in said
    assert contents(folder) == before


def test_empty_folder(folder: Path) -> None:
    """The control: a folder with nothing in it is taken, and is there still when the server is gone."""
    (folder / "home").mkdir(mode=0o711)
    server = Server(folder / "home", settings=CARELESS)
    assert server.start()
    assert ask(server, "select 1") == 1
    server.delete()
    assert list((folder / "home").iterdir()) == []


@pytest.mark.parametrize("how", first_of("archive", "copy"))
def test_what_came_with_other_files(folder: Path, server: Server, how: str) -> None:
    """A server's folder that an archive or a copy brought is no server's: what it would run does not run."""
    server.start()
    server.stop()
    out = folder / "out"
    out.mkdir(mode=0o777)
    out.chmod(0o777)
    conf = server.home / "data" / "postgresql.conf"
    written = conf.read_text()
    conf.write_text(f"{written}\narchive_mode = on\narchive_timeout = 1\narchive_command = 'touch {out}/pwned'\n")
    target = folder / "victim" / ".userscope"
    if how == "archive":
        with tarfile.open(folder / "evil.tar", "w") as tar:
            tar.add(server.home, arcname=".userscope")
        with tarfile.open(folder / "evil.tar") as tar:
            tar.extractall(target.parent, filter="fully_trusted")  # noqa: S202  # our own
    else:
        target.parent.mkdir()
        shutil.copytree(server.home, target, symlinks=True)
    conf.write_text(written)
    if os.geteuid() == 0:
        for path in (target / "data", *(target / "data").rglob("*")):
            Account.serving().give(path)
    target.parent.chmod(0o711)
    before = sorted(contents(target))
    victim = Server(target)
    for attempt in (victim.start, victim.stop, victim.delete, lambda: victim.url("admin"), lambda: victim.running):
        with pytest.raises(LocalServerError, match="was not made here by userscope"):
            attempt()
    assert sorted(contents(target)) == before
    assert list(out.iterdir()) == []

    # The control: it is whole, and runs where its mark is made anew.
    (target / "made-here.proof").unlink()
    origin.claim(target, made=True)
    assert victim.start()
    assert ask(victim, "select 1") == 1
    victim.delete()


def test_planted_settings(server: Server, folder: Path) -> None:
    """A settings file that was changed under us has no program run and no library loaded: what we say comes first."""
    planted = {
        "archive_mode": "on", "archive_command": f"touch {folder}/pwned", "shared_preload_libraries": "nonsense",
        "session_preload_libraries": "nonsense", "local_preload_libraries": "nonsense",
        "ssl_passphrase_command": "nonsense", "restore_command": "nonsense", "recovery_end_command": "nonsense",
        "archive_cleanup_command": "nonsense", "dynamic_library_path": "nonsense", "jit_provider": "nonsense",
        "external_pid_file": f"{folder}/pid", "logging_collector": "on", "hba_file": "/nonsense",
        "listen_addresses": "*", "data_directory": "/nonsense",
    }  # fmt: skip
    auto = server.home / "data" / "postgresql.auto.conf"
    written = auto.read_text()
    auto.write_text(written + "".join(f"{name} = '{value}'\n" for name, value in planted.items()))
    try:
        assert server.start()
        read = "select array_agg(distinct name order by name) from pg_file_settings where setting ~ 'nonsense|pwned'"
        assert set(ask(server, read)) >= {"archive_command", "shared_preload_libraries"}  # the file was read
        ask(server, "select pg_switch_wal()")
        held = "select array_agg(name order by name) from pg_settings where setting ~ 'nonsense|pwned|pid'"
        assert set(ask(server, held) or ()) - {"max_pid"} == set()
        assert not (folder / "pwned").exists()
    finally:
        server.stop()
        auto.write_text(written)


def test_every_setting_that_runs_something_is_ours(server: Server) -> None:
    """No setting of this PostgreSQL that names a program, a library or a file is left to the files in data/."""
    server.start()
    left = ask(
        server,
        "select array_agg(name order by name) from pg_settings where source <> 'command line' "
        "and vartype = 'string' and name ~ '(_command$|librar|provider|_path$|_file$|_directory$|preload)'",
    )
    assert set(left) == {
        # Where the data and the settings are, which PostgreSQL says last; and names of no more consequence.
        *("data_directory", "config_file", "hba_file", "ident_file", "log_directory", "search_path"),
        # Read where ssl is on; loaded by a role with REPLICATION.
        *("ssl_ca_file", "ssl_cert_file", "ssl_crl_file", "ssl_dh_params_file", "ssl_key_file"),
        *("output_plugin_libraries", "ssl_library"),
    } & set(ask(server, "select array_agg(name) from pg_settings"))


def test_marks(folder: Path) -> None:
    """No link stands for the mark: it may lead to a file whose times are known."""
    known = folder / "known"
    known.write_text("")
    for name, link in (("soft", os.symlink), ("hard", os.link)):
        home = folder / name
        home.mkdir()
        link(known, home / "made-here")
        (home / "made-here.proof").write_text(f"{known.stat().st_ctime_ns} made\n")
        assert not origin.ours(home)
    home = folder / "real"
    home.mkdir()
    origin.claim(home, made=True)
    assert origin.ours(home)
    (home / "made-here").chmod(0o644)
    assert not origin.ours(home)


def test_moved(folder: Path, moved: Callable[[Path], Server]) -> None:
    """A folder that was renamed, with the project that it is in, is the same folder."""
    server = moved(folder / "home")
    assert server.start()
    server.stop()
