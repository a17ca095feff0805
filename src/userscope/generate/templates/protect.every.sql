
-- §{role} reaches every row.
create policy select_§{who} on §{table} for select to §{role} using (true);
create policy insert_§{who} on §{table} for insert to §{role} with check (true);
create policy update_§{who} on §{table} for update to §{role} using (true) with check (true);
create policy delete_§{who} on §{table} for delete to §{role} using (true);
comment on policy select_§{who} on §{table} is 'Whoever works as §{role} sees every row.';
comment on policy insert_§{who} on §{table} is 'Whoever works as §{role} adds rows for anybody.';
comment on policy update_§{who} on §{table} is 'Whoever works as §{role} changes every row.';
comment on policy delete_§{who} on §{table} is 'Whoever works as §{role} deletes every row.';
§{role_grants}
