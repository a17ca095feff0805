-- Which policies let a row be changed into one that they would not have shown? So rows are given away.
select 'error' as level, format('policy %I on %s', policy, object) as object,
       'WITH CHECK is wider than USING' as finding,
       format('USING compares %s with the identity, WITH CHECK does not.', string_agg(quote_ident(attname), ', ' order by attname)) as detail,
       format('alter policy %I on %s with check (the same as using)', policy, object) as cure
  from clauses
  join compared using (expression)
  join (select relation, policy, expression as check from clauses where clause = 'WITH CHECK') as after using (relation, policy)
 where clause = 'USING' and permissive and command in ('w', '*')
   and not exists (select from compared as kept where kept.expression = after.check and kept.attname = compared.attname)
   -- Narrower by OR: it may drop a way to see a row, such as being one of its members, but not all.
   and not exists (select from compared as kept where kept.expression = after.check
                      and kept.attname in (select other.attname from compared as other where other.expression = clauses.expression)
                      and clauses.expression like '% OR %')
 group by policy, object
 order by 2;
