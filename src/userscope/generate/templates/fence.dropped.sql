drop function app.§{table}_page(integer, timestamptz, uuid);
drop function app.§{table}_by_id(uuid);
drop view app.§{table};
drop function app_fenced.write_§{table}();
