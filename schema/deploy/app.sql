-- Deploy schema:app to pg
--
-- The schemas, the roles, what PUBLIC loses, and what verify scripts share. Everything else stands on this.

begin;

-- Roles belong to the whole server: another database may have made them already, or be making them this moment. Only
-- their maker may comment on them (PostgreSQL 16 asks for ADMIN), so the comment is part of making them.
do $$
declare
    service text;
    purpose text;
begin
    if current_setting('server_version_num')::int < 150000 then
        raise exception 'PostgreSQL 15 or newer is needed, this is %', current_setting('server_version');
    end if;
    -- Titles are checked for blanks beyond ASCII, which only UTF8 can name.
    if getdatabaseencoding() <> 'UTF8' then
        raise exception 'the database''s encoding is %, it must be UTF8', getdatabaseencoding() using
            hint = 'Create the database with: create database … encoding ''UTF8'' template template0.';
    end if;
    for service, purpose in values
        ('app_user', 'What services act as: subject to row-level security, reaches the rows of the user in app.user_id.'),
        ('app_auth', 'The identity provider, such as Better Auth: manages accounts and sessions, sees no todos.'),
        ('app_gate', 'Owns what answers for fenced tables; subject to row-level security, and nobody''s to become.')
    loop
        continue when to_regrole(service) is not null;
        begin
            execute format('create role %I nologin', service);
            execute format('comment on role %I is %L', service, purpose);
        exception when duplicate_object or unique_violation then null;
        end;
    end loop;
    -- A temporary table or function could shadow a name, or wait in a pooled session for the next user. Whoever is not
    -- the database's owner gets no more than a warning here; the verification tests the effect.
    execute format('revoke temporary on database %I from public', current_database());
end
$$;

create schema app;
comment on schema app is 'What services use. Every table is under forced row-level security.';
revoke all on schema app from public;

create schema app_fenced;
comment on schema app_fenced is 'Fenced tables, which app_gate alone may touch, and what writes to them for their views.';
revoke all on schema app_fenced from public;

create schema app_private;
comment on schema app_private is 'Seal keys, whether they are required, what scripts share. Nothing here is granted to anyone.';
revoke all on schema app_private from public;

-- Whoever deploys hands what it makes over to a role that owns it, and must be able to become it for that. Where the
-- membership can say so, it gives no right of that role's by itself; what was given for the occasion can be taken back.
create function app_private.become(role name, becoming boolean default true) returns void
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    options constant text := case when current_setting('server_version_num')::int >= 160000 then ' with set true, inherit false' else '' end;
begin
    if becoming and not pg_has_role(role, case options when '' then 'member' else 'set' end) then
        execute format('grant %I to current_user%s', role, options);
    elsif not becoming and exists (select from pg_auth_members where pg_get_userbyid(roleid) = role and member = grantor
                                                                 and pg_get_userbyid(member) = current_user) then
        execute format('revoke %I from current_user', role);
    end if;
exception when insufficient_privilege then
    raise exception 'role "%" may not become %', current_user, role using
        errcode = '42501', detail = 'What answers for fenced tables is handed over to that role.', hint = format(
            'Roles belong to the whole server. Whoever made %1$s, or a superuser, runs: grant %1$s to %2$I%3$s.', role, current_user, options);
end
$$;
comment on function app_private.become(name, boolean) is 'Lets whoever deploys become a role, or takes that back. Raises the cure.';
select app_private.become('app_gate');

create function app.touch() returns trigger
    language plpgsql volatile parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    new.updated_at := now();
    return new;
end
$$;
comment on function app.touch() is 'Trigger: sets updated_at to the time of the transaction.';
revoke all on function app.touch() from public;

-- What verify scripts share. They trust what the judged database says of itself, so "userscope migrate" and
-- "userscope verify" first compare these functions with the ones written here.
create function app_private.verify(change text, subject text, wanted text, actual text[], exactly boolean) returns void
    language plpgsql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    facts   constant text[] := array(select btrim(line) from string_to_table(wanted, chr(10)) as line where btrim(line) <> '');
    -- A fact is a line that can be read: what is no printable ASCII is written by its number.
    present constant text[] := array(
        select (select string_agg(case when ascii(sign) between 32 and 126 then sign
                                       else '<U+' || upper(lpad(to_hex(ascii(sign)), 4, '0')) || '>' end, '' order by place)
                  from string_to_table(fact, null) with ordinality as signs (sign, place))
          from unnest(actual) as fact
    );
    missing constant text := (select string_agg(format('%s: %s', subject, fact), '; ') from unnest(facts) as fact
                               where fact <> all (present));
    beyond  constant text := (select string_agg(format('%s: %s', subject, fact), '; ') from unnest(present) as fact
                               where exactly and fact <> all (facts));
