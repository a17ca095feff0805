"""Forging: another user's id in the setting, by every clause and every kind of statement that can evaluate a call."""

from tests.attacks.attack import EXPOSED, HARVEST, NAIVE, Attack, Outcome

_FORGE = "set_config('app.user_id', '{bob}', true)"

# Each evaluates the call, whatever it does besides; what is read afterwards is read as whom the setting names.
CLAUSES = {
    "the select list": "select {call}",
    "FROM": "select * from {call} as forged",
    "a lateral join": "select 1 from (values (1)) as a (one) cross join lateral (select one, {call}) as b",
    "WHERE": "select 1 where {call} is not null",
    "a common table expression": "with forged as materialized (select {call}) select * from forged",
    "GROUP BY and HAVING": "select 1 group by 1 having max({call}) is not null",
    "ORDER BY": "select n from generate_series(1, 2) as n order by n, {call}",
    "LIMIT": "select 1 limit length({call})",
    "OFFSET": "select 1 offset length({call})",
    "a window": "select count(*) over (order by {call})",
    "an aggregate's FILTER": "select count(*) filter (where {call} is not null)",
    "CASE": "select case when {call} is null then 1 end",
    "an array of a subquery": "select array(select {call})",
    "EXISTS": "select exists (select 1 where {call} is not null)",
    "VALUES": "values ({call})",
    "UNION, before the rows": "(select {call}, null) union all (select title, description from app.todos)",
    "a row's JOIN condition": "select 1 from app.todos as t join (values (1)) as v (n) on {call} is not null",
    "INSERT … SELECT": "insert into app.todos (title) select 'mine' where {call} is not null",
    "INSERT … RETURNING": "insert into app.todos (title) values ('mine') returning {call}",
    "UPDATE … FROM": "update app.todos set completed = completed from (select {call}) as forged",
    "UPDATE … RETURNING": "update app.todos set completed = completed returning {call}",
    "DELETE's WHERE": "delete from app.todos where {call} is null",
    "MERGE": "merge into app.todos as t using (select {call} as one) as f on t.title = f.one when not matched then do nothing",
    "EXPLAIN ANALYZE": "explain analyze select {call}",
    "a cursor": "declare forger cursor for select {call}; fetch forger",
    "a prepared statement": "prepare forger as select {call}; execute forger",
    "COPY": "copy (select {call}) to stdout",
    "DO": "do $$ begin perform {call}; end $$",
    "SQL in a function's argument": "select * from ts_stat($$ select to_tsvector({call}) $$)",
    "a comment in between": "select/**/{call}--",
    "stacked statements": "select 1; select {call}; select 2",
}

_CALLS = {
    "set_config for the session": "select set_config('app.user_id', '{bob}', false)",
    "app.set_user_id": "select app.set_user_id('{bob}')",
    "app.set_user_id with one's own seal": "select app.set_user_id('{bob}', current_setting('app.user_seal'))",
    "SET": "set app.user_id = '{bob}'",
    "SET LOCAL": "set local app.user_id to '{bob}'",
    "SET in capitals": "set local \"APP.USER_ID\" = '{bob}'",
}

ATTACKS = [
    *(
        Attack(
            f"set_config in {clause}",
            (text.replace("{call}", _FORGE), *HARVEST),
            unsealed=Outcome.WORKS,
        )
        for clause, text in CLAUSES.items()
    ),
    *(
        # One's own seal does not fit Bob, and a wrong seal is refused also while none is required.
        Attack(name, (text, *HARVEST), hole=NAIVE, unsealed=Outcome.WORKS)
        for name, text in _CALLS.items()
    ),
    Attack(
        "a transaction of one's own: COMMIT, BEGIN, then SET",
        ("commit", "begin", "set local app.user_id = '{bob}'", *HARVEST),
        unsealed=Outcome.WORKS,
    ),
    Attack(
        "COMMIT AND CHAIN, then set_config",
        ("commit and chain", f"select {_FORGE}", *HARVEST),
        unsealed=Outcome.WORKS,
    ),
    Attack(
        "forged for the session, then read outside of any transaction",
        ("commit", "select set_config('app.user_id', '{bob}', false)", *HARVEST),
        unsealed=Outcome.WORKS,
    ),
    Attack(
        "Bob's id in braces",
        ("select set_config('app.user_id', '{' || '{bob}' || '}', true)", *HARVEST),
        hole=NAIVE,
        unsealed=Outcome.WORKS,
    ),
    Attack("no identity: RESET", ("reset app.user_id", *HARVEST), hole=EXPOSED),
    Attack("no identity: RESET ALL", ("reset all", *HARVEST), hole=EXPOSED),
    Attack("no identity: ROLLBACK", ("rollback", *HARVEST), hole=EXPOSED),
    Attack("no identity: DISCARD ALL", ("commit", "discard all", *HARVEST), hole=EXPOSED),
    Attack("no identity: COMMIT AND CHAIN", ("commit and chain", *HARVEST), hole=EXPOSED),
    Attack("no identity: an empty one", ("select app.set_user_id('')", *HARVEST), hole=EXPOSED),
    Attack("no identity: null", ("select app.set_user_id(null, null)", *HARVEST), hole=EXPOSED),
    Attack(
        "a pattern instead of an id",
        tuple(step for text in ("%", "*", "' or true --", "null", "0", "-1")
              for step in (f"select set_config('app.user_id', $w${text}$w$, true)", *HARVEST)),
        hole=EXPOSED,
    ),
    Attack(
        "Bob's identity kept for ALTER ROLE and ALTER DATABASE",
        ("alter role current_user set app.user_id = '{bob}'", "alter database {database} set app.user_id = '{bob}'",
         "alter role all set app.user_id = '{bob}'"),
        hole="alter role app_service superuser",
    ),
]  # fmt: skip
