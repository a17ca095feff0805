-- Revert §{policies}:§{table} from pg

begin;

revoke all on app.§{table} from app_user;

drop policy delete_own on app.§{table};
drop policy update_own on app.§{table};
drop policy insert_own on app.§{table};
drop policy select_own on app.§{table};
select app_private.admit_owner('app.§{table}', admitted => false);

commit;
