
-- The owner of a view and of functions alone grants rights on them.
set local role app_gate;
grant select (§{every}),
      insert (id, §{written}),
      update (§{written}),
      delete
   on app.§{table} to app_user;
grant execute on function app.§{table}_by_id(uuid), app.§{table}_page(integer, timestamptz, uuid) to app_user;
reset role;
