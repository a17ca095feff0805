"""Plans for every rule of the grammar: what is accepted and what is refused. Sqitch itself is asked about each."""

AT = "2026-01-02T03:04:05Z Ada <ada@example.com>"
HEX = "0123456789abcdef0123456789abcdef01234567"


def plan(*lines: str, header: str = "%project=p\n\n", end: str = "\n") -> bytes:
    """A plan of these lines; ``AT`` is added to each that has no planner and is neither blank nor a comment."""
    whole = [line if "<" in line or not line.strip() or line[0] == "#" else f"{line} {AT}" for line in lines]
    return (header + end.join(whole) + (end if lines else "")).encode()


def _named(rule: str, *plans: bytes) -> dict[str, bytes]:
    return {f"{rule} {number}": data for number, data in enumerate(plans, start=1)}


def _names(*names: str) -> list[bytes]:
    return [plan(name) for name in names]


def _after(first: str, *lines: str) -> list[bytes]:
    """For each line a plan of these two."""
    return [plan(first, line) for line in lines]


def _uri(*uris: str) -> list[bytes]:
    return [plan("a", "@v1", header=f"%project=p\n%uri={uri}\n\n") for uri in uris]


ACCEPTED: dict[str, bytes] = {
    **_named(
        "header",
        b"%project=p\n",
        b"%project=p",
        b"%project=p\n\n",
        b"%syntax-version=1.0.0\n%project=p\n\n",
        b"%syntax-version=9\n%project=p\n\n",
        b"%syntax-version\n%project=p\n\n",
        b"  % \t project \t= \tp \t # a note\n\n",
        b"%project=p # note\n%foo\n%bar=baz qux\n\n",
        b"%project=p\n%project=q\n\n",
        b"# a comment\n%project=p\n\n",
        b"%project=p\n# a comment\n%uri=http://example.com\n\n",
        b"%project=p\r\n%uri=http://example.com\r\n\r\n",
        b"%project=p\n \t \n",
        b"%project=p\n#   \n",
        b"%project=p\n# 0\n",
        plan("a", header="%project=p\n%uri\n\n"),
        plan("a", header="%project=p\n%uri=0\n\n"),
        plan("a", header="%project=p\n%uri=1\n\n"),
        plan("a", header="%project=\u00e4\u4e2d\n\n"),
        plan("a", header="%project=p-q_r.s\n\n"),
        plan("a", header="%project=p\n% =x\n\n"),
        plan("a", header="%project=p\n%\u00a0uri=http://x.com\n\n"),
    ),
    **_named(
        "lines",
        plan("a", "", "  ", "# comment", "   # indented", "b"),
        plan("a", "b", end="\r\n"),
        plan("a", "b").removesuffix(b"\n"),
        plan("a", "#  ", "b"),
        plan("\ta\t"),
        plan("  + a", "- b", "-a2", " \t-\tc"),
        plan("+a", "@v1", " @v2"),
        plan("\u00a0a\u00a0"),
        plan(f"a\u2003{AT}"),
    ),
    **_named(
        "names",
        *_names("a", "_", "a_", "_a", "9", "9a", "a9", "a-b"),
        *_names("a.b", "a--b", "a!b", "a*b", "a(b", "a$b", "a;b", "a,b", "a|b"),
        *_names("a/b", "a/b/c", "a//b", "a~b", "a^b", "a=b", "a%b", "a=1b", "a^1b", "a?b", "a'b", 'a"b', "a&b", "a>b"),
        *_names("a[b", "a]b", "a{b}c", "a`b", "a+b", "users", "ROOTS", "head", "HEADER", "Root", "00", "01"),
        *_names("\u00e9t\u00e9", "\u4e2d\u6587", "\u0442\u0435\u0441\u0442", "e\u0301", "\u0968", "a\u0301b", "\u24b6"),
        *_names("a\u203fb", "a\u2014b", "a\u00ab\u00bbb", "\u2014a", "\U0001f600a", "a\u200cb", "a\u3007", "\u2163"),
        *_names("0123456789abcdef0123456789abcdef0123456", HEX.upper()),
        *_names(f"x{HEX}", "0123456789ABCDEF0123456789abcdef01234567"),
    ),
    **_named(
        "timestamps",
        plan(*(f"a{i} {date} A <a@b>" for i, date in enumerate((
            "2026-02-28T00:00:00Z", "2024-02-29T23:59:59Z", "2000-02-29T00:00:00Z", "2016-12-31T23:59:60Z",
            "1972-06-30T23:59:60Z", "9999-12-31T23:59:59Z", "0001-01-01T00:00:00Z", "0000-01-01T00:00:00Z",
            "0000-02-29T00:00:00Z",
        )))),
        plan("b 2026-01-01T00:00:00Z A <a@b>"),
        plan("a 2026-01-01T00:00:00ZAda <a@b>"),
        plan("a 2026-01-01T00:00:00Z\u00a0Ada <a@b>"),
    ),
    **_named(
        "planners",
        *_names(*(f"a 2026-01-01T00:00:00Z {planner}" for planner in (
            "Ada Löve <ada@example.com>", "  <ada@example.com>", "[x] 2 > 1 <ada at example>", "Ada  \t<<a>",
            "中文 <中@文>", "2026-01-01T00:00:00Z <a>", "@x :y <a>",
        ))),
    ),
    **_named(
        "notes",
        *_names(
            f"a {AT} # a note", f"a {AT}# tight", f"a {AT} #", f"a {AT} #   ", f"a {AT} # one # two", f"a {AT} # 0",
            f"a {AT} #  0  ", f"a {AT} # 00", f"a {AT} # line\\nbreak\\rreturn\\\\backslash\\\\n\\t\\x",
            f"a {AT} # \\n", f"a {AT} # \\", f"a {AT} # \u00a0 Grüße 中文 \U0001f600 \u2003", f"a {AT} # tab\there",
            f"a {AT} # \x1c separators \x1f", f"a {AT} # \x0b\x0c trimmed \x85",
        ),
        plan("a", f"@v {AT} # note of a tag", f"@w {AT} # 0"),
        plan(f"a {AT} # [b] looks like more"),
    ),
    **_named(
        "tags",
        plan("a", "@v1", "@v2", "b", "@v3"),
        plan("a", "@v1.0.0-rc1", "@_", "@a=b", "@\u4e2d"),
        plan("a", "  @v1"),
        plan("a", "@a", "b"),
        plan("a", "@0a", "@00"),
        plan("a", "@v[1"),
        plan("a", f"@v [0] {AT}"),
        plan("a", "@head", "@ROOTS"),
    ),
    **_named(
        "dependencies",
        plan("a", "b [a]", "c [a b]", "d [a  b\tc]"),
        plan("a", "b [a ]", "c [a\u00a0b]"),
        plan("a [0]", "b [ ]", "c [  ]"),
        plan("a", "@v1", "b [@v1]", "c [a@v1]", "d [@v1 a]"),
        plan("a", "b [p:a]", "@v1", "c [p:@v1 p:a@v1 a]"),
        plan("a [q:x]", "b [q:x@v1 q:@v1 q:x@HEAD q:@ROOT q:@HEAD]"),
        plan(f"a [q:{HEX}]", f"b [!q:{HEX}]"),
        plan(f"a [q:{HEX}0]", f"b [q:{HEX}@v1]"),
        plan("a [!b]", "b [!a !q:x !@v9 !a@v9 !nowhere]"),
        plan("a [!a]"),
        plan("a", "b [a !a]"),
        plan("a", "b [!c a !d]", "c [b a]"),
        plan("a [q:0 0q:x]"),
        plan("a", "b [p:a a]"),
        plan("\u4e2d", "b [\u4e2d \u00e4:\u4e2d]"),
        plan("a/b", "c [a/b q:x/y]"),
        plan("a [q:b(c]"),
        plan("a [q:x^1y q:x~y]"),
    ),
    **_named(
        "reworked",
        plan("a", "@v1", "a"),
        plan("a", "@v1", "a [a@v1]"),
        plan("a", "b", "@v1", "@v2", "c", "@v3", "a [a@v3]", "b"),
        plan("a", "@v1", "a [a@v1]", "@v2", "a [a@v2]", "@v3"),
        plan("x", "a", "@v1", "b", "@v2", "b [b@v2]", "c", "@v3", "a [a@v2]", "@v4", "a"),
        plan("d/a", "@v1", "d/a [d/a@v1]"),
        plan("a", "@v1", "a", "@v2", "b [a@v2 @v1]"),
        plan("a", "@v1", "b", "a", "@v2", "c", "b [a]"),
    ),
    **_named(
        "uris",
        *_uri(
            "http://example.com", "HTTP://Example.COM:80/", "https://Example.com:443/a%20b/%7eschema",
            "https://example.com:8443",
            "https://example.com:/", "https://example.com?q=1", "https://example.com/?",
            "https://example.com?", "http://e.com/#f",
            "https://Ada:Pw@Example.com/x", "https://example.com/ä ö", "https://example.com/%c3%a4%2f%2F",
            "https://e.com/%zz%",
            "ftp://FTP.example.com:21/x", "ssh://git@Example.com:22/x", "urn:Foo:Bar",
            "URN:ISBN:0-395-36341-1", "mailto:Ada@Example.com",
            "foo", "foo/bar baz", "//Example.com/x", "Foo:Bar%41", "foo+bar://Example.com:99/%41",
            "file:///Tmp/x", "<http://e.com>",
            "<URL:http://E.com/>", '"http://e.com"', "git@github.com:Foo/bar.git", "https://[::1]:443/x",
            "https://[2001:DB8::1]/",
            "https://example.com/a|b^c`d{e}", "https://example.com/\\x", "tag:example.com,2026:x",
            "data:,A%20b", "https://e.com/a?b|c",
            "rsync://H.com:873/", "telnet://H.com:23", "http:foo", "http:/foo", "http:///foo", "http://e.com:80:80/",
            "https://e.com:0443/", "news:alt.Test", "https://Ä.com/", "file://LOCALHOST/x",
            "https://Ä.Example.com:443/", "https://a.Straße.中文.com", "ftp://É.com/É",
            "file://Example.com/x", "urn:x-%41:b", "urn:", "http://", "https://Ada@É.com", "foo://É.Com/",
            "Postgres://U@H.Com:5432/A", "pgsql:Foo", "redshift://H/", "yugabyte://H:5433/X", "MySQL://H:3306?a=%7e",
            "mariadb://[::1]:3306", "sqlserver://É.de:1433/x", "cockroachdb:///P", "snowflake://H:443/", "oracle://H:/",
            "vertica:Foo", "exasol://H:8563#f", "firebird://H:3051",
        )
    ),
}  # fmt: skip

