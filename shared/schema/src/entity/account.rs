use std::borrow::Cow;

use super::{Entity, Kind, optional, required};

pub(super) const ACCOUNT: Entity = Entity {
    kind: Cow::Borrowed("account"),
    plural: Cow::Borrowed("accounts"),
    doc: Cow::Borrowed("A company that is, was or may become a customer."),
    key: Cow::Borrowed(&[Cow::Borrowed("account_id")]),
    fields: Cow::Borrowed(&[
        required("account_id", Kind::Text, "The source's id of the account."),
        optional(
            "external_ids",
            Kind::TextList,
            "Ids of the same account elsewhere.",
        ),
        required("name", Kind::Text, "The company's name."),
        optional(
            "type",
            Kind::Text,
            "The kind of relation, as the source names it.",
        ),
        optional("industry", Kind::Text, "The industry it works in."),
        optional(
            "owner_id",
            Kind::Text,
            "The source's id or address of who looks after it.",
        ),
        optional(
            "status",
            Kind::Text,
            "The status of the relation, as the source names it.",
        ),
        optional("created_at", Kind::Timestamp, "When the source created it."),
        optional(
            "updated_at",
            Kind::Timestamp,
            "When the source last changed it.",
        ),
    ]),
    is_custom: false,
};
