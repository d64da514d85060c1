//! How the vocabulary looks on the wire, for the API's document (feature `schema`).

use std::borrow::Cow;

use utoipa::openapi::RefOr;
use utoipa::openapi::schema::{KnownFormat, Object, ObjectBuilder, Schema, SchemaFormat, Type};
use utoipa::{PartialSchema, ToSchema};

use crate::{Currency, Day, EntryId, Id, Instant, Money, Rate};

fn text() -> ObjectBuilder {
    ObjectBuilder::new().schema_type(Type::String)
}

macro_rules! schema {
    ($type:ty, $name:literal, $schema:expr) => {
        impl PartialSchema for $type {
            fn schema() -> RefOr<Schema> {
                $schema.into()
            }
        }

        impl ToSchema for $type {
            fn name() -> Cow<'static, str> {
                Cow::Borrowed($name)
            }
        }
    };
}

schema!(Money, "Money", money());
schema!(
    Currency,
    "Currency",
    text().description(Some("ISO 4217.")).pattern(Some("^[A-Z]{3}$")).examples(["JOD"]).build()
);
schema!(
    Instant,
    "Instant",
    text()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::DateTime)))
        .description(Some("RFC 3339, in UTC."))
        .examples(["2026-11-22T08:00:00Z"])
        .build()
);
schema!(
    Day,
    "Day",
    text()
        .format(Some(SchemaFormat::KnownFormat(KnownFormat::Date)))
        .description(Some("A day of the hub's calendar."))
        .examples(["2026-11-22"])
        .build()
);
schema!(Rate, "Rate", text().description(Some("An exact decimal.")).examples(["0.16"]).build());
schema!(EntryId, "EntryId", id::<EntryId>());

fn money() -> Object {
    let amount = text()
        .description(Some(
            "A decimal string, never a number. Answers carry exactly the currency's decimals (JOD three, ILS two); \
             requests may carry fewer.",
        ))
        .pattern(Some(r"^-?[0-9]+(\.[0-9]+)?$"))
        .examples(["12.500"])
        .build();
    let object = ObjectBuilder::new().property("amount", amount).property("currency", Currency::schema());
    object.required("amount").required("currency").build()
}

/// An id on the wire: its prefix and 32 hexadecimal digits.
pub fn id<T: Id>() -> Object {
    text()
        .pattern(Some(format!("^{}_[0-9a-f]{{32}}$", T::PREFIX)))
        .examples([format!("{}_01936f2c5b7a7c3e8f1a2b3c4d5e6f70", T::PREFIX)])
        .build()
}
