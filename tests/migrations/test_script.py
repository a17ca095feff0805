"""Scripts are split by PostgreSQL's parser and sorted by what they do to transactions."""

from pathlib import Path

import pytest

from tests.migrations.conftest import NASTY, ROOT
from userscope.errors import ScriptError
from userscope.migrations import script as module
from userscope.migrations.script import Script, load, split
from userscope.postgres.parser import postgast

PATH = Path("deploy/x.sql")


def parts(text: str) -> list[str]:
    """The statements of a script."""
    return [statement.sql for statement in split(text, PATH)]


def script(text: str) -> Script:
    """A script of this text."""
    return Script(PATH, tuple(split(text, PATH)))


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("", []),
        ("  -- only a comment; with a semicolon\n/* and ; /* nested ; */ */\n", []),
        (";;\n;", []),
        ("select 1", ["select 1"]),
        ("select 1; select 2;", ["select 1", "select 2"]),
        ("select ';', E'\\';', \"a;b\", $$;$$, $x$;$$;$x$", ["select ';', E'\\';', \"a;b\", $$;$$, $x$;$$;$x$"]),
        ("select 'it''s;'; select U&'\\003b';", ["select 'it''s;'", "select U&'\\003b'"]),
        ("select 1 -- a; b\n + 2; select 3", ["select 1 -- a; b\n + 2", "select 3"]),
        ("select 1 /* a; /* b; */ c; */ + 2; select 3", ["select 1 /* a; /* b; */ c; */ + 2", "select 3"]),
        (
            "create function f() returns int begin atomic select 1; select case when a then 2 end; end; select 3;",
            ["create function f() returns int begin atomic select 1; select case when a then 2 end; end", "select 3"],
        ),
        (
            "create procedure p() language plpgsql as $$ begin commit; end $$; call p();",
            ["create procedure p() language plpgsql as $$ begin commit; end $$", "call p()"],
        ),
        (
            "create rule r as on insert to t do also (select 1; select 2); select 3",
            ["create rule r as on insert to t do also (select 1; select 2)", "select 3"],
        ),
        ("select 'é' as ü; select '😀;'", ["select 'é' as ü", "select '😀;'"]),
        ("select 1;\r\nselect 2;\r\n", ["select 1", "select 2"]),
        # PostgreSQL 18's own grammar.
        ("update t set a = 1 returning old.a, new.a", ["update t set a = 1 returning old.a, new.a"]),
    ],
)  # fmt: skip
def test_split(text: str, expected: list[str]) -> None:
    """Quotes, comments, dollars, BEGIN ATOMIC and rules do not fool it."""
    assert parts(text) == expected


def test_newest_grammar() -> None:
    """PostgreSQL 18's own syntax is understood."""
    assert parts(
        "create table t (a int, b int generated always as (a) virtual, unique (a, b without overlaps)); select"
    )


def test_lines() -> None:
    """A statement knows the line on which it begins, past comments."""
    statements = list(split("-- one\nselect 'a\nb';\n\n/* four\nfive */ select 2; select 3;\n", PATH))
    assert [statement.line for statement in statements] == [2, 6, 6]


@pytest.mark.parametrize(
    ("text", "one"),
    [
        ("", True),
        ("begin; select 1; commit;", True),
        ("BEGIN; END;", True),
        ("start transaction; select 1; end transaction;", True),
        ("begin work; savepoint a; rollback to a; rollback work to savepoint a; release a; commit work;", True),
        ("begin isolation level serializable; select 1; commit and no chain;", True),
        ("begin; prepare x as select 1; execute x; deallocate x; set local role a; commit;", True),
        ("begin; create function f() returns int begin atomic select 1; end; commit;", True),
        ("begin; do $$ begin perform 1; end $$; commit;", True),
        ("begin; select 1; commit; select 2;", False),
        ("select 1; begin; commit;", False),
        ("select 1;", False),
        ("begin; commit; begin; commit;", False),
        ("begin; begin; commit;", False),
        ("begin read only; select 1; commit;", False),
        ("start transaction isolation level serializable, read only; commit;", False),
        ("begin; prepare transaction 'x';", False),
        ("begin; select 1; commit and chain; commit;", False),
        ("commit prepared 'x';", False),
        ("create index concurrently on t (a);", False),
    ],
)
def test_is_transaction(text: str, one: bool) -> None:
    """A script is one transaction if it begins one, ends it at its end, and does nothing to it in between."""
    assert script(text).is_transaction is one


@pytest.mark.parametrize(
    ("text", "folds"),
    [
        ("begin; select 1; rollback;", True),
        ("begin; select 1; commit;", True),
        ("begin; select 1;", True),
        ("select 1; select 2;", True),
        ("", True),
        ("start transaction; select 1; abort;", True),
        ("begin isolation level serializable; select 1; rollback;", False),
        ("begin read only; select 1; rollback;", False),
        ("begin; select 1; rollback; begin; select 2; rollback;", False),
        ("begin; select 1; rollback and chain; rollback;", False),
    ],
)
def test_folds(text: str, folds: bool) -> None:
    """A verification runs inside the deploying transaction if it is one plain transaction, or none."""
    assert script(text).folds is folds


