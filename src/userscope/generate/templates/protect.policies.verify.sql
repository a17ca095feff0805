-- Verify §{policies}:§{change} on pg
--
-- Everything that app_user, app_auth, app_gate and PUBLIC may do here, and nothing beyond it. Roles of your own are not judged.

begin;

select app_private.verify_access('§{policies}:§{change}', §{literal}, §{quote}
§{access_facts}
§{quote});

rollback;
