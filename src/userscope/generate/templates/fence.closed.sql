set local role app_gate;
revoke execute on function app.§{table}_by_id(uuid), app.§{table}_page(integer, timestamptz, uuid) from app_user;
revoke all on app.§{table} from app_user;
reset role;

