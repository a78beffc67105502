"""The first hour of a newcomer, by nothing but README: every step says what came of it, or fails."""

import json
import os
import pathlib
import time
import urllib.error
import urllib.request
import uuid

BASE = os.environ["BASE"]
FILES = pathlib.Path(__file__).parent / "files"
token = None


def send(method, path, body=None, head=None):
    head = dict(head or {})
    if token:
        head["authorization"] = f"Bearer {token}"
    if body is not None and not isinstance(body, bytes):
        body = json.dumps(body).encode()
        head["content-type"] = "application/json"
    request = urllib.request.Request(BASE + path, body, head, method=method)
    try:
        with urllib.request.urlopen(request) as answer:
            return json.loads(answer.read() or b"null")
    except urllib.error.HTTPError as error:
        raise SystemExit(f"{method} {path}: {error.code} {error.read().decode()}") from None


def post_file(path, file):
    cut = uuid.uuid4().hex
    head = f'--{cut}\r\nContent-Disposition: form-data; name="file"; filename="{file.name}"\r\n\r\n'
    body = head.encode() + file.read_bytes() + f"\r\n--{cut}--\r\n".encode()
    return send("POST", path, body, {"content-type": f"multipart/form-data; boundary={cut}"})


def finish(job):
    """Waits for a job, which a person would look at now and then."""
    if not job:
        return None
    for _ in range(600):
        task = send("GET", f"/api/v1/tasks/{job['job_id']}")
        if task["status"] not in ("queued", "in_progress"):
            assert task["status"] == "success", task
            return task
        time.sleep(0.1)
    raise SystemExit(f"the job does not end: {task}")


def count(view, query=""):
    return send("GET", f"/api/v1/dcl/views/{view}?limit=1000{query}")["data"]


new = {"name": "Newcomer " + uuid.uuid4().hex[:6], "email": "new" + uuid.uuid4().hex[:6] + "@acme.example", "password": "seven otters juggle plums"}
token = send("POST", "/api/v1/auth/register", new)["access_token"]
connections = "/api/v1/aam/connections"
files = {"name": "Files", "source_type": "filesource", "connector_config": {}}
files = send("POST", connections, files)["id"]

expected = {
    "hubspot-crm-exports-companies": ("account", 3),
    "report_salesforce_de": ("opportunity", 2),
    "deals-export": ("opportunity", 2),
    "kundenliste": ("account", 2),
    "people": ("contact", 2),
}
for file in sorted(FILES.iterdir()):
    preview = post_file("/api/v1/dcl/mappings/preview", file)
    report = post_file("/api/v1/filesource/upload", file)["files"][0]
    name = report["object"]
    entity, rows = expected.pop(file.stem)
    # Where it is not sure it asks, and never takes it for something else.
    assert preview["entity"] in (entity, None), (name, preview["entities"])
    proposal = send("GET", f"/api/v1/dcl/proposals/Files/{name}?entity={entity}")
    # A person reads the choices; here the first one is right.
    answers = {it["id"]: it["choices"][0]["id"] for it in proposal["questions"]}
    accept = f"/api/v1/dcl/proposals/Files/{name}/accept"
    finish(send("POST", accept, {"entity": entity, "answers": answers}).get("replay"))
    found = send("GET", f"{connections}/{files}/objects/{name}")
    assert (found["entity"], found["records"], found["quarantined"]) == (entity, rows, 0), found
    print(f"{file.name}: {rows} {entity} records, {len(answers)} questions")
assert not expected, expected
(hall,) = [it for it in count("opportunities") if it["name"] == "Halle Süd"]
assert (hall["amount"], hall["currency"]) == (98000, "EUR"), hall
assert hall["close_date"].startswith("2024-03-15"), hall

config = {"host": "127.0.0.1", "port": int(os.environ["PGPORT"]), "database": "postgres"}
config |= {"user": "newcomer", "password": "none", "tls": "disable"}
config |= {"objects": [{"table": "customers"}]}
crm = {"name": "CRM", "source_type": "postgres", "connector_config": config}
crm = send("POST", connections, crm)["id"]
finish(send("POST", f"{connections}/{crm}/sync", {"mode": "full"}))
name = send("GET", f"{connections}/{crm}/objects")["objects"][0]["object"]
said = {"entity": "account", "key": ["id"], "fields": {"name": "company", "industry": "branch"}}
finish(send("POST", f"/api/v1/dcl/proposals/CRM/{name}/accept", said).get("replay"))
assert len(count("accounts", "&industry=Boats")) == 250
print("PostgreSQL: 250 records of a table of one's own")

if os.environ.get("SDK"):
    from cloudevents.http import CloudEvent, to_binary, to_structured

    for write, id in ((to_structured, "e1"), (to_binary, "e2")):
        about = {"type": "account.upsert", "source": f"/connections/{files}/sdk", "id": id}
        about |= {"datacontenttype": "application/json"}
        event = CloudEvent(about, {"account_id": id, "name": f"SDK {id}"})
        head, body = write(event)
        assert send("POST", "/api/v1/events", bytes(body), head)["accepted"] == 1
    assert len(count("accounts", "&name[like]=SDK%25")) == 2
    print("events: 2 records by the CloudEvents SDK")
