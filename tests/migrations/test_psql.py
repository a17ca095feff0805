"""psql's language is read as psql reads it: what it would send is sent; what cannot be is refused by its line."""

import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import postgast
import pytest

from tests.clusters import Cluster, Database
from tests.migrations.conftest import ROOT
from userscope.errors import ConfigurationError, ScriptError
from userscope.local.binaries import Binaries
from userscope.migrations.psql.session import Brought
from userscope.migrations.script import load

HOSTILE = [
    "",
    "x",
    "it's",
    'a"b',
    "back\\slash",
    "E'\\''",
    "a\nb",
    "$$; drop table t; --",
    "ä😀",
    ":x",
    ":'x'",
    "''''",
    "\\",
]
"""Values that a sloppy hand would let out of their quotes."""

SCRIPTS = {
    "quotes": "select :'x', 1 as :\"x\", 'x:x', 1 as \":x\", $$:x$$, $a$ :x $$ $a$,"
    " E'\\':n', e'a\\\\' -- :x\n"
    ", :n /* :n /* ; */ :n */;\n",
    "words": "select 1 as n$n$n, :n::int, 1::text, 2 as \"E\", E'a'\n  'b\\'c';\n",
    "left alone": "select ('{1,2}'::int[])[1:2], (array[1,2])[:n], ':nope', :{?nope}, :{?n};\n",
    "set": "\\set a 'it''s' b\\set c 1\n\\set d :a:c\n\\set e :'a'\n\\set f\nselect :'a', :c, :'d', :'e', :'f';\n",
    "escapes": "\\set a 'x\\ty\\n\\x41\\101\\q' \"in quotes\" a:b\nselect :'a';\n",
    "of variables": "\\set a :b\n\\set b 1\n\\set c ':b + :n'\nselect :c, :'a';\n\\unset b\nselect :{?b};\n",
    "of itself": "\\set a '1 + :a'\nselect :'a';\n",
    "a statement": "\\set s 'select 1;'\n:s select 2;\n",
    "if": "\\if :{?n}\nselect 1;\n\\if off\nselect it ;\n\\elif 1\nselect 2;\n\\else\nselect 3;\n\\endif\n"
    "\\else\nselect ';\n\\endif ';\n\\i nowhere\n\\set n 5\n\\endif\nselect :n;\n",
    "if in a statement": "select 1\n\\if false\n, 2\n\\else\n, 3\n\\endif\n, 4;\n",
    "prefixes": "\\if t\nselect 1;\n\\endif\n\\if of\nselect 2;\n\\endif\n\\if YE\n"
    "select 3;\n\\endif\n\\if N\nselect 4;\n\\endif\n",
    "include": "select 1; \\i inner/a.sql\nselect 3; \\ir 'inner/a.sql'; \n\\include inner/b.sql \\\\ select 5;\n",
    "no end": "select 1;\nselect 2",
    "quit": "select 1;\n\\if true\n\\q\n\\endif\nselect 2;\n",
    "shown": "\\pset pager off\n\\timing on\n\\timing off\n\\set ECHO queries\n\\set QUIET\n\\encoding UTF8\n"
    "\\a\n\\t on\nselect 1;\n",
    "carriage returns": "\\set a 1\r\nselect\r\n :a, 'b\r\nc';\r\n\\if 0\r\nselect\r\n\\endif\r\n",
    "copy": "create temp table t (a text);\ncopy t from stdin; -- a comment\nit's; :n\n$$\n\\.\nselect a from t;\n"
    "\\copy t (a) from 'inner/data' with (format csv)\n\\copy t from stdin\n\\\\x\n\\.\ncopy t(a) FROM STDIN;\n\\.\n"
    "select a, :n from t;\n",
    "restrict": "\\restrict abc\nselect 'a\\b';\n\\unrestrict abc\n\\set a 1\nselect :a;\n",
    "nothing": "",
    "server": "select :'DBNAME', 1 as :\"USER\", :'HOST', :PORT, "
    ":SERVER_VERSION_NUM, :'SERVER_VERSION_NAME', :'ENCODING';\n",
}  # fmt: skip


@pytest.fixture(scope="module")
def server(cluster: Cluster) -> Iterator[Database]:
    """A database where nothing is left."""
    made = cluster.database()
    yield made
    made.drop()


def words(sql: str) -> list[str]:
    """What a statement is made of, without comments and blanks."""
    found = postgast.scan(sql).tokens
    data = sql.encode()
    name = postgast.pg_query_pb2.Token.Name
    return [
        data[token.start : token.end].decode()
        for token in found
        if name(token.token) not in {"SQL_COMMENT", "C_COMMENT", "ASCII_59"}
    ]


