use std::borrow::Cow;

use super::{Entity, Kind, optional, required};

pub(super) const COST_REPORT: Entity = Entity {
    kind: Cow::Borrowed("cost_report"),
    plural: Cow::Borrowed("cost_reports"),
    doc: Cow::Borrowed("What one use of one service cost."),
    key: Cow::Borrowed(&[
        Cow::Borrowed("service_category"),
        Cow::Borrowed("resource_id"),
        Cow::Borrowed("region"),
        Cow::Borrowed("usage_type"),
        Cow::Borrowed("period_start"),
        Cow::Borrowed("line_item_id"),
    ]),
    fields: Cow::Borrowed(&[
        required(
            "service_category",
            Kind::Text,
            "The service: EC2, RDS, S3 and so on.",
        ),
        optional("resource_id", Kind::Text, "The resource, or `ALL`."),
        required("region", Kind::Text, "AWS region code, or `global`."),
        required(
            "cost",
            Kind::Decimal,
            "Cost of the use in the account's currency.",
        ),
        optional(
            "usage",
            Kind::Decimal,
            "How much was used, in the unit of `usage_type`.",
        ),
        required("usage_type", Kind::Text, "AWS usage type."),
        optional(
            "monthly_cost",
            Kind::Decimal,
            "Cost per month in the account's currency.",
        ),
        optional("currency", Kind::Text, "ISO 4217 code of `cost`."),
        optional(
            "period_start",
            Kind::Timestamp,
            "When the hour, day or month begins that was paid for.",
        ),
        optional(
            "line_item_type",
            Kind::Text,
            "What is paid: Usage, Tax, Credit, Refund and so on.",
        ),
        optional(
            "line_item_id",
            Kind::Text,
            "What tells lines of one service, resource and period apart.",
        ),
    ]),
    is_custom: false,
};
