use std::borrow::Cow;

use super::{Entity, Kind, optional, required};

pub(super) const AWS_RESOURCE: Entity = Entity {
    kind: Cow::Borrowed("aws_resource"),
    plural: Cow::Borrowed("aws_resources"),
    doc: Cow::Borrowed("A resource in an AWS account, with what it uses and costs."),
    key: Cow::Borrowed(&[Cow::Borrowed("resource_id")]),
    fields: Cow::Borrowed(&[
        required("resource_id", Kind::Text, "The resource's id at AWS."),
        required(
            "resource_type",
            Kind::Text,
            "The service: EC2, RDS, S3 and so on.",
        ),
        required("region", Kind::Text, "AWS region code."),
        optional("instance_type", Kind::Text, "EC2 instance type."),
        optional("vcpus", Kind::Integer, "Virtual processors."),
        optional("memory", Kind::Integer, "Memory in GiB."),
        optional("storage", Kind::Integer, "Attached storage in GB."),
        optional("db_engine", Kind::Text, "RDS engine."),
        optional("instance_class", Kind::Text, "RDS instance class."),
        optional("allocated_storage", Kind::Integer, "RDS storage in GB."),
        optional("storage_type", Kind::Text, "RDS storage type."),
        optional("storage_class", Kind::Text, "S3 storage class."),
        optional("size_gb", Kind::Decimal, "S3 size in GB."),
        optional("object_count", Kind::Integer, "S3 objects."),
        optional("versioning", Kind::Text, "S3 versioning state."),
        optional(
            "cpu_utilization",
            Kind::Decimal,
            "Processor use in per cent.",
        ),
        optional(
            "memory_utilization",
            Kind::Decimal,
            "Memory use in per cent.",
        ),
        optional("network_in", Kind::Decimal, "Bytes received."),
        optional("network_out", Kind::Decimal, "Bytes sent."),
        optional(
            "db_connections",
            Kind::Integer,
            "Open database connections.",
        ),
        optional(
            "read_latency",
            Kind::Decimal,
            "Read latency in milliseconds.",
        ),
        optional(
            "write_latency",
            Kind::Decimal,
            "Write latency in milliseconds.",
        ),
        optional("get_requests", Kind::Integer, "S3 GET requests."),
        optional("put_requests", Kind::Integer, "S3 PUT requests."),
        optional("data_transfer_out", Kind::Decimal, "Data sent out in GB."),
        optional(
            "monthly_cost",
            Kind::Decimal,
            "Cost per month in the account's currency.",
        ),
    ]),
    is_custom: false,
};