def by_psql(database: Database, path: Path, variables: dict[str, str]) -> list[str]:
    """The words of all that psql sends for a script, and COPY's lines are what the server has."""
    command = [str(Binaries.embedded().bindir / "psql"), "-X", "-q", "-e", "-o", os.devnull, "-v", "ON_ERROR_STOP=1"]
    given = [word for name, value in variables.items() for word in ("-v", f"{name}={value}")]
    url = database.url()
    done = subprocess.run(
        [*command, *given, "-f", str(path)],
        cwd=path.parent,
        env={**os.environ, **{f"PG{name.upper()}": url.params[name] for name in ("host", "port", "user", "password")},
             "PGDATABASE": url.params["dbname"], "PGCLIENTENCODING": "UTF8"},
        capture_output=True,
        check=False,
    )  # fmt: skip
    assert not done.returncode, done.stderr
    return words(done.stdout.decode())


def by_us(database: Database, path: Path, variables: dict[str, str]) -> list[str]:
    """The words of all that we send."""
    from userscope.migrations.client import Client

    with Client.connect(database.url(), lambda *_: None) as client:
        script = load(path, "verify", Brought(path.parent, {**variables, **client.variables}))
    return [word for statement in script.statements for word in words(statement.sql)]


def project(folder: Path, text: str) -> Path:
    """A script beside files to include."""
    (folder / "inner").mkdir()
    (folder / "inner/a.sql").write_text("select 2;\n\\ir b.sql\nselect 22", encoding="utf-8")
    (folder / "inner/b.sql").write_text("\\if :{?n}\nselect :n;\n\\endif\n", encoding="utf-8")
    (folder / "inner/data").write_text("1\n", encoding="utf-8")
    path = folder / "x.sql"
    path.write_bytes(text.encode())
    return path


@pytest.mark.parametrize("name", SCRIPTS)
def test_as_psql(server: Database, tmp_path: Path, name: str) -> None:
    """What psql sends and what we send are the same statements."""
    path = project(tmp_path, SCRIPTS[name])
    variables = {"x": 'it\'s "x"', "n": "7"}
    assert by_us(server, path, variables) == by_psql(server, path, variables)


def test_hostile_values(server: Database, tmp_path: Path) -> None:
    """Quoted, a value is a text or a name and nothing else, to the server as to psql; each form as psql writes it."""
    variables = {f"v{number}": value for number, value in enumerate(HOSTILE)}
    names = [name for name, value in variables.items() if value]
    texts = ", ".join(f":'{name}'" for name in variables)
    path = project(tmp_path, f"select {texts};\nselect {', '.join(f'1 as :"{name}"' for name in names)};\n")
    assert by_us(server, path, variables) == by_psql(server, path, variables)
    script = load(path, "verify", Brought(tmp_path, variables))
    with server.superuser_connection() as connection:
        for setting in ("on", "off"):
            connection.execute(f"set standard_conforming_strings = {setting}")
            assert connection.execute(script.statements[0].sql.encode()).fetchone() == tuple(HOSTILE)
        described = connection.execute(script.statements[1].sql.encode()).description or []
        assert [column.name for column in described] == [variables[name] for name in names]