begin
    if missing is not null or beyond is not null then
        raise exception '% is not as it was deployed', change using
            detail = concat_ws(' ', 'Missing: ' || missing || '.', 'Beyond: ' || beyond || '.');
    end if;
end
$$;
comment on function app_private.verify(text, text, text, text[], boolean) is
    'Raises what something lacks of the wanted facts, one a line, and, asked for exactly these, what it has beyond them.';

create function app_private.verify_table(change text, relation regclass, wanted text) returns void
    language plpgsql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform app_private.verify(change, relation::text, wanted, exactly => false, actual => array(
        select 'row-level security enabled and forced' || owned
          from pg_class join pg_namespace on pg_namespace.oid = relnamespace
          join unnest(array['', ', owned by the owner of the schema']) as owned on owned = '' or relowner = nspowner
         where pg_class.oid = relation and relrowsecurity and relforcerowsecurity
        union all
        select format('column %I has no statistics', attname) from pg_attribute where attrelid = relation and attstattarget = 0
        union all
        select format('column %s %s%s%s%s', attname, format_type(atttypid, atttypmod),
                      case when attnotnull then ' not null' end, ' default ' || pg_get_expr(adbin, adrelid),
                      case when attstattarget = 0 then ' statistics 0' end)
          from pg_attribute left join pg_attrdef on adrelid = attrelid and adnum = attnum
         where attrelid = relation and attnum > 0
        union all
        select format('constraint %s %s', conname, pg_get_constraintdef(oid)) from pg_constraint where conrelid = relation and convalidated
        union all
        select pg_get_indexdef(indexrelid) from pg_index where indrelid = relation and indisvalid
        union all
        select pg_get_triggerdef(oid) from pg_trigger where tgrelid = relation and tgenabled in ('O', 'A')
        union all  -- up to PostgreSQL 15 the columns of a view over one table, or a function of its name, are written with that
        select format('view of %s, %s: %s', relowner::regrole, coalesce(reloptions, '{}'),
                      btrim(regexp_replace(replace(replace(pg_get_viewdef(oid), coalesce(base || '.', ''), ''), relname || '.', ''),
                                           '[[:space:]]+', ' ', 'g')))
          from pg_class, lateral (
              select case count(distinct refobjid) when 1 then min(shown.relname) end as base
                from pg_rewrite join pg_depend on objid = pg_rewrite.oid and classid = 'pg_rewrite'::regclass
                join pg_class as shown on shown.oid = refobjid and refclassid = 'pg_class'::regclass
               where ev_class = pg_class.oid and refobjid <> ev_class
          ) as bases
         where oid = relation and relkind = 'v'
    ));
end
$$;
comment on function app_private.verify_table(text, regclass, text) is
    'Raises what a table or view lacks of the wanted columns, constraints, indexes, triggers and forced row-level security.';

create function app_private.verify_access(change text, relation regclass, wanted text) returns void
    language plpgsql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    -- Roles of the adopter's own are not judged. A role may be missing: then nothing is open to it.
    roles constant oid[] := array[0, to_regrole('app_user'), to_regrole('app_auth'), to_regrole('app_gate')];
begin
    perform app_private.verify(change, relation::text, wanted, exactly => true, actual => array(
        select concat_ws(' ', case when polpermissive then 'permissive' else 'restrictive' end, 'policy', polname, 'for',
                         case polcmd when 'r' then 'select' when 'a' then 'insert' when 'w' then 'update'
                                     when 'd' then 'delete' else 'all' end,
                         'to', polroles::regrole[], clause)
          from pg_policy
          left join unnest(array[
              'using ' || pg_get_expr(polqual, polrelid),
              'check ' || pg_get_expr(polwithcheck, polrelid)
          ]) as clause on clause is not null
         where polrelid = relation and polroles && roles
        union all
        select format('%s may %s%s%s', case grantee when 0 then 'public' else grantee::regrole::text end, lower(privilege_type),
                      case when is_grantable then ' with grant option' end,
                      ' (' || string_agg(attname, ', ' order by attnum) || ')')
          from pg_class, lateral (
              select item.*, null as attname, null as attnum from aclexplode(relacl) as item
              union all
              select item.*, attname, attnum from pg_attribute, aclexplode(attacl) as item where attrelid = relation
          ) as grants
         where oid = relation and grantee = any (roles) and grantee <> relowner
         group by grantee, privilege_type, is_grantable, attname is null
    ));
end
$$;
comment on function app_private.verify_access(text, regclass, text) is
    'Raises what app_user, app_auth, app_gate and PUBLIC lack of the wanted policies and grants, and what they have beyond.';