REFUSED: dict[str, bytes] = {
    **_named(
        "header",
        b"",
        b"\n",
        b"\n%project=p\n",
        b"%uri=http://example.com\n\n",
        b"%project\n\n",
        b"%project=\n\n",
        b"%project=0\n\n",
        b"%project=a b\n\n",
        b"%project=a:b\n\n",
        b"%project=a@b\n\n",
        b"%project=-a\n\n",
        b"%project=a-\n\n",
        b"%project=a=1\n\n",
        b"\xef\xbb\xbf%project=p\n\n",
        b"%project=p\na 2026-01-02T03:04:05Z A <a@b>\n",
        b"%project=p\n#\n",
        b"%project=p\n%\n\n",
        b"%project=p\n%-x\n\n",
        b"%project=p\n%x y\n\n",
        b"%project=p\nfoo\n\n",
        b"%project=p\r\n\r",
        b"%project=\xff\n\n",
        b"# only a comment\n",
        b"%project=p\\q\n\n",
    ),
    **_named(
        "lines",
        plan("a", "#", "b") + b"#\n",
        plan("+"),
        plan("* a"),
        plan("+ - a"),
        plan("a b"),
        plan("a") + b"\xff\n",
        plan("a") + b"b\n",
        plan("a") + b"# \xed\xa0\x80\n",
        plan("a") + b"# \xf4\x90\x80\x80\n",
        plan("a") + b"\xc0\x80\n",
        plan("a") + b"b 2026-01-02T03:04:05Z A <a@b>\r",
    ),
    **_named(
        "names",
        *_names("-", "!a", "$a", ".a", "/a", "a/", "a-", "a.", "a!"),
        *_names("a)", "a:b", "a@b", "a\\b", ":", "~a", "[a", "a]", "a~", "?"),
        *_names("a~1", "a^6", "a=1", "a%2", "a/1", "a/b/2", "a~12", "a\u2014", "\u2014", "\U0001f600", "a#b"),
        *_names("ROOT", "HEAD", "0", HEX, f"{HEX}a", f"{HEX}-x", "a\u00ab", "a^\u0968"),
    ),
    **_named(
        "timestamps",
        *_names(
            "a A <a@b>", "2026-01-01T00:00:00Z A <a@b>", "a [b 2026-01-01T00:00:00Z A <a@b>",
            *(f"a {date} A <a@b>" for date in (
                "2026-01-01", "2026-01-01T00:00:00", "2026-01-01t00:00:00z", "2026-01-01 00:00:00Z",
                "2026-13-01T00:00:00Z", "2026-02-29T00:00:00Z", "2026-04-31T00:00:00Z", "2026-00-01T00:00:00Z",
                "2026-01-00T00:00:00Z", "2026-01-01T24:00:00Z", "2026-01-01T00:60:00Z", "2026-01-01T00:00:61Z",
                "2026-01-01T00:00:60Z", "2015-12-31T23:59:60Z", "1900-02-29T00:00:00Z", "٢٠٢٦-01-01T00:00:00Z",
                "12026-01-01T00:00:00Z",
            )),
        ),
    ),
    **_named(
        "planners",
        plan("x") + b"a 2026-01-01T00:00:00Z\n",
        plan("x") + b"a 2026-01-01T00:00:00Z Ada\n",
        plan("x") + b"a 2026-01-01T00:00:00Z ada@example.com\n",
        *_names(*(f"a 2026-01-01T00:00:00Z{planner}" for planner in (
            " <>", "<a@b>", " Ada <a@b> x", " Ada<a@b>", " A#da <a@b>", " Ada <a@b", " Ada <a> <b>",
        ))),
    ),
    **_named(
        "tags",
        plan("@v1"),
        plan("# nothing yet", "@v1", "a"),
        plan("a", "@v1", "@v1"),
        plan("a", "@v1", "b", "@v1"),
        *_after(
            "a", f"@v1 [a] {AT}", f"@v1 [ ] {AT}", "@v/1", "@a/b", "@ v1", "@@v1", "@HEAD", "@ROOT", "@0", f"@{HEX}",
            "+@v1", "@v1-",
        ),
        plan("a") + b"@v1\n",
    ),
    **_named(
        "dependencies",
        *_names("a []", "a [a]", "a [nowhere]", "a [q:]", "a [!q:]", "a [!]", "a [:x]", "a [q::x]", "a [q:x:y]"),
        *_names("a [q:x@y@z]", "a [!!x]", f"a [p:{HEX}]", "a [q:x-]", "a [q:x^1]"),
        *_after("a", "b[a]", "b [ a]", "b [\ta]", "b [a a]", "b [!a !a]", "b [a b]", "b [@v1]", "b [@HEAD]", "b [a@]"),
        *_after("a", "b [@]", "b [-a]", "b [a,c]", "b [a] [a]", "b [a@v~1]"),
        plan("a [b]", "b"),
        plan("a [b]", "@v1", "b"),
        plan("a [@v1]", "@v1"),
        plan("a", "b [a@v1]", "@v1"),
        plan("a", "@v1", "b [b@v1]"),
        plan("a", "@v1", "b", "c [b@v1]"),
        plan("a", "@v1", "b [a@HEAD]"),
        plan("a", "@v1", "a [a@v1]", "@v2", "b [a@v1]"),
    ),
    **_named(
        "reworked",
        plan("a", "a"),
        plan("a", "b", "a"),
        plan("a", "@v1", "a", "a"),
        plan("a", "@v1", "a", "b [b]"),
    ),
}  # fmt: skip
