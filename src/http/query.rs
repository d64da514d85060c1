//! Strict reading of query parameters.

use axum::extract::FromRequestParts;
use axum::http::Uri;
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// The parameters of a page, as a handler's argument; see [`read`]. A struct without `deny_unknown_fields` passes over others.
#[derive(Debug, Clone, Copy)]
pub struct Query<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Query<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        read(&parts.uri).map(Self)
    }
}

/// The parameters as a struct with `deny_unknown_fields`: a mistyped filter is refused with `query_invalid`, never ignored.
pub fn read<T: DeserializeOwned>(uri: &Uri) -> Result<T, Problem> {
    // PostgreSQL keeps no text with a zero character, so nothing is found by one.
    if uri.query().is_some_and(|query| query.contains("%00")) {
        return Err(Problem::new(Code::QueryInvalid).detail("a parameter holds a zero character"));
    }
    let axum::extract::Query(read) = axum::extract::Query::<T>::try_from_uri(uri)
        .map_err(|refusal| Problem::new(Code::QueryInvalid).detail(refusal.body_text()))?;
    Ok(read)
}

#[cfg(test)]
mod tests {
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Search {
        limit: Option<u32>,
        state: Option<String>,
    }

    fn read(uri: &'static str) -> Result<Search, Problem> {
        super::read(&Uri::from_static(uri))
    }

    #[test]
    fn parameters_are_read_or_refused_by_name() {
        let search = read("/x?limit=5&state=paid%20late").expect("good");
        assert_eq!((search.limit, search.state.as_deref()), (Some(5), Some("paid late")));
        for uri in ["/x?limit=five", "/x?colour=blue", "/x?limit=1&limit=2", "/x?limit=-1"] {
            let problem = read(uri).expect_err(uri);
            assert_eq!(problem.code, Code::QueryInvalid, "{uri}");
        }
        let unknown = read("/x?colour=blue").expect_err("unknown");
        assert!(unknown.detail.unwrap_or_default().contains("colour"));
    }
}
