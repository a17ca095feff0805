-- Revert schema:better_auth from pg

begin;

drop table app.jwks;
drop table app.verifications;
drop table app.accounts;
drop table app.sessions;

commit;
