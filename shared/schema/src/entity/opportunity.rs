use std::borrow::Cow;

use super::{Entity, Kind, optional, required};

pub(super) const OPPORTUNITY: Entity = Entity {
    kind: Cow::Borrowed("opportunity"),
    plural: Cow::Borrowed("opportunities"),
    doc: Cow::Borrowed("A potential sale."),
    key: Cow::Borrowed(&[Cow::Borrowed("opportunity_id")]),
    fields: Cow::Borrowed(&[
        required(
            "opportunity_id",
            Kind::Text,
            "The source's id of the opportunity.",
        ),
        optional(
            "account_id",
            Kind::Text,
            "The source's id of the account it is with.",
        ),
        required("name", Kind::Text, "What is to be sold."),
        optional("stage", Kind::Text, "Its stage, as the source names it."),
        optional("amount", Kind::Decimal, "Its value, in `currency`."),
        optional("currency", Kind::Text, "ISO 4217 code of `amount`.").or("USD"),
        optional(
            "close_date",
            Kind::Timestamp,
            "When it is expected to close, or closed.",
        ),
        optional(
            "owner_id",
            Kind::Text,
            "The source's id or address of who looks after it.",
        ),
        optional(
            "probability",
            Kind::Decimal,
            "Chance of winning, in per cent, 0 to 100.",
        )
        .within(0, 100),
        optional("created_at", Kind::Timestamp, "When the source created it."),
        optional(
            "updated_at",
            Kind::Timestamp,
            "When the source last changed it.",
        ),
    ]),
    is_custom: false,
};
