"""Probes: a statement with the settings it runs under, what carries it, and what is looked at afterwards."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from random import Random

from tests.attacks.arena import without_memory
from tests.search.people import ALICE, BOB
from tests.search.statements import Statements
from tests.search.words import Table, Words

_PARALLEL = (
    "set local parallel_setup_cost = 0; set local parallel_tuple_cost = 0; set local min_parallel_table_scan_size = 0; "
    "set local min_parallel_index_scan_size = 0; "
)
_SEALS = ((90, "good"), (6, "x"), (2, ""), (1, "another's"), (1, "nobody's"))
_CARRIERS = (
    (46, "plain"), (34, "explain"), (5, "prepared"), (3, "parameter"), (5, "cursor"), (4, "twice"), (1, "function"),
    (1, "copy"), (1, "loop"),
)  # fmt: skip
_OBSERVATIONS = (
    "select relname, pg_stat_get_xact_numscans(oid), pg_stat_get_xact_tuples_returned(oid), pg_stat_get_xact_tuples_fetched(oid), "
    "pg_stat_get_xact_blocks_fetched(oid), pg_stat_get_xact_tuples_inserted(oid), pg_stat_get_xact_tuples_updated(oid), "
    "pg_stat_get_xact_tuples_deleted(oid) from pg_class where oid >= 16384 and relkind in ('r', 'i') and pg_stat_get_xact_blocks_fetched(oid) + pg_stat_get_xact_numscans(oid) > 0 order by oid",
    "select * from pg_stat_xact_user_tables where seq_scan + coalesce(idx_scan, 0) + n_tup_ins + n_tup_upd + n_tup_del > 0 order by relid",
    "select locktype, relation, page, tuple, objid, mode, granted, fastpath from pg_locks "
    "where pid = pg_backend_pid() and locktype <> 'virtualxid' and locktype <> 'transactionid' order by 1, 2, 3, 4, 5, 6",
    "select current_setting('app.seen', true), pg_current_xact_id_if_assigned() is null, (select count(*) from pg_cursors)",
)
"""What a session can see of its own transaction, after an error too."""


@dataclass(frozen=True)
class Probe:
    """What Alice sends: first who she is and under which settings, then the statement; then she looks around."""

    number: int
    before: str
    statement: str
    after: str

    @property
    def parallel(self) -> bool:
        """Whether workers may share the work: which of them did how much is chance."""
        return "parallel" in self.before

    def __str__(self) -> str:
        return "\n".join((f"probe {self.number}", self.before, self.statement, self.after))


class Probes:
    """All the probes of one seed, in the order of their numbers; each is the same whatever came before it."""

    def __init__(self, seed: int, words: Words, tables: tuple[Table, ...], seal: str) -> None:
        self._seed, self._words, self._tables, self._seal = seed, words, tables, seal

    def probe(self, number: int) -> Probe:
        """One of them."""
        chance = Random(f"{self._seed} {number}")  # noqa: S311 -- reproducible, not secret
        writer = Statements(chance, self._words, self._tables)
        before = "".join((self._begin(chance), self._settings(chance), self._identity(chance)))
        after = "; ".join(_OBSERVATIONS if chance.random() < 0.25 else _OBSERVATIONS[-1:])
        return Probe(number, before, self._carried(chance, writer), after)

    def __iter__(self) -> Iterator[Probe]:
        number = 0
        while True:
            yield self.probe(number)
            number += 1

    def _begin(self, chance: Random) -> str:
        level = chance.choice(("", "", "", " isolation level repeatable read", " isolation level serializable"))
        return f"begin{level}; set local jit = off; set local statement_timeout = '20s'; "

    def _settings(self, chance: Random) -> str:
        if chance.random() < 0.3:
            return ""
        chosen = chance.sample(self._words.settings, chance.choice((1, 1, 2, 3, 6)))
        scans = chance.sample(
            ("seqscan", "indexscan", "indexonlyscan", "bitmapscan", "sort"), chance.choice((0, 1, 2, 3))
        )
        text = "".join(f"set local {setting.name} = '{setting.value(chance)}'; " for setting in chosen)
        text += "".join(f"set local enable_{scan} = off; " for scan in scans)
        return text + (_PARALLEL if chance.random() < 0.05 else "")

    def _identity(self, chance: Random) -> str:
        (seal,) = chance.choices([seal for _, seal in _SEALS], [weight for weight, _ in _SEALS])
        user = {"another's": BOB, "nobody's": ""}.get(seal, ALICE)
        seal = self._seal if seal in ("good", "another's", "nobody's") else seal
        return f"select app.set_user_id('{user}', '{seal}'); savepoint s"

    def _carried(self, chance: Random, writer: Statements) -> str:
        """The statement itself, explained, prepared, in a cursor, a loop, COPY or a function."""
        (kind,) = chance.choices([kind for _, kind in _CARRIERS], [weight for weight, _ in _CARRIERS])
        statement = writer.statement() if kind in ("plain", "explain", "prepared", "twice") else writer.select()
        if kind == "explain":
            return self._explained(chance, statement)
        if kind == "twice":
            return f"{statement}; {writer.statement()}"
        if kind == "prepared":
            explained = chance.choice(("", "", self._explained(chance, "")))
            return f"prepare p as {statement}; {explained}execute p; execute p"
        if kind == "parameter":
            type_, statement, value = writer.parameterised()
            explained = chance.choice(("", self._explained(chance, "")))
            return f"prepare p ({type_}) as {statement}; {explained}execute p ({value}); {f'execute p ({value}); ' * 5}execute p (null)"
        if kind == "cursor":
            scroll, count, move = (
                chance.choice(("", "scroll ", "no scroll ", "insensitive ")),
                chance.choice(("1", "3", "all")),
                chance.choice(("1", "-1", "all")),
            )
            return f"declare c {scroll}cursor for {statement}; fetch {count} from c; move {move} in c; fetch all from c"
        if kind == "loop":
            return f"do $do$ declare r record; begin for r in {statement} loop perform set_config('app.seen', r::text, true); end loop; exception when others then perform set_config('app.seen', sqlstate || sqlerrm, true); end $do$"
        if kind == "copy":
            return f"copy ({statement}) to stdout"
        return f"select query_to_xml($q${statement}$q$, true, false, '')" if kind == "function" else statement

    def _explained(self, chance: Random, statement: str) -> str:
        """EXPLAIN, with any option but those that tell the time or how busy the server is."""
        options = []
        if chance.random() < 0.75:
            options += ["analyze", "timing off", "summary off", f"buffers {chance.choice(('on', 'off', 'off'))}"]
            if self._words.version >= 17 and chance.random() < 0.1:
                options.append(f"serialize {chance.choice(('text', 'binary'))}")
            if self._words.version >= 17 and chance.random() < 0.1:
                options.append("memory")
        elif self._words.version >= 16 and chance.random() < 0.1:
            options.append("generic_plan")
        if "buffers on" not in options:
            options.append(f"format {chance.choice(('text', 'text', 'text', 'json', 'yaml', 'xml'))}")
        options += [option for option in ("verbose", "settings", "costs off") if chance.random() < 0.3]
        return f"explain ({', '.join(options)}) {statement}"


_WORKER = re.compile(r"^\s*(Worker \d+:|Workers Launched|Workers:|.*Worker Number).*$", re.MULTILINE)
_NOW = re.compile(r"\d{4}-\d\d-\d\d[ T][\d:]{8}\.\d+")


def normalised(answer: str) -> str:
    """An answer without what is chance: the time, whether a page was in memory, and which worker did what."""
    return _WORKER.sub("", _NOW.sub("now", without_memory(answer)))
