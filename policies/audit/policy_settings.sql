-- Which policies ask for the identity in another way than once a statement, through its function? Any SQL can change a
-- setting, and all users share a login.
select level, format('policy %I on %s', policy, object) as object, clause || ' ' || what as finding, detail,
       format('alter policy %I on %s %s (… = (select %s))', policy, object, lower(clause),
              coalesce((select max(call) from identity where strpos(expression, call) > 0), (select call from said))) as cure
  from clauses
  join marked using (expression),
       lateral (
           select 'warning' as level, 'asks for the identity once a row' as what,
                  'Wrapped in a SELECT it is asked once a statement.' as detail
            where replace(text, '( SELECT @me AS ', '') like '%@me%' and exists (select from identity where proc is not null)
              and not exists (select from citus)  -- which refuses a sub-select, and asks once on each shard
           union all
           select 'error', 'reads a setting', 'One injected set_config() forges it, whatever is sealed.'
            where text ~ 'current_setting\('
           union all
           select 'error', 'asks who is logged in', 'Services share one login, so it says nothing about the user.'
            where text ~ '\y(CURRENT_USER|SESSION_USER|CURRENT_ROLE|USER)\y'
       ) as findings
 order by 2, 3;
