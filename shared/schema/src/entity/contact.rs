use std::borrow::Cow;

use super::{Entity, Kind, optional, required};

pub(super) const CONTACT: Entity = Entity {
    kind: Cow::Borrowed("contact"),
    plural: Cow::Borrowed("contacts"),
    doc: Cow::Borrowed("A person at an account."),
    key: Cow::Borrowed(&[Cow::Borrowed("contact_id")]),
    fields: Cow::Borrowed(&[
        required("contact_id", Kind::Text, "The source's id of the contact."),
        optional(
            "account_id",
            Kind::Text,
            "The source's id of the account they belong to.",
        ),
        optional("first_name", Kind::Text, "Given name."),
        optional("last_name", Kind::Text, "Family name."),
        optional(
            "name",
            Kind::Text,
            "The whole name, where the source has it in one.",
        ),
        optional(
            "email",
            Kind::Text,
            "E-mail address as the source writes it.",
        ),
        optional(
            "phone",
            Kind::Text,
            "Telephone number as the source writes it.",
        ),
        optional("title", Kind::Text, "Job title."),
        optional("department", Kind::Text, "Department within the account."),
        optional("role", Kind::Text, "Part they play in a purchase."),
        optional("created_at", Kind::Timestamp, "When the source created it."),
        optional(
            "updated_at",
            Kind::Timestamp,
            "When the source last changed it.",
        ),
    ]),
    is_custom: false,
};
