-- Verify schema:todos on pg

begin;

-- Definitions come out alike whatever the session's own path is.
set local search_path = pg_catalog, pg_temp;

do $$
declare
    missing text;
begin
    with wanted (fact) as (values
        ('app.todos: row-level security enabled and forced, owned by the owner of the schema'),
        ('app.todos: column owner_id uuid not null default app.current_user_id() statistics 0'),
        ('app.todos: column id uuid not null default gen_random_uuid() statistics 0'),
        ('app.todos: column title text not null statistics 0'),
        ('app.todos: column description text statistics 0'),
        ('app.todos: column completed boolean not null default false statistics 0'),
        ('app.todos: column due_at timestamp with time zone statistics 0'),
        ('app.todos: column created_at timestamp with time zone not null default now() statistics 0'),
        ('app.todos: column updated_at timestamp with time zone not null default now() statistics 0'),
        ('app.todos: constraint todos_description_check CHECK ((char_length(description) <= 10000))'),
        ('app.todos: constraint todos_owner_id_fkey FOREIGN KEY (owner_id) REFERENCES app.users(id) ON DELETE CASCADE'),
        ('app.todos: constraint todos_pkey PRIMARY KEY (owner_id, id)'),
        ('app.todos: CREATE INDEX todos_owner_id_created_at_id_idx ON app.todos USING btree (owner_id, created_at DESC, id)'),
        ('app.todos: CREATE INDEX todos_owner_id_due_at_idx ON app.todos USING btree (owner_id, due_at) WHERE (NOT completed)'),
        ('app.todos: CREATE TRIGGER touch BEFORE UPDATE ON app.todos FOR EACH ROW EXECUTE FUNCTION app.touch()'),
        ('app.todos: constraint todos_title_check CHECK (((char_length(title) <= 200) AND (btrim(title, ''' ||
         U&'\0009\000A\000B\000C\000D\001C\001D\001E\001F\0020\0085\00A0\1680'
           '\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\2028\2029\202F\205F\3000' || '''::text) <> ''''::text)))')
    ),
    tables as (select unnest(array['app.todos']::regclass[]) as oid),
    found (fact) as (
        select format('%s: row-level security enabled and forced, owned by the owner of the schema', oid::regclass)
          from pg_class
         where oid in (select oid from tables) and relrowsecurity and relforcerowsecurity
           and relowner = (select nspowner from pg_namespace where pg_namespace.oid = relnamespace)
        union all
        select format('%s: column %s %s%s%s%s', attrelid::regclass, attname, format_type(atttypid, atttypmod),
                      case when attnotnull then ' not null' end, ' default ' || pg_get_expr(adbin, adrelid),
                      case when attstattarget = 0 then ' statistics 0' end)
          from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attrelid in (select oid from tables) and attnum > 0
        union all
        select format('%s: constraint %s %s', conrelid::regclass, conname, pg_get_constraintdef(oid))
          from pg_constraint
         where conrelid in (select oid from tables) and convalidated
        union all
        select format('%s: %s', indrelid::regclass, pg_get_indexdef(indexrelid))
          from pg_index
         where indrelid in (select oid from tables) and indisvalid
        union all
        select format('%s: %s', tgrelid::regclass, pg_get_triggerdef(oid))
          from pg_trigger
         where tgrelid in (select oid from tables) and tgenabled in ('O', 'A')
    )
    select string_agg(fact, '; ') into missing from (select fact from wanted except select fact from found) as gaps;
    if missing is not null then
        raise exception 'schema:todos is not as it was deployed' using detail = 'Missing: ' || missing || '.';
    end if;
end
$$;

rollback;
