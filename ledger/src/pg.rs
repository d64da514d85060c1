//! How the vocabulary travels to and from PostgreSQL: `Instant` as timestamptz, `Day` as date, `Currency` as
//! text, ids as uuid. Money is two columns, `<what>_minor bigint` and `currency`.

use sqlx::encode::IsNull;
use sqlx::error::BoxDynError;
use sqlx::postgres::{PgArgumentBuffer, PgHasArrayType, PgTypeInfo, PgValueRef};
use sqlx::{Decode, Encode, Postgres, Type};

use crate::{Currency, Day, Instant};

/// 2000-01-01T00:00:00Z in microseconds since 1970: where PostgreSQL counts from.
const EPOCH_MICROS: i64 = 946_684_800_000_000;

impl Type<Postgres> for Instant {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("timestamptz")
    }
}

impl PgHasArrayType for Instant {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_timestamptz")
    }
}

impl Encode<'_, Postgres> for Instant {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        let micros = self.micros().checked_sub(EPOCH_MICROS).ok_or("instant out of range")?;
        <i64 as Encode<Postgres>>::encode(micros, buffer)
    }
}

impl Decode<'_, Postgres> for Instant {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            sqlx::postgres::PgValueFormat::Binary => {
                let micros = <i64 as Decode<Postgres>>::decode(value)?;
                Ok(Self::from_micros(micros.checked_add(EPOCH_MICROS).ok_or("instant out of range")?)?)
            }
            sqlx::postgres::PgValueFormat::Text => {
                Ok(value.as_str()?.replace(' ', "T").parse::<Self>().map_err(Box::new)?)
            }
        }
    }
}

impl Type<Postgres> for Day {
    fn type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("date")
    }
}

impl PgHasArrayType for Day {
    fn array_type_info() -> PgTypeInfo {
        PgTypeInfo::with_name("_date")
    }
}

fn pg_epoch_day() -> Result<Day, BoxDynError> {
    Ok(Day::new(2000, 1, 1)?)
}

impl Encode<'_, Postgres> for Day {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <i32 as Encode<Postgres>>::encode(self.days_since(pg_epoch_day()?), buffer)
    }
}

impl Decode<'_, Postgres> for Day {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        match value.format() {
            sqlx::postgres::PgValueFormat::Binary => {
                Ok(pg_epoch_day()?.plus_days(<i32 as Decode<Postgres>>::decode(value)?))
            }
            sqlx::postgres::PgValueFormat::Text => Ok(value.as_str()?.parse::<Self>().map_err(Box::new)?),
        }
    }
}

impl Type<Postgres> for Currency {
    fn type_info() -> PgTypeInfo {
        <str as Type<Postgres>>::type_info()
    }

    fn compatible(ty: &PgTypeInfo) -> bool {
        <str as Type<Postgres>>::compatible(ty)
    }
}

impl PgHasArrayType for Currency {
    fn array_type_info() -> PgTypeInfo {
        <&str as PgHasArrayType>::array_type_info()
    }
}

impl Encode<'_, Postgres> for Currency {
    fn encode_by_ref(&self, buffer: &mut PgArgumentBuffer) -> Result<IsNull, BoxDynError> {
        <&str as Encode<Postgres>>::encode(self.code(), buffer)
    }
}

impl Decode<'_, Postgres> for Currency {
    fn decode(value: PgValueRef<'_>) -> Result<Self, BoxDynError> {
        Ok(<&str as Decode<Postgres>>::decode(value)?.parse::<Self>().map_err(Box::new)?)
    }
}

#[doc(hidden)]
pub use sqlx as sqlx_;

/// Gives an id type its `uuid` column and array.
#[doc(hidden)]
#[macro_export]
macro_rules! id_in_sql {
    ($name:ident) => {
        impl $crate::pg::sqlx_::Type<$crate::pg::sqlx_::Postgres> for $name {
            fn type_info() -> $crate::pg::sqlx_::postgres::PgTypeInfo {
                <$crate::id::Uuid_ as $crate::pg::sqlx_::Type<$crate::pg::sqlx_::Postgres>>::type_info()
            }
        }

        impl $crate::pg::sqlx_::postgres::PgHasArrayType for $name {
            fn array_type_info() -> $crate::pg::sqlx_::postgres::PgTypeInfo {
                <$crate::id::Uuid_ as $crate::pg::sqlx_::postgres::PgHasArrayType>::array_type_info()
            }
        }

        impl<'q> $crate::pg::sqlx_::Encode<'q, $crate::pg::sqlx_::Postgres> for $name {
            fn encode_by_ref(
                &self,
                buffer: &mut $crate::pg::sqlx_::postgres::PgArgumentBuffer,
            ) -> ::std::result::Result<
                $crate::pg::sqlx_::encode::IsNull,
                $crate::pg::sqlx_::error::BoxDynError,
            > {
                <$crate::id::Uuid_ as $crate::pg::sqlx_::Encode<$crate::pg::sqlx_::Postgres>>::encode_by_ref(
                    &self.0, buffer,
                )
            }
        }

        impl<'r> $crate::pg::sqlx_::Decode<'r, $crate::pg::sqlx_::Postgres> for $name {
            fn decode(
                value: $crate::pg::sqlx_::postgres::PgValueRef<'r>,
            ) -> ::std::result::Result<Self, $crate::pg::sqlx_::error::BoxDynError> {
                <$crate::id::Uuid_ as $crate::pg::sqlx_::Decode<$crate::pg::sqlx_::Postgres>>::decode(value)
                    .map(Self)
            }
        }
    };
}
