-- error | policy select_own on app.todos | USING is always true
alter policy select_own on app.todos using (true);

-- error | policy select_own on app.todos | USING is always true
alter policy select_own on app.todos using (1 = 1);

-- error | policy select_own on app.todos | USING is always true
alter policy select_own on app.todos using ('a' = 'a');

-- error | policy select_own on app.todos | USING is always true
alter policy select_own on app.todos using (owner_id = (select app.current_user_id()) or true);

-- error | policy insert_own on app.todos | WITH CHECK is always true
alter policy insert_own on app.todos with check (true);

-- error | policy select_own on app.todos | USING can be true without an identity
alter policy select_own on app.todos using ((select app.current_user_id()) is null or owner_id = (select app.current_user_id()));

-- error | policy select_own on app.todos | USING can be true without an identity
alter policy select_own on app.todos using (owner_id = coalesce((select app.current_user_id()), owner_id));

-- error | policy select_own on app.todos | USING can be true without an identity
alter policy select_own on app.todos using (owner_id is not distinct from (select app.current_user_id()));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (completed);

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (owner_id = (select app.current_user_id()) or completed);

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (not (owner_id = (select app.current_user_id())));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (owner_id <> (select app.current_user_id()));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using ((select app.current_user_id()) is not null);

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (title = '(owner_id = ( SELECT app.current_user_id() AS current_user_id))');

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (completed and (title = 'x' or owner_id = (select app.current_user_id()) and due_at is null));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (not exists (select from app.users where id = (select app.current_user_id())));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (exists (select from app.users as u where u.id = (select app.current_user_id())));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (exists (select from app.users as u where u.id = owner_id union select from app.users where id = (select app.current_user_id())));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (exists (select from app.users as u where u.id = owner_id or u.id = (select app.current_user_id())));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (case when completed then true else owner_id = (select app.current_user_id()) end);

-- error | policy other on app.todos | USING is not tied to the identity
create policy other on app.todos for select to app_user using (completed);

-- error | policy select_own on app.users | USING is always true
alter policy select_own on app.users using (true);

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using ((owner_id = (select app.current_user_id()) and completed) or due_at is null);

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (completed or (title <> '' and owner_id = (select app.current_user_id())));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (title = ' AND (owner_id = ( SELECT app.current_user_id() AS current_user_id))');

-- error | policy select_own on app.organizations | USING is not tied to the identity
alter policy select_own on app.organizations using (id = any (array(select organization_id from app.members where user_id <> (select app.current_user_id()))));

-- error | policy select_own on app.todos | USING is not tied to the identity
alter policy select_own on app.todos using (id = any (array(select members.user_id from app.members where members.user_id = (select app.current_user_id()))));
