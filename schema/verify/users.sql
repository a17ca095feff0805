-- Verify schema:users on pg

begin;

-- Definitions come out alike whatever the session's own path is.
set local search_path = pg_catalog, pg_temp;

do $$
declare
    missing text;
begin
    with wanted (fact) as (values
        ('app.users: row-level security enabled and forced, owned by the owner of the schema'),
        ('app.users: column id uuid not null default gen_random_uuid() statistics 0'),
        ('app.users: column name text not null statistics 0'),
        ('app.users: column email text not null statistics 0'),
        ('app.users: column email_verified boolean not null default false statistics 0'),
        ('app.users: column image text statistics 0'),
        ('app.users: column username text statistics 0'),
        ('app.users: column display_username text statistics 0'),
        ('app.users: column created_at timestamp with time zone not null default now() statistics 0'),
        ('app.users: column updated_at timestamp with time zone not null default now() statistics 0'),
        ('app.users: constraint users_email_check CHECK (((email ~ ''^[!-@[-~]+$''::text) AND (char_length(email) <= 254)))'),
        ('app.users: constraint users_email_key UNIQUE (email)'),
        ('app.users: constraint users_pkey PRIMARY KEY (id)'),
        ('app.users: constraint users_username_check CHECK ((username ~ ''^[a-z0-9_.]{3,30}$''::text))'),
        ('app.users: constraint users_username_key UNIQUE (username)'),
        ('app.users: CREATE TRIGGER touch BEFORE UPDATE ON app.users FOR EACH ROW EXECUTE FUNCTION app.touch()')
    ),
    tables as (select unnest(array['app.users']::regclass[]) as oid),
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
        raise exception 'schema:users is not as it was deployed' using detail = 'Missing: ' || missing || '.';
    end if;
end
$$;

rollback;
