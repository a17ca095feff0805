-- A fenced table with the columns of app.todos, by hand: what DESIGN calls a fence, beside the table that has none.
begin;

create table app_fenced.secrets (
    owner_id    uuid        not null default app.current_user_id()
                            constraint secrets_owner_id_fkey references app.users on delete cascade,
    id          uuid        not null default gen_random_uuid(),
    title       text        not null constraint secrets_title_check check (char_length(title) between 1 and 200),
    description text        constraint secrets_description_check check (char_length(description) <= 10000),
    completed   boolean     not null default false,
    due_at      timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    primary key (owner_id, id)
);
alter table app_fenced.secrets enable row level security, force row level security;
alter table app_fenced.secrets
    alter owner_id    set statistics 0,
    alter id          set statistics 0,
    alter title       set statistics 0,
    alter description set statistics 0,
    alter completed   set statistics 0,
    alter due_at      set statistics 0,
    alter created_at  set statistics 0,
    alter updated_at  set statistics 0;
create index secrets_owner_id_created_at_id_idx on app_fenced.secrets (owner_id, created_at desc, id);
create index secrets_owner_id_due_at_idx on app_fenced.secrets (owner_id, due_at) where not completed;
create trigger touch before update on app_fenced.secrets for each row execute function app.touch();

create view app.secrets with (security_barrier) as
    select owner_id, id, title, description, completed, due_at, created_at, updated_at from app_fenced.secrets offset 0;
alter view app.secrets
    alter owner_id  set default app.current_user_id(),
    alter id        set default gen_random_uuid(),
    alter completed set default false;

create function app_fenced.write_secrets() returns trigger
    language plpgsql volatile parallel unsafe security definer
    set search_path = pg_catalog, pg_temp
as $$
begin
    if tg_op = 'INSERT' then
        insert into app_fenced.secrets as t (id, title, description, completed, due_at)
        values (new.id, new.title, new.description, new.completed, new.due_at)
        returning t.owner_id, t.id, t.title, t.description, t.completed, t.due_at, t.created_at, t.updated_at into new;
        return new;
    elsif tg_op = 'UPDATE' then
        update app_fenced.secrets as t
           set title = new.title, description = new.description, completed = new.completed, due_at = new.due_at
         where t.owner_id = old.owner_id and t.id = old.id
           and (t.title, t.description, t.completed, t.due_at, t.created_at, t.updated_at) is not distinct from
               (old.title, old.description, old.completed, old.due_at, old.created_at, old.updated_at)
        returning t.owner_id, t.id, t.title, t.description, t.completed, t.due_at, t.created_at, t.updated_at into new;
        if found then
            return new;
        end if;
    else
        delete from app_fenced.secrets as t
         where t.owner_id = old.owner_id and t.id = old.id
           and (t.title, t.description, t.completed, t.due_at, t.created_at, t.updated_at) is not distinct from
               (old.title, old.description, old.completed, old.due_at, old.created_at, old.updated_at);
        if found then
            return old;
        end if;
    end if;
    if exists (select from app_fenced.secrets as t where t.owner_id = old.owner_id and t.id = old.id) then
        raise exception 'could not serialize access due to concurrent update' using errcode = '40001';
    end if;
    return null;
end
$$;
revoke all on function app_fenced.write_secrets() from public;
create trigger write instead of insert or update or delete on app.secrets
    for each row execute function app_fenced.write_secrets();

create policy select_own on app_fenced.secrets for select to app_gate
    using (owner_id = (select app.current_user_id()));
create policy insert_own on app_fenced.secrets for insert to app_gate
    with check (owner_id = (select app.current_user_id()));
create policy update_own on app_fenced.secrets for update to app_gate
    using (owner_id = (select app.current_user_id())) with check (owner_id = (select app.current_user_id()));
create policy delete_own on app_fenced.secrets for delete to app_gate
    using (owner_id = (select app.current_user_id()));
grant select (owner_id, id, title, description, completed, due_at, created_at, updated_at),
      insert (id, title, description, completed, due_at),
      update (title, description, completed, due_at),
      delete
   on app_fenced.secrets to app_gate;
grant create on schema app, app_fenced to app_gate;
alter view app.secrets owner to app_gate;
alter function app_fenced.write_secrets() owner to app_gate;
revoke create on schema app, app_fenced from app_gate;

set local role app_gate;
grant select (owner_id, id, title, description, completed, due_at, created_at, updated_at),
      insert (id, title, description, completed, due_at),
      update (title, description, completed, due_at),
      delete
   on app.secrets to app_user;
reset role;

commit;
