-- Revert §{schema}:§{table} from pg

begin;

§{fence_dropped}drop table §{home}.§{table};

commit;
