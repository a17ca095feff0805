"""userscope probe --migrations: a Supabase project's migrations are tried without its platform."""

import json
from pathlib import Path

import pytest

from tests.cli.runner import Runner

FIRST = """
create extension if not exists "no such thing";
create table public.profiles (id uuid primary key references auth.users on delete cascade,
    tier text not null default 'free');
alter table public.profiles enable row level security;
create policy own on public.profiles for all to authenticated using (id = auth.uid());
create table public.reports (id uuid primary key default gen_random_uuid(),
    user_id uuid not null references auth.users, body text);
alter table public.reports enable row level security;
"""
SECOND = """
create policy own on public.reports for select using (user_id = auth.uid()
    or exists (select from public.profiles as p where p.id = auth.uid() and p.tier = 'staff'));
insert into storage.buckets (id, name) values ('scans', 'scans');
create policy scans on storage.objects for select to authenticated
    using (bucket_id = 'scans' and (storage.foldername(name))[1] = auth.uid()::text);
"""


@pytest.mark.breadth
def test_migrations(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Scripts run in the order of their names, what fails is named, and the hole in them is shown."""
    folder = tmp_path / "supabase" / "migrations"
    folder.mkdir(parents=True)
    (folder / "20260102_second.sql").write_text(SECOND, encoding="utf-8")
    (folder / "20260101_first.sql").write_text(FIRST, encoding="utf-8")
    done = Runner(tmp_path, capfd)("probe", "--migrations", "supabase/migrations", "--json", code=1)
    result = json.loads(done.stdout)
    errors = {(found["rule"], found["object"]) for found in result["findings"] if found["level"] == "error"}
    assert errors == {("promotion", "public.profiles")}
    assert {(found["rule"], found["level"]) for found in result["findings"]} > {("truncates", "warning")}
    missing = [line for line in result["coverage"]["not_tried"] if line.startswith("not copied")]
    assert missing == ['not copied: 20260101_first.sql: extension "no such thing" is not available']
    assert result["coverage"]["roles"] == ["anon", "authenticated"]


def test_no_migrations(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """An empty folder is refused."""
    assert "holds no migrations" in Runner(tmp_path, capfd)("probe", "--migrations", ".", code=2).stderr