REFUSED = {
    "a variable that is not set": ("select 1;\nselect :nope;", 'uses the psql variable ":nope", which is not set', 2),
    "one in quotes": ("select :'nope';", "uses the psql variable \":'nope'\", which is not set", 1),
    "one as a name": ('select :"nope" from t;', 'uses the psql variable ":"nope"", which is not set', 1),
    "a file that includes itself": ("select 1;\n\\i x.sql\n", 'reads "x.sql", which is being read already', 2),
    "in a circle": ("\\i inner/round.sql\n", 'reads "../x.sql", which is being read already', 1),
    "one outside": ("\\ir ../other.sql\n", 'reads "../other.sql", which is outside of its project', 1),
    "one outside by its root": ("\\i /etc/passwd\n", 'reads "/etc/passwd", which is outside of its project', 1),
    "data outside": ("\\copy t from '/etc/passwd'\n", 'reads "/etc/passwd", which is outside of its project', 1),
    "a link to the outside": ("\n\\i inner/link.sql\n", 'reads "inner/link.sql", which is outside of its project', 2),
    "one that is not there": ("\\i nowhere.sql\n", 'reads "nowhere.sql", which does not exist', 1),
    "no name": ("\\i\n", "includes no file", 1),
    "inside a statement": ("select\n\\i inner/b.sql\n;", "includes a file inside a statement", 2),
    "data without an end": ("begin;\ncopy t from stdin;\n1\ncommit;\n", "has a COPY whose data does not end", 2),
    "no data": ("select 1;\ncopy t from stdin", "has COPY FROM STDIN without data", 2),
    "data beside": ("copy t from stdin; select 1;\n\\.\n", "goes on in the line of a COPY", 1),
    "copied out": ("copy (select 1) to stdout (format csv);", "uses COPY TO STDOUT", 1),
    "copied out by psql": ("\\copy t to 'x'\n", "uses \\copy to 'x'", 1),
    "a program": ("\\copy t from program 'ls'\n", "uses \\copy from program", 1),
    "gset": ("select 1 as a \\gset\n", 'uses the psql command "\\gset"', 1),
    "gexec": ("select 'select 1'\n\\gexec\n", 'uses the psql command "\\gexec"', 2),
    "connect": ("\\c other\n", 'uses the psql command "\\c"', 1),
    "shell": ("\\! ls\n", 'uses the psql command "\\!"', 1),
    "no commit": ("\n\\set AUTOCOMMIT off\n", 'sets "AUTOCOMMIT", which cannot be changed here', 2),
    "no stop": ("\\unset ON_ERROR_STOP\n", 'unsets "ON_ERROR_STOP", which cannot be changed here', 1),
    "no name of a variable": ("\\set a-b 1\n", 'sets "a-b", which is no name', 1),
    "backticks": ("\\set a `ls`\n", "runs a command in backticks", 0),
    "an open if": ("\\if true\nselect 1;\n", "ends inside \\if", 3),
    "endif": ("select 1;\n\\endif\n", "has an \\endif without its \\if", 2),
    "else": ("\\if 1\n\\else\n\\else\n\\endif", "has an \\else without its \\if", 3),
    "neither": ("\\if perhaps\n\\endif\n", 'asks \\if of "perhaps", which is neither true nor false', 1),
    "a quote": ("\\set a 'b\n", "has a quote that does not end on its line", 1),
    "a value that opens": ("\\set a '\\'x'\nselect :a';\n", 'puts in the value of ":a", which holds "\'"', 2),
    "sent at once": ("select 1\\; select 2;", 'uses "\\;"', 1),
    "behind restrict": ("\\restrict a\nselect 1;\n\\echo x\n", 'uses "\\echo" behind \\restrict', 3),
    "another key": ("\\restrict a\n\\unrestrict b\n", "ends no \\restrict of this key", 2),
    "no key": ("\\restrict\n", "restricts itself without a key", 1),
    "encoding": ("\\encoding latin1\n", "uses an encoding other than UTF8", 1),
    "a mistake in an include": ("\n\\i inner/wrong.sql\n", "cannot be parsed", 3),
}


@pytest.mark.parametrize("name", REFUSED)
def test_refused(tmp_path: Path, name: str) -> None:
    """Each is one error that names file and line, before anything runs."""
    text, message, line = REFUSED[name]
    path = project(tmp_path, text)
    (tmp_path / "inner/round.sql").write_text("\\ir ../x.sql\n", encoding="utf-8")
    (tmp_path / "inner/wrong.sql").write_text("select 1;\n\nselec 2;\n", encoding="utf-8")
    (tmp_path / "inner/link.sql").symlink_to(ROOT / "README.md")
    with pytest.raises(ScriptError) as refused:
        load(path, "deploy", Brought(tmp_path))
    assert message in refused.value.message
    assert "Nothing was run." in (refused.value.detail or "")
    assert refused.value.hint
    if line:
        assert (refused.value.detail or "").startswith(f"This is line {line}.")


def test_given_variables(tmp_path: Path) -> None:
    """What is brought is checked as what a script sets."""
    with pytest.raises(ConfigurationError, match="AUTOCOMMIT"):
        load(project(tmp_path, "select '\\';"), "deploy", Brought(tmp_path, {"AUTOCOMMIT": "off"}))


def test_shell(tmp_path: Path) -> None:
    """Commands in backticks run where that is allowed, in the project's folder; one that fails ends it."""
    path = project(
        tmp_path, "\\set n 'a b'\n\\set a `cat inner/data; echo :'n' '; --'`\nselect :'a';\n\\if `echo 0`\nx\n\\endif"
    )
    script = load(path, "deploy", Brought(tmp_path, backticks=True))
    assert [statement.sql for statement in script.statements] == ["select '1\na b ; --'"]
    path.write_text("\\set a `exit 3`\n", encoding="utf-8")
    with pytest.raises(ScriptError, match="in backticks"):
        load(path, "deploy", Brought(tmp_path, backticks=True))


def test_echo(tmp_path: Path) -> None:
    """What a script echoes is kept, to be shown when it runs."""
    path = project(tmp_path, "\\echo hello :n 'a  b'\n\\qecho -n\n\\if 0\n\\echo no\n\\endif\n\\warn -n x\n")
    assert load(path, "deploy", Brought(tmp_path, {"n": "7"})).said == ("hello 7 a  b", "", "x")
