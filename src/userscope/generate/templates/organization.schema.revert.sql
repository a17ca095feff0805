-- Revert §{schema}:§{table} from pg

begin;

drop table app.§{table};

commit;
