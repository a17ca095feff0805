-- Names that need quotes: blanks, capitals, apostrophes, commas, parentheses and letters beyond ASCII.
set local userscope.audit_schemas = 'Büro Süd';
set local userscope.audit_private_schemas = '"geheim, (sehr)"';
set local userscope.audit_service_roles = 'Müller''s Web';
set local userscope.audit_provider_roles = 'none';
set local userscope.audit_identity = 'Büro Süd.wer bin ich()';
set local userscope.audit_definer_functions = 'none';

create schema "Büro Süd";
create schema "geheim, (sehr)";
create role "Müller's Web";
grant usage on schema "Büro Süd" to "Müller's Web";
create function "Büro Süd"."wer bin ich"() returns uuid language sql stable return current_setting('buero.wer', true)::uuid;
revoke all on function "Büro Süd"."wer bin ich"() from public;
grant execute on function "Büro Süd"."wer bin ich"() to "Müller's Web";

create table "geheim, (sehr)"."Schlüssel" (wert bytea);
create table "Büro Süd"."Leute" ("Kennung (neu)" uuid primary key);
create table "Büro Süd"."Aufträge; drop" (
    "Besitzer ""in""" uuid not null references "Büro Süd"."Leute" on delete cascade, "Nr." int, "用户" text,
    primary key ("Besitzer ""in""", "Nr.")
);
alter table "Büro Süd"."Leute" enable row level security, force row level security, alter "Kennung (neu)" set statistics 0;
alter table "Büro Süd"."Aufträge; drop" enable row level security, force row level security,
    alter "Besitzer ""in""" set statistics 0, alter "Nr." set statistics 0, alter "用户" set statistics 0;
create policy "nur ich" on "Büro Süd"."Leute" for select to "Müller's Web"
    using ("Kennung (neu)" = (select "Büro Süd"."wer bin ich"()));
create policy "nur mein's" on "Büro Süd"."Aufträge; drop" to "Müller's Web"
    using ("Besitzer ""in""" = (select "Büro Süd"."wer bin ich"()) and "用户" <> ') or (true')
    with check ("Besitzer ""in""" = (select "Büro Süd"."wer bin ich"()));
grant select ("Kennung (neu)") on "Büro Süd"."Leute" to "Müller's Web";
grant select ("Nr.", "用户"), insert ("Nr.", "用户"), update ("用户"), delete on "Büro Süd"."Aufträge; drop" to "Müller's Web";
