//! Strict reading of query parameters, as a handler's argument.

use axum::extract::{FromRequestParts, Query};
use axum::http::request::Parts;
use serde::de::DeserializeOwned;

use super::problem::{Code, Problem};

/// `Params(search): Params<Search>`, where `Search` is a struct with `deny_unknown_fields`: a mistyped filter is
/// refused with `query_invalid`, never ignored.
#[derive(Debug, Clone, Copy)]
pub struct Params<T>(pub T);

impl<S: Send + Sync, T: DeserializeOwned> FromRequestParts<S> for Params<T> {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _state: &S) -> Result<Self, Problem> {
        let Query(read) = Query::<T>::try_from_uri(&parts.uri)
            .map_err(|refusal| Problem::new(Code::QueryInvalid).detail(refusal.body_text()))?;
        Ok(Self(read))
    }
}

#[cfg(test)]
mod tests {
    use axum::http::Request;
    use serde::Deserialize;

    use super::*;

    #[derive(Debug, Deserialize)]
    #[serde(deny_unknown_fields)]
    struct Search {
        limit: Option<u32>,
        state: Option<String>,
    }

    async fn read(uri: &str) -> Result<Search, Problem> {
        let (mut parts, ()) = Request::builder().uri(uri).body(()).expect("a request").into_parts();
        Params::<Search>::from_request_parts(&mut parts, &()).await.map(|Params(search)| search)
    }

    #[tokio::test]
    async fn parameters_are_read_or_refused_by_name() {
        let search = read("/x?limit=5&state=paid%20late").await.expect("good");
        assert_eq!((search.limit, search.state.as_deref()), (Some(5), Some("paid late")));
        for uri in ["/x?limit=five", "/x?colour=blue", "/x?limit=1&limit=2", "/x?limit=-1"] {
            let problem = read(uri).await.expect_err(uri);
            assert_eq!(problem.code, Code::QueryInvalid, "{uri}");
        }
        let unknown = read("/x?colour=blue").await.expect_err("unknown");
        assert!(unknown.detail.unwrap_or_default().contains("colour"));
    }
}
