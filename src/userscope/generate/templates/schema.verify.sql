-- Verify §{schema}:§{table} on pg

begin;

set local search_path = pg_catalog, pg_temp;

do $$
begin
    if not (select relrowsecurity and relforcerowsecurity from pg_class where oid = 'app.§{table}'::regclass) then
        raise exception 'row-level security on app.§{table} is not enabled and forced';
    end if;
    if not exists (
        select from pg_constraint
         where conrelid = 'app.§{table}'::regclass
           and pg_get_constraintdef(oid) = 'FOREIGN KEY (owner_id) REFERENCES app.users(id) ON DELETE CASCADE'
    ) then
        raise exception '§{many} do not go when their owner goes';
    end if;
    if exists (
        select from pg_attribute
         where attrelid = 'app.§{table}'::regclass and attnum > 0 and not attisdropped and attstattarget is distinct from 0
    ) then
        raise exception 'app.§{table} keeps statistics, which EXPLAIN shows to everyone';
    end if;
end
$$;

rollback;
