-- Is the column that says whose a row is fit for it? It is whatever a service's policy compares with the identity;
-- where it alone is the primary key, the table is the users' own.
select level, format('%s.%I', object, attname) as object, finding, detail, cure
  from owners,
       lateral (
           select 'error' as level, 'an owner may be null' as finding, 'A row without an owner is seen by nobody, and stays.' as detail,
                  format('alter table %s alter column %I set not null', object, attname) as cure
            where not attnotnull
           union all
           select 'warning', 'an owner is not a foreign key', 'Rows can belong to a user who does not exist, or no longer.',
                  format('alter table %s add foreign key (%I) references … on delete cascade', object, attname)
            where not exists (select from pg_constraint where conrelid = relation and contype = 'f' and attnum = any (conkey))
              and not exists (select from pg_constraint where conrelid = relation and contype = 'p' and conkey = array[attnum])
           union all
           select 'warning', 'rows do not go with their owner',
                  format('Constraint %I is ON DELETE %s.', conname, case confdeltype
                         when 'a' then 'NO ACTION' when 'r' then 'RESTRICT' when 'n' then 'SET NULL' else 'SET DEFAULT' end),
                  format('alter table %1$s drop constraint %2$I, add constraint %2$I … on delete cascade', object, conname)
             from pg_constraint
            where conrelid = relation and contype = 'f' and attnum = any (conkey) and confdeltype <> 'c'
           union all
           select 'warning', 'no index begins with the owner', 'A user''s rows are found by reading everybody''s.',
                  format('create index on %s (%I)', object, attname)
            where not exists (select from pg_index
                               where indrelid = relation and indkey[0] = attnum and indpred is null and indisvalid)
           union all
           select 'warning', 'a service may write the owner',
                  format('"%s" may %s it; the policy stands alone then', rolname, command)
                  || case when command = 'UPDATE' then '.' when filled then ', and the column''s default would do.'
                          else ', and no default says who acts.' end,
                  case when command = 'INSERT' and not filled then format('alter table %s alter column %I set default %s::%s; ', object, attname,
                      (select call from said), (select format_type(atttypid, atttypmod) from pg_attribute as own
                                                 where attrelid = relation and own.attnum = owners.attnum)) else '' end
                  || format('revoke %s (%I) on %s from %s', lower(command), attname, object, quote_ident(rolname))
             from readers, (values ('INSERT'), ('UPDATE')) as commands (command),
                  lateral (select exists (select from pg_attrdef, identity where adrelid = relation and adnum = attnum
                                              and strpos(pg_get_expr(adbin, adrelid), call) > 0) as filled) as default_
            where has_column_privilege(oid, relation, attnum, command)
              and not (command = 'INSERT' and exists (select from citus))  -- which writes defaults into what it sends to a shard
       ) as findings
 order by 2, 3, 4;
