-- Deploy schema:app to pg
--
-- The two schemas, the two roles, and what PUBLIC loses. Everything else stands on this.

begin;

do $$
begin
    if current_setting('server_version_num')::int < 150000 then
        raise exception 'PostgreSQL 15 or newer is needed, this is %', current_setting('server_version');
    end if;
    -- Titles are checked for blanks beyond ASCII, which only UTF8 can name.
    if getdatabaseencoding() <> 'UTF8' then
        raise exception 'the database''s encoding is %, it must be UTF8', getdatabaseencoding()
            using hint = 'Create the database with: create database … encoding ''UTF8'' template template0.';
    end if;
end
$$;

-- Roles belong to the whole server: another database may have made them already, or be making them this moment.
-- Only their maker may comment on them (PostgreSQL 16 asks for ADMIN), so the comment is part of making them.
do $$
begin
    if to_regrole('app_user') is null then
        create role app_user nologin;
        comment on role app_user is
            'What services act as: subject to row-level security, reaches the rows of the user in app.user_id.';
    end if;
exception
    when duplicate_object or unique_violation then null;
end
$$;

do $$
begin
    if to_regrole('app_auth') is null then
        create role app_auth nologin;
        comment on role app_auth is
            'The identity provider, such as Better Auth: manages accounts and sessions, sees no todos.';
    end if;
exception
    when duplicate_object or unique_violation then null;
end
$$;

create schema app;
comment on schema app is 'What services use. Every table is under forced row-level security.';
revoke all on schema app from public;

create schema app_private;
comment on schema app_private is 'Seal keys and whether seals are required. Nothing here is granted to anyone.';
revoke all on schema app_private from public;

-- A temporary table or function could shadow a name, or wait in a pooled session for the next user. Whoever is not the
-- database's owner gets no more than a warning here; the verification tests the effect.
do $$
begin
    execute format('revoke temporary on database %I from public', current_database());
end
$$;

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

commit;
