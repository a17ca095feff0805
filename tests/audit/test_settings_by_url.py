"""An owner who is no superuser can tell the audit its settings by the URL, since it may not write them down."""

import psycopg
import pytest

from tests.clusters import Cluster, deploy
from userscope.audit.run import audit
from userscope.postgres.url import ConnectionURL


@pytest.mark.breadth
def test_settings_by_url(any_cluster: Cluster) -> None:
    """What the URL says is what the audit goes by: a schema that does not exist is an error, and none without it."""
    owned = any_cluster.database("plain")
    deploy(owned.url())
    setting = "userscope.audit_schemas"
    with owned.connect() as owner, pytest.raises(psycopg.errors.InsufficientPrivilege):
        owner.execute(f"alter database {owned.name} set {setting} = 'app, nowhere'".encode())
    url = owned.url()
    told = ConnectionURL(url.variable, {**url.params, "options": f"-c {setting}=app,nowhere"})
    objects = [[finding.object for finding in audit(at).findings if finding.rule == "settings"] for at in (url, told)]
    assert objects == [[], [setting]]
    owned.drop()
