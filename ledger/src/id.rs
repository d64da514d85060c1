//! Ids: prefixed UUIDv7 newtypes, `pi_01936f2c5b7a7c3e8f1a2b3c4d5e6f70` outside, a plain `uuid` in SQL.
//!
//! The `id!` macro makes one. Prefixes are registered where the types are declared: the ledger's below, the
//! hub's in its `ids.rs`; a test there refuses a prefix used twice.

use uuid::Uuid;

/// What every id type can do.
pub trait Id: Copy + Sized {
    /// The short prefix before the underscore.
    const PREFIX: &'static str;
    fn from_uuid(uuid: Uuid) -> Self;
    fn uuid(self) -> Uuid;
}

/// The text is not an id of the expected kind.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{text:?} is not an id of the form {prefix}_ and 32 hexadecimal digits")]
pub struct NotAnId {
    pub prefix: &'static str,
    pub text: String,
}

/// Reads `<prefix>_<32 lower-case hex digits>`.
pub fn parse(prefix: &'static str, text: &str) -> Result<Uuid, NotAnId> {
    let refuse = || NotAnId { prefix, text: text.chars().take(60).collect() };
    let hex = text.strip_prefix(prefix).and_then(|rest| rest.strip_prefix('_')).ok_or_else(refuse)?;
    let canonical = hex.len() == 32 && hex.bytes().all(|b| b.is_ascii_digit() || (b'a'..=b'f').contains(&b));
    if !canonical {
        return Err(refuse());
    }
    Uuid::try_parse(hex).map_err(|_| refuse())
}

/// Declares an id type: `id!(IntentId, "pi", "A payment intent.");`
#[macro_export]
macro_rules! id {
    ($name:ident, $prefix:literal, $doc:literal) => {
        #[doc = $doc]
        #[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
        pub struct $name($crate::id::Uuid_);

        impl $crate::Id for $name {
            const PREFIX: &'static str = $prefix;
            fn from_uuid(uuid: $crate::id::Uuid_) -> Self {
                Self(uuid)
            }
            fn uuid(self) -> $crate::id::Uuid_ {
                self.0
            }
        }

        impl ::std::fmt::Display for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                write!(f, "{}_{}", $prefix, self.0.simple())
            }
        }

        impl ::std::fmt::Debug for $name {
            fn fmt(&self, f: &mut ::std::fmt::Formatter<'_>) -> ::std::fmt::Result {
                ::std::fmt::Display::fmt(self, f)
            }
        }

        impl ::std::str::FromStr for $name {
            type Err = $crate::id::NotAnId;
            fn from_str(text: &str) -> ::std::result::Result<Self, Self::Err> {
                $crate::id::parse($prefix, text).map(Self)
            }
        }

        impl ::serde::Serialize for $name {
            fn serialize<S: ::serde::Serializer>(&self, s: S) -> ::std::result::Result<S::Ok, S::Error> {
                s.collect_str(self)
            }
        }

        impl<'de> ::serde::Deserialize<'de> for $name {
            fn deserialize<D: ::serde::Deserializer<'de>>(d: D) -> ::std::result::Result<Self, D::Error> {
                <::std::string::String as ::serde::Deserialize>::deserialize(d)?
                    .parse()
                    .map_err(::serde::de::Error::custom)
            }
        }

        $crate::id_in_sql!($name);
    };
}

#[doc(hidden)]
pub use uuid::Uuid as Uuid_;

crate::id!(EntryId, "en", "A journal entry of the book, minted with the business fact that causes it.");

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_id_survives_text_and_refuses_other_kinds() {
        let id = EntryId::from_uuid(Uuid::from_u128(0x0193_6f2c_5b7a_7c3e_8f1a_2b3c_4d5e_6f70));
        assert_eq!(id.to_string(), "en_01936f2c5b7a7c3e8f1a2b3c4d5e6f70");
        assert_eq!(id.to_string().parse(), Ok(id));
        for text in ["", "en_", "pi_01936f2c5b7a7c3e8f1a2b3c4d5e6f70", "en_01936F2C5B7A7C3E8F1A2B3C4D5E6F70"]
        {
            assert!(text.parse::<EntryId>().is_err(), "{text}");
        }
    }
}
