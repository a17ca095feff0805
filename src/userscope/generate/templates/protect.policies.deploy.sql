-- Deploy §{policies}:§{change} to pg
-- requires: §{access}
-- requires: §{schema}:§{change}§{parents}

begin;
§{roles}§{revoked}
create policy select_own on §{table}
    for select to app_user
    using (§{condition});
comment on policy select_own on §{table} is '§{select_comment}';

create policy insert_own on §{table}
    for insert to app_user
    with check (§{condition});
comment on policy insert_own on §{table} is '§{insert_comment}';

create policy update_own on §{table}
    for update to app_user
    using (§{condition})
    with check (§{condition});
comment on policy update_own on §{table} is '§{update_comment}';

create policy delete_own on §{table}
    for delete to app_user
    using (§{condition});
comment on policy delete_own on §{table} is '§{delete_comment}';

-- Never table-wide, reading neither: that would open ctid and its kin.
§{grants}§{every_row}
select app_private.admit_owner(§{literal});

commit;
