"""Registers, sends events and lists a view with the client that was made of the document."""

import os

from platform_client import AuthenticatedClient, Client
from platform_client.api.auth import register_create
from platform_client.api.connect import connections_create
from platform_client.api.events import events_create
from platform_client.api.views import views_list
from platform_client.models import (
    Account,
    CloudEvent,
    ConnectorName,
    Envelope,
    NewConnection,
    NewTenant,
    ViewFilters,
    ViewName,
)

base = os.environ["BASE"]
new = NewTenant.from_dict(
    {"name": "Python", "email": "python@acme.example", "password": "seven otters juggle plums"}
)
session = register_create.sync(client=Client(base), body=new)
client = AuthenticatedClient(base, token=session.access_token)

connection = connections_create.sync(
    client=client,
    body=NewConnection.from_dict(
        {"name": "CRM", "source_type": ConnectorName.FILESOURCE, "connector_config": {}}
    ),
)


def envelope(id: str, name: str) -> Envelope:
    return Envelope.from_dict(
        {
            "source": {"system": "crm", "connection_id": str(connection.id)},
            "entity": "account",
            "op": "upsert",
            "data": {"account_id": id, "name": name},
        }
    )


cloud_event = CloudEvent.from_dict(
    {
        "specversion": "1.0",
        "id": "e4",
        "source": f"/connections/{connection.id}/crm",
        "type": "account.upsert",
        "data": {"account_id": "4", "name": "Dachs"},
    }
)
assert events_create.sync(client=client, body=envelope("1", "Acme")).accepted == 1
several = [envelope("2", "Bauer"), envelope("3", "Acme Steel"), cloud_event]
assert events_create.sync(client=client, body=several).accepted == 3

filters = ViewFilters.from_dict({"name[ilike]": "%acme%"})
page = views_list.sync(ViewName.ACCOUNTS, client=client, filters=filters, sort="name")
assert all(isinstance(it, Account) for it in page.data), page.data
assert [it.name for it in page.data] == ["Acme", "Acme Steel"], page.data
problem = views_list.sync_detailed(ViewName.ACCOUNTS, client=client, limit=5000)
assert problem.status_code == 422, problem
print("the client in Python lists a view and sends events")
