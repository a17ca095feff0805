-- Deploy §{schema}:§{change} to pg
-- requires: §{identity}

begin;

-- What ANALYZE wrote would stay, and EXPLAIN tell by it how many rows another user has, or which values occur. Up to
-- PostgreSQL 17 it goes when a column is given its own type anew, which rewrites nothing, or by a superuser's hand.
do §{quote}
declare
    subject constant regclass := §{literal};
    stored  record;
begin
    for stored in
        select attrelid::regclass as relation, attname,
               (select format('%I.%I', nspname, relname)
                  from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
                 where pg_class.oid = attrelid) as named
          from pg_catalog.pg_attribute
         where attnum > 0 and not attisdropped
           and (attrelid = subject
                or attrelid in (select indexrelid from pg_catalog.pg_index where indrelid = subject and 0 = any (indkey)))
           and (row_security_active(subject)
                or exists (select from pg_catalog.pg_stats
                            where format('%I.%I', schemaname, tablename)::regclass = attrelid
                              and pg_stats.attname = pg_attribute.attname))
         order by attrelid, attnum
    loop
        begin
            if current_setting('server_version_num')::int >= 180000 then
                perform pg_catalog.pg_clear_attribute_stats(nspname::text, relname::text, stored.attname::text, false)
                   from pg_catalog.pg_class join pg_catalog.pg_namespace on pg_namespace.oid = relnamespace
                  where pg_class.oid = stored.relation;
            elsif (select rolsuper from pg_catalog.pg_roles where rolname = current_user) then
                delete from pg_catalog.pg_statistic where starelid = stored.relation;
            else
                execute (select format('alter table %s alter column %I type %s%s', stored.relation, attname, format_type(atttypid, atttypmod),
                                       (select format(' collate %I.%I', collnamespace::regnamespace::name, collname)
                                          from pg_catalog.pg_collation where pg_collation.oid = attcollation))
                           from pg_catalog.pg_attribute where attrelid = stored.relation and attname = stored.attname);
            end if;
        exception when others then
            raise warning 'statistics of %.% are stored still', stored.named, stored.attname using
                detail = sqlerrm,
                hint = format('A superuser runs: delete from pg_statistic where starelid = %L::regclass.', stored.named);
        end;
    end loop;
end
§{quote};

alter table §{table}
§{statistics};
§{expressions}
-- Closed until a policy opens it, to its owner as well.
alter table §{table} enable row level security, force row level security;
§{index}
commit;
