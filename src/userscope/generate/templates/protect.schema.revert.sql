-- Revert §{schema}:§{change} from pg

begin;

§{index_dropped}§{flags_restored}alter table §{table}
§{statistics_restored};
§{expressions_restored}
commit;
