-- Deploy schema:todos to pg
-- requires: identity
-- requires: users
--
-- Things to do. The owner leads the key: a user's rows lie together, and nobody can probe for another's id, since the
-- same id may exist once per owner.

begin;

create table app.todos (
    owner_id    uuid        not null default app.current_user_id()
                            constraint todos_owner_id_fkey references app.users on delete cascade,
    id          uuid        not null default gen_random_uuid(),
    -- Trimmed of every blank of Unicode by name: [[:space:]] would mean what the database's locale says.
    title       text        not null constraint todos_title_check check (
                                char_length(title) <= 200
                                and btrim(title, U&'\0009\000A\000B\000C\000D\001C\001D\001E\001F\0020\0085\00A0\1680'
                                      '\2000\2001\2002\2003\2004\2005\2006\2007\2008\2009\200A\2028\2029\202F\205F\3000') <> ''),
    description text        constraint todos_description_check check (char_length(description) <= 10000),
    completed   boolean     not null default false,
    due_at      timestamptz,
    created_at  timestamptz not null default now(),
    updated_at  timestamptz not null default now(),
    primary key (owner_id, id)
);

-- Closed until a policy opens it, to its owner as well.
alter table app.todos enable row level security, force row level security;

-- EXPLAIN must not tell how many rows another user has, or which values occur. Said before the first ANALYZE, since
-- statistics that exist would stay.
alter table app.todos
    alter owner_id    set statistics 0,
    alter id          set statistics 0,
    alter title       set statistics 0,
    alter description set statistics 0,
    alter completed   set statistics 0,
    alter due_at      set statistics 0,
    alter created_at  set statistics 0,
    alter updated_at  set statistics 0;

create index todos_owner_id_created_at_id_idx on app.todos (owner_id, created_at desc, id);
comment on index app.todos_owner_id_created_at_id_idx is 'One''s todos, newest first, page by page.';
create index todos_owner_id_due_at_idx on app.todos (owner_id, due_at) where not completed;
comment on index app.todos_owner_id_due_at_idx is 'What is due next, of what is still to be done.';

create trigger touch before update on app.todos for each row execute function app.touch();

comment on table app.todos is 'A thing to do. Belongs to one user, and goes when that user goes.';
comment on column app.todos.owner_id is 'Whose it is; set by the database from the identity, and never changed.';
comment on column app.todos.due_at is 'When it should be done; null where that does not matter.';
comment on column app.todos.updated_at is 'Set by the database whenever the row changes.';
comment on constraint todos_pkey on app.todos is 'You already have a todo with this id.';
comment on constraint todos_owner_id_fkey on app.todos is 'The user who owns this todo does not exist.';
comment on constraint todos_title_check on app.todos is 'A title has 1 to 200 characters and is not blank.';
comment on constraint todos_description_check on app.todos is 'A description has at most 10000 characters.';
comment on trigger touch on app.todos is 'Keeps updated_at.';

commit;
