-- Which statistics tell by EXPLAIN how often a value occurs in rows that a policy hides? Those that ANALYZE will write, of
-- columns and of expressions, and those that it wrote before.
with tables as (
    select pg_class.oid, format('%I.%I', nspname, relname) as object, nspname, relname, reltuples
      from pg_class
      join audited on audited.oid = relnamespace
     where relkind in ('r', 'p') and relrowsecurity
       and exists (select from readers where has_any_column_privilege(readers.oid, pg_class.oid, 'select'))
),
columns as (
    select tables.*, attname, attstattarget
      from tables
      join pg_attribute on attrelid = tables.oid and attnum > 0 and not attisdropped
     where exists (select from readers where has_column_privilege(readers.oid, attrelid, attnum, 'select'))
)
select 'warning' as level, object, 'statistics tell about hidden rows' as finding,
       format('EXPLAIN reads those of %s.', string_agg(distinct quote_ident(attname), ', ')) as detail,
       format('alter table %s %s', object, string_agg(distinct format('alter column %I set statistics 0', attname), ', ')) as cure
  from columns
 where attstattarget is distinct from 0
 group by object
union all
select 'warning', object, 'stored statistics still tell about hidden rows',
       format('ANALYZE wrote those of %s before.', string_agg(distinct quote_ident(attname), ', ')),
       case when current_setting('server_version_num')::int < 180000
            then format('a superuser runs: delete from pg_statistic where starelid = %L::regclass; or alter table … alter column … type … '
                        'its own type, before policies and views name it', object)
            else string_agg(distinct format('select pg_clear_attribute_stats(%L, %L, %L, %L)', nspname, relname, attname, inherited), '; ') end
  from columns
  join pg_stats using (attname)
 where attstattarget = 0 and schemaname = nspname and tablename = relname
 group by object
union all
select 'warning', object, 'statistics of an expression tell about hidden rows',
       format('EXPLAIN reads those of index %s.', indexrelid::regclass),
       format('alter index %s alter column %s set statistics 0', indexrelid::regclass, attnum)
  from tables
  join pg_index on indrelid = tables.oid
  join pg_attribute on attrelid = indexrelid and indkey[attnum - 1] = 0
 where attstattarget is distinct from 0 and attnum <= indnkeyatts
union all
select 'warning', object, 'extended statistics tell about hidden rows',
       format('EXPLAIN reads those of %I.%I.', statistics_schemaname, statistics_name),
       format('drop statistics %I.%I', statistics_schemaname, statistics_name)
  from tables
  join pg_stats_ext on schemaname = nspname and tablename = relname
union all
-- pg_stats shows them to whom no policy binds.
select 'info', format('database %I', current_database()), 'whether statistics are stored could not be seen',
       format('Row-level security binds "%s", and so hides those of %s.', current_user, string_agg(object, ', ' order by object)),
       'run this as a superuser or a role with BYPASSRLS'
  from tables
 where row_security_active(oid) and reltuples >= 0
having count(*) > 0
 order by 2, 3;
