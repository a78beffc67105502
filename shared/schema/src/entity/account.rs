use super::{Entity, Kind, optional, required};

pub(super) const ACCOUNT: Entity = Entity {
    kind: "account",
    plural: "accounts",
    doc: "A company that is, was or may become a customer.",
    key: &["account_id"],
    fields: &[
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
            "The source's word for the kind of relation.",
        ),
        optional("industry", Kind::Text, "The branch it works in."),
        optional(
            "owner_id",
            Kind::Text,
            "The source's id or address of who looks after it.",
        ),
        optional(
            "status",
            Kind::Text,
            "The source's word for where the relation stands.",
        ),
        optional("created_at", Kind::Timestamp, "When the source created it."),
        optional(
            "updated_at",
            Kind::Timestamp,
            "When the source last changed it.",
        ),
    ],
};
