-- Revert §{policies}:§{table} from pg

begin;

§{fence_closed}revoke all on §{home}.§{table} from §{role};

drop policy delete_own on §{home}.§{table};
drop policy update_own on §{home}.§{table};
drop policy insert_own on §{home}.§{table};
drop policy select_own on §{home}.§{table};
select app_private.admit_owner('§{home}.§{table}', admitted => false);

commit;
