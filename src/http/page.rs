//! Lists in pages: `?limit=&cursor=` in, `{"data": [...], "next_cursor": null}` out.
//!
//! A cursor is the key of the last row seen, so a page is stable while rows are inserted. It is opaque: clients
//! send back what they got. It grants nothing, because every query is bounded by the caller's own rights.

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use mizan_ledger::Instant;
use serde::Serialize;
use utoipa::ToSchema;
use uuid::Uuid;

use super::problem::{Code, FieldCode, FieldError, Problem};

pub const LIMIT_DEFAULT: u16 = 50;
pub const LIMIT_MAX: u16 = 500;

/// The first byte of a cursor: readers of an older layout refuse a newer one instead of misreading it.
const VERSION: u8 = 1;

/// The sort key of a row: an instant, and the id that tells rows of one instant apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cursor {
    pub at: Instant,
    pub id: Uuid,
}

impl Cursor {
    pub fn encode(self) -> String {
        let mut bytes = vec![VERSION];
        bytes.extend_from_slice(&self.at.micros().to_be_bytes());
        bytes.extend_from_slice(self.id.as_bytes());
        URL_SAFE_NO_PAD.encode(bytes)
    }

    /// `None` for anything [`Cursor::encode`] did not write.
    pub fn decode(text: &str) -> Option<Self> {
        let bytes: [u8; 25] = URL_SAFE_NO_PAD.decode(text).ok()?.try_into().ok()?;
        let (&[version], rest) = bytes.split_first_chunk::<1>()?;
        let (micros, id) = rest.split_first_chunk::<8>()?;
        let at = Instant::from_micros(i64::from_be_bytes(*micros)).ok()?;
        (version == VERSION).then_some(Self { at, id: Uuid::from_slice(id).ok()? })
    }
}

/// The page a client asks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct PageRequest {
    /// 1 to [`LIMIT_MAX`].
    pub limit: u16,
    /// The last row of the page before.
    pub after: Option<Cursor>,
}

impl PageRequest {
    /// From the query parameters `limit` and `cursor`.
    ///
    /// # Errors
    /// `query_invalid` for a limit out of bounds, `cursor_invalid` for a cursor that was not handed out.
    pub fn new(limit: Option<u32>, cursor: Option<&str>) -> Result<Self, Problem> {
        let limit = match limit.map(u16::try_from) {
            None => LIMIT_DEFAULT,
            Some(Ok(limit)) if (1..=LIMIT_MAX).contains(&limit) => limit,
            Some(_) => {
                return Err(Problem::new(Code::QueryInvalid)
                    .detail(format!("limit lies between 1 and {LIMIT_MAX}"))
                    .field(FieldError::new("/limit", FieldCode::OutOfRange)));
            }
        };
        let after = match cursor {
            None => None,
            Some(text) => Some(Cursor::decode(text).ok_or_else(|| Problem::new(Code::CursorInvalid))?),
        };
        Ok(Self { limit, after })
    }

    /// How many rows to read: one more than asked tells whether another page follows.
    pub fn rows_to_read(self) -> i64 {
        i64::from(self.limit) + 1
    }
}

/// One page of a list.
#[derive(Debug, Clone, Serialize, ToSchema)]
pub struct Page<T> {
    pub data: Vec<T>,
    /// Send it back as `cursor` for the next page; null on the last one.
    pub next_cursor: Option<String>,
}

impl<T> Page<T> {
    /// From up to [`PageRequest::rows_to_read`] rows: the surplus row is dropped and remembered as a cursor.
    pub fn from_rows<R>(
        mut rows: Vec<R>,
        request: PageRequest,
        key: impl Fn(&R) -> Cursor,
        view: impl FnMut(R) -> T,
    ) -> Self {
        let limit = usize::from(request.limit);
        let more = rows.len() > limit;
        rows.truncate(limit);
        let next_cursor = rows.last().filter(|_| more).map(|last| key(last).encode());
        Self { data: rows.into_iter().map(view).collect(), next_cursor }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn cursor(micros: i64, id: u128) -> Cursor {
        Cursor { at: Instant::from_micros(micros).expect("in range"), id: Uuid::from_u128(id) }
    }

    proptest! {
        #[test]
        fn a_cursor_survives_text(micros in -1_000_000_000_000_000_i64..4_000_000_000_000_000, id in any::<u128>()) {
            let cursor = cursor(micros, id);
            prop_assert_eq!(Cursor::decode(&cursor.encode()), Some(cursor));
        }

        #[test]
        fn any_other_text_is_refused_without_panic(text in "[A-Za-z0-9_-]{0,40}|\\PC{0,40}") {
            if let Some(cursor) = Cursor::decode(&text) {
                prop_assert_eq!(cursor.encode(), text);
            }
        }
    }

    #[test]
    fn limits_have_a_default_and_bounds() {
        assert_eq!(PageRequest::new(None, None).map(|page| page.limit).ok(), Some(50));
        assert_eq!(PageRequest::new(Some(500), None).map(PageRequest::rows_to_read).ok(), Some(501));
        for limit in [0, 501, 70_000] {
            assert_eq!(
                PageRequest::new(Some(limit), None).map_err(|problem| problem.code),
                Err(Code::QueryInvalid)
            );
        }
        let odd = PageRequest::new(None, Some("AAAA"));
        assert_eq!(odd.map_err(|problem| problem.code), Err(Code::CursorInvalid));
    }

    #[test]
    fn a_cursor_of_another_version_is_refused() {
        let mut bytes = URL_SAFE_NO_PAD.decode(cursor(1, 2).encode()).expect("base64");
        bytes[0] = 2;
        assert_eq!(Cursor::decode(&URL_SAFE_NO_PAD.encode(bytes)), None);
    }

    #[test]
    fn the_last_page_has_no_cursor() {
        let request = PageRequest { limit: 2, after: None };
        let page =
            |ids: &[u128]| Page::from_rows(ids.to_vec(), request, |id| cursor(7, *id), |id| id.to_string());
        assert_eq!(page(&[1, 2]).next_cursor, None);
        assert_eq!(page(&[]).next_cursor, None);
        let full = page(&[1, 2, 3]);
        assert_eq!(full.data, ["1", "2"]);
        assert_eq!(full.next_cursor.as_deref().and_then(Cursor::decode), Some(cursor(7, 2)));
    }
}
