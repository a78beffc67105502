"""Turns the header sets of the tests into cases: headers.py HEADERS.txt [tune|kept] > CASES.jsonl"""

import json
import sys

FIELDS = {
    "account": "account_id external_ids name type industry owner_id status created_at updated_at",
    "contact": "contact_id account_id first_name last_name name email phone title department role created_at updated_at",
    "opportunity": "opportunity_id account_id name stage amount currency close_date owner_id probability created_at updated_at",
    "aws_resource": "resource_id resource_type region instance_type vcpus memory storage db_engine instance_class "
    "allocated_storage storage_type storage_class size_gb object_count versioning cpu_utilization memory_utilization "
    "network_in network_out db_connections read_latency write_latency get_requests put_requests data_transfer_out monthly_cost",
    "cost_report": "service_category resource_id region cost usage usage_type monthly_cost currency period_start line_item_type line_item_id",
}
TYPES = {
    "external_ids": "array", "created_at": "timestamp", "updated_at": "timestamp", "period_start": "timestamp", "close_date": "date",
    **dict.fromkeys("amount probability memory storage allocated_storage size_gb cpu_utilization memory_utilization "
                    "network_in network_out read_latency write_latency data_transfer_out monthly_cost cost usage".split(), "number"),
    **dict.fromkeys("vcpus object_count db_connections get_requests put_requests".split(), "integer"),
}


def case(use, entity, name):
    targets = [{"name": it, "type": TYPES.get(it, "string")} for it in FIELDS[entity].split()]
    return {"id": f"headers/{name}", "task": "canonical", "use": use, "family": f"headers-{name}", "entity": entity,
            "entity_hint": entity, "source": {"fields": []}, "target": {"fields": targets}, "truth": [], "nulls": []}


def cases(lines):
    current = None
    for line in lines:
        line = line.strip()
        if line.startswith("= "):
            if current:
                yield current
            current = case(*line[2:].split())
        elif line and not line.startswith("#"):
            column, target, values = [it.strip() for it in line.split(" | ")]
            samples = [it.strip() for it in values.split(";")]
            kept = [it for it in samples if it]
            current["source"]["fields"].append({"name": column, "type": "string", "samples": kept,
                                                "rows": len(samples), "nulls": len(samples) - len(kept)})
            if target != "-":
                current["truth"].append([column, target])
    if current:
        yield current


def main():
    with open(sys.argv[1]) as file:
        for it in cases(file):
            if len(sys.argv) > 2 and it["use"] != sys.argv[2]:
                continue
            fed = {target for _, target in it["truth"]}
            it["nulls"] = [f["name"] for f in it["target"]["fields"] if f["name"] not in fed]
            print(json.dumps(it, ensure_ascii=False))


if __name__ == "__main__":
    main()