create function app_private.verify_function(change text, function regprocedure, wanted text) returns void
    language plpgsql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform app_private.verify(change, function::text, wanted, exactly => true, actual => array(
        select fact
          from pg_proc
          join pg_namespace on pg_namespace.oid = pronamespace
          join pg_language on pg_language.oid = prolang, unnest(array[
              'owned by ' || case when proowner = nspowner then 'the owner of the schema' else proowner::regrole::text end,
              concat_ws(' ', lanname, case provolatile when 'i' then 'immutable' when 's' then 'stable' else 'volatile' end,
                        'security', case when prosecdef then 'definer' else 'invoker' end, proconfig),
              'body with md5 ' || md5(coalesce(nullif(prosrc, ''), pg_get_function_sqlbody(pg_proc.oid)))
          ]) as fact
         where pg_proc.oid = function
    ));
end
$$;
comment on function app_private.verify_function(text, regprocedure, text) is
    'Raises what a function is not of the wanted owner, attributes and body, and what it is instead.';

create function app_private.verify_execution(change text, function regprocedure, wanted text) returns void
    language plpgsql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
begin
    perform app_private.verify(change, function::text, wanted, exactly => true, actual => array(
        select format('%s may execute%s', case grantee when 0 then 'public' else grantee::regrole::text end,
                      case when is_grantable then ' with grant option' end)
          from pg_proc, aclexplode(coalesce(proacl, acldefault('f', proowner)))
         where oid = function and grantee <> proowner
           and grantee = any (array[0, to_regrole('app_user'), to_regrole('app_auth'), to_regrole('app_gate')])
    ));
end
$$;
comment on function app_private.verify_execution(text, regprocedure, text) is
    'Raises which of app_user, app_auth, app_gate and PUBLIC may not execute a function as wanted, and which may beyond.';

create function app_private.verify_role(service name) returns void
    language plpgsql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    judged record;
begin
    select concat_ws(', ', case when rolsuper then 'SUPERUSER' end, case when rolbypassrls then 'BYPASSRLS' end,
                     case when rolcanlogin then 'LOGIN' end, case when rolcreaterole then 'CREATEROLE' end,
                     case when rolcreatedb then 'CREATEDB' end, case when rolreplication then 'REPLICATION' end) as powers,
           (select string_agg(format('%I', other.rolname), ', ') from pg_roles as other
             where other.rolname <> service and pg_has_role(service, other.oid, 'member')) as others
      into strict judged
      from pg_roles where rolname = service;
    if judged.powers <> '' then
        raise exception 'role "%" has %', service, judged.powers using hint = format('Whoever made the role takes it away again: '
            'alter role %I nologin nosuperuser nobypassrls nocreaterole nocreatedb noreplication.', service);
    elsif judged.others <> '' then
        raise exception 'role "%" is a member of %', service, judged.others using
            hint = 'A service''s role is a member of nothing: revoke the membership.';
    end if;
end
$$;
comment on function app_private.verify_role(name) is 'Raises what a role of ours has beyond its name, or what it is a member of.';

create function app_private.verify_fence(change text, relation regclass, owner_column text) returns void
    language plpgsql stable parallel unsafe security invoker
    set search_path = pg_catalog, pg_temp
as $$
declare
    attribute record;
    unkept text[];
begin
    for attribute in
        select attname, format_type(atttypid, atttypmod) as type, collname, collisdeterministic
          from pg_attribute left join pg_collation on pg_collation.oid = attcollation
         where attrelid = relation and attnum > 0 and not attisdropped order by attnum
    loop
        begin
            execute format('select array[null::%1$s] = array[null::%1$s]', attribute.type);
        exception when undefined_function then
            unkept := unkept || format('Column %I is of type %s, which has no equality operator: a change by another '
                                       'transaction could not be noticed.', attribute.attname, attribute.type);
        end;
        if not attribute.collisdeterministic then
            unkept := unkept || format('Column %I has the collation %I, which takes different texts for equal: a change by '
                                       'another transaction could not be noticed.', attribute.attname, attribute.collname);
        end if;
    end loop;
    unkept := unkept || array(
        select format('Unique key %s does not begin with %I: whoever adds a row would learn whether somebody else has one.',
                      indexrelid::regclass, owner_column)
          from pg_index
         where indrelid = relation and indisunique
           and indkey[0] is distinct from (select attnum from pg_attribute where attrelid = relation and attname = owner_column));
    if unkept <> '{}' then
        raise exception '% cannot keep what is fenced', change using
            detail = array_to_string(unkept, ' '),
            hint = 'Use jsonb or text for json and xml, a deterministic collation, and unique keys that the owner leads.';
    end if;
end
$$;
comment on function app_private.verify_fence(text, regclass, text) is
    'Raises what a fence before a table cannot keep: types without equality, collations, keys that the owner does not lead.';

revoke all on all functions in schema app_private from public;

commit;
