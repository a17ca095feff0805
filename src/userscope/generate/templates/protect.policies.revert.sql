-- Revert §{policies}:§{change} from pg
--
-- Who was let into the schema stays: there may be other tables. So do roles, which are the whole server's.

begin;

revoke all on §{table} from §{grantees};
§{sequences_revoked}
§{policies_dropped}
select app_private.admit_owner(§{literal}, admitted => false);
§{granted_again}
commit;
