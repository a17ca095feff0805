-- Every role, and which others it is or can become.
select oid::int8 as oid, rolname::text as name, rolsuper as superuser, rolbypassrls as bypasses, rolcanlogin as logs_in,
       case when rolsuper then array[oid::int8]
            else array(select other.oid::int8 from pg_roles as other where pg_has_role(pg_roles.oid, other.oid, 'member')) end as becomes
  from pg_roles;
