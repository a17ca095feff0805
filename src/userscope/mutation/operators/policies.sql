-- What could be wrong with a policy.
with clauses as (
    select policies.*, words, expression, other
      from policies cross join lateral (
               values ('using', using_text, check_text), ('with check', check_text, using_text)
           ) as clause (words, expression, other)
     where expression is not null
),
-- What tells in a policy who acts: a helper called without arguments, or a setting.
identities as (
    select target, words, read, row_number() over (partition by target, words order by first, read) as n
      from (
          select target, words, 1 as first, format('(select %s())', plain) as read
            from clauses join functions on in_policy and called_bare and position(plain || '(' in expression) > 0
           union
          select target, words, 2, format('nullif(current_setting(%L, true), '''')', setting[1])
            from clauses, regexp_matches(expression, 'current_setting\(''([^'']+)''', 'g') as read (setting)
      ) as found
),
-- Each column of a clause's table, and whether the clause looks at it.
looks as (
    select clauses.*, columns.name as column_name, type, not_null, attnum, pattern, expression ~ pattern as used
      from clauses join columns using (table_oid)
           cross join lateral (
               select format('(?<![\w."])%s(?![\w"(])', regexp_replace(columns.name, '\W', '\\\&', 'g'))
           ) as told (pattern)
),
rewritten (target, words, operator, new, widens) as (
    select target, words, 'false', 'false', false from clauses
     union all
    select target, words, 'true', 'true', true from clauses where expression <> 'true'
     union all
    select target, words, 'negated', format('not (%s)', expression), true from clauses where expression <> 'true'
     union all
    select target, words, 'or no identity' || case when n > 1 then ' ' || n else '' end,
           format('(%s) or %s is null', expression, read), true
      from clauses join identities using (target, words) where expression <> 'true'
     union all
    (select distinct on (target, words) target, words, 'or another column',
            format('(%s) or %s is not null', expression, column_name), true
       from looks where not used and expression <> 'true'
      order by target, words, not not_null, attnum)
     union all
    -- The first other column of the same type.
    (select distinct on (looks.target, looks.words, looks.attnum) looks.target, looks.words,
            format('%s for %s', another.column_name, looks.column_name),
            regexp_replace(looks.expression, looks.pattern, replace(another.column_name, '\', '\\'), 'g'), true
       from looks join looks as another
         on (another.target, another.words, another.type) = (looks.target, looks.words, looks.type) and not another.used
      where looks.used and looks.expression <> 'true'
      order by looks.target, looks.words, looks.attnum, another.attnum)
     union all
    select target, words, 'the other clause''s', other, true
      from clauses where other <> expression and expression <> 'true'
),
promises (widens, promise, idea) as (
    values (true, 'a user reaches only their own rows',
                  'as one user, %s on %s, and compare: another''s row must exist, untouched'),
           (false, 'whoever a row is for reaches it', 'as the one it is for, %s on %s, and see that it works')
),
planted (target, operator, ddl, promise, idea, widens) as (
    select target, 'policy dropped', array[format('drop policy %s on %s', name, relation)], null, null, false from policies
     union all
    select target, words || ' ' || operator,
           array[format('alter policy %s on %s %s (%s)', name, relation, words, new)], null, null, widens
      from rewritten join policies using (target)
     union all
    select target, 'to ' || role, array[format('alter policy %s on %s to %s', name, relation, role)],
           'a policy is for the role it was written for', null, true
      from policies, (select 'public' union all select name from roles) as whom (role) where roles <> array[role]
     union all
    -- What ALTER POLICY cannot change is made anew. Where both clauses are equal PostgreSQL takes USING for a missing
    -- WITH CHECK: nothing would change.
    select target, operator,
           array[format('drop policy %s on %s', name, relation),
                 concat(format('create policy %s on %s as %s for %s to %s', name, relation, new.kind, new.command,
                               array_to_string(roles, ', ')),
                        ' using (' || using_text || ')', ' with check (' || new.check_text || ')')],
           promise, idea, widens
      from policies cross join lateral (
               values ('permissive or restrictive', true, case kind when 'permissive' then 'restrictive' else 'permissive' end,
                       command, check_text, null, null, false),
                      ('for all commands', command <> 'all', kind,
                       'all', check_text, 'a policy is for the command it was written for', null, true),
                      ('without check', check_text <> using_text, kind,
                       command, null, null, format('as one user, write a row to %s that would be another''s', relation), true)
           ) as new (operator, applies, kind, command, check_text, promise, idea, widens)
     where applies
)
select operator, target, ddl, coalesce(planted.promise, promises.promise) as promise,
       coalesce(planted.idea, format(promises.idea, case command when 'all' then 'every command' else upper(command) end, relation)) as idea
  from planted join policies using (target) join promises using (widens)