@pytest.mark.parametrize(
    ("text", "adds"),
    [
        ("begin; alter type a.b add value if not exists 'c' before 'd'; commit;", True),
        ("begin; alter type a rename value 'c' to 'd'; alter type a add attribute value int; commit;", False),
        ("select 'alter type a add value';", False),
    ],
)
def test_adds_enum_value(text: str, adds: bool) -> None:
    """A new enum value cannot be used before the commit, so the verification has to wait."""
    assert script(text).adds_enum_value is adds


@pytest.mark.parametrize(
    "text",
    [
        "select a[1:n] from t",
        "select a[1:x.n], a[:2], a[1:]",
        "select json_object('a':b, 'c':1)",
        "select 1::int, '12:30:x', \":x\", $$:x$$ -- :x",
        "do $$ begin x := 1; end $$",
        "copy t from '/tmp/file'; copy t to program 'cat'",
        "select '\\echo' as \"\\x\"",
    ],
)
def test_not_psql(text: str) -> None:
    """What merely looks like psql's is SQL."""
    assert parts(text)


@pytest.mark.parametrize(
    ("text", "message", "line"),
    [
        ("select 1;\nselec 2;\n", 'syntax error at or near "selec"', 2),
        ("select 'é😀é😀é😀';\n\nselec 2;\n", 'syntax error at or near "selec"', 3),
        ("select 'open\n", "unterminated quoted string", 1),
        ("select 1;\nselect $$ open\n", "unterminated dollar-quoted string", 2),
        ("begin;\ncreate table (a int);\n", 'syntax error at or near "\\("', 2),
    ],
)
def test_syntax_error(text: str, message: str, line: int) -> None:
    """A mistake is told before anything runs, with its line."""
    with pytest.raises(ScriptError, match=f"cannot be parsed: {message}") as refused:
        parts(text)
    assert (refused.value.detail or "").startswith(f"This is line {line}.")


def test_unreadable(tmp_path: Path) -> None:
    """A file that is no text, or that cannot be read, is refused."""
    for name, data, message in (("a", b"select '\xff'", "is not UTF-8"), ("b", b"select '\0'", "holds a zero byte")):
        (tmp_path / name).write_bytes(data)
        with pytest.raises(ScriptError, match=message):
            load(tmp_path / name, "deploy")
    with pytest.raises(ScriptError, match="cannot read"):
        load(tmp_path, "deploy")


def test_byte_order_mark(tmp_path: Path) -> None:
    """A byte order mark before a script is skipped, as psql skips it."""
    (tmp_path / "a.sql").write_bytes(b"\xef\xbb\xbfselect 1;")
    assert [statement.sql for statement in load(tmp_path / "a.sql", "deploy").statements] == ["select 1"]


@pytest.mark.parametrize(
    "path",
    sorted(path for folder in (ROOT / "schema", ROOT / "policies", NASTY) for path in folder.rglob("*/*.sql")
           if path.parent.name in ("deploy", "revert", "verify")),
    ids=lambda path: "/".join(path.parts[-3:]),
)  # fmt: skip
def test_whole(path: Path) -> None:
    """Splitting a real script loses nothing but blanks, comments and semicolons between statements."""
    text = path.read_text(encoding="utf-8")
    rest = text
    for statement in split(text, path):
        before, found, rest = rest.partition(statement.sql)
        assert found
        assert not [
            line for line in before.splitlines() if line.strip(" ;") and not line.lstrip("; ").startswith(("--", "/*"))
        ]
    assert not rest.strip(" ;\n")


IN_PARTS = """\
select 1; -- one;
select 'a;
b', $$ ; $$, $x$;
$$;
$x$;
/* c;
/* d;
*/ e;
*/
create function f() returns int begin atomic
    select 1;
    select 2;
end;\r
create rule r as on insert to t do also (
    select 1;
    select 2
);
  ;
select "q;
"; select é, 2;

select 3
"""


@pytest.mark.parametrize("size", range(1, len(IN_PARTS), 7))
def test_in_parts(monkeypatch: pytest.MonkeyPatch, size: int) -> None:
    """Wherever a script is cut to be parsed, what comes out is the same, and so are the lines."""
    whole = list(split(IN_PARTS, PATH))
    monkeypatch.setattr(module, "_PART", size)
    assert list(split(IN_PARTS, PATH)) == whole
    with pytest.raises(ScriptError, match='syntax error at or near "selec"') as refused:
        list(split(f"{IN_PARTS};\n\nselec 1;\nselect 2;\n", PATH))
    assert refused.value.detail == f"This is line {IN_PARTS.count(chr(10)) + 3}. Nothing was run."


def test_memory(monkeypatch: pytest.MonkeyPatch) -> None:
    """The parser takes seventeen times what it is given: of a big script it is given a part at a time."""
    given, parser = [0], postgast.split

    def parse(text: str) -> list[str]:
        given.append(len(text))
        found: list[str] = parser(text)
        return found

    monkeypatch.setattr(module, "_PART", 1000)
    monkeypatch.setattr(postgast, "split", parse)
    assert len(parts("insert into t values (1);\n" * 1000)) == 1000
    assert max(given) < 1100
