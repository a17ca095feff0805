-- Written for pgTAP and pg_prove. Nobody tries to act without an identity.
begin;
select plan(2);
insert into public.notes (owner, body) values ('alice', 'a'), ('bob', 'b');

set local role notes_web;
set local notes.me = 'alice';
select coalesce(string_agg(body, ',' order by body), '') as seen from public.notes \gset
update public.notes set body = body || '!';
delete from public.notes where owner = 'bob';
reset role;

select is(:'seen'::text, 'a', 'alice sees her own');
select results_eq('select body from public.notes order by body', array['a!', 'b'], 'and changes no other');
select * from finish();
rollback;
