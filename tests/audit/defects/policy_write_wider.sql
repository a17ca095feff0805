-- error | policy update_own on app.todos | WITH CHECK is wider than USING
alter policy update_own on app.todos with check (true);

-- error | policy update_own on app.extra | WITH CHECK is wider than USING
create table app.extra (
    owner_id uuid not null references app.users on delete cascade, id uuid not null, note text, primary key (owner_id, id)
);
alter table app.extra enable row level security, force row level security,
    alter owner_id set statistics 0, alter id set statistics 0, alter note set statistics 0;
 alter table app.extra add author_id uuid;
create policy update_own on app.extra for update to app_user using (owner_id = (select app.current_user_id())) with check (author_id = (select app.current_user_id()));
