//! A signed request: who calls, with which scopes, the bytes of the body, and for a writing request its
//! idempotency key. A handler that takes a [`Call`] is authenticated; there is no other way in under `/v1`.
//!
//! Who calls is asked first, then what they may, and only then what they ask: a stranger learns nothing from how a query
//! or a body is refused.

use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::{FromRequest, Request};
use axum::http::{HeaderMap, Method, Uri};
use serde::de::DeserializeOwned;
use sqlx::PgConnection;

use super::idempotency::{Fingerprint, IdempotencyKey, IdempotencyKeyError};
use super::language::Language;
use super::problem::{Code, Problem, REQUEST_ID};
use super::signature::{self, Message, Presented, SignatureError};
use super::{json, query};
use crate::access::{Caller, KnownKey, Owner, Scope, service, store};
use crate::app::App;
use crate::fault::Fault;
use crate::ids::{PersonId, PortalId};
use crate::tx::Actor;

/// An authenticated request.
#[derive(Debug, Clone)]
pub struct Call {
    pub caller: Caller,
    /// The version of the key table at which the caller's key was known.
    pub keys_version: i64,
    /// Of a request that changes anything; without a usable key it is refused once its scope is known to be right.
    pub idempotency: Option<Result<(IdempotencyKey, Fingerprint), IdempotencyKeyError>>,
    pub body: Bytes,
    pub uri: Uri,
    pub headers: HeaderMap,
    pub language: Language,
    /// For the support desk; in every answer.
    pub request_id: Option<String>,
}

impl Call {
    /// Refuses a caller whose key does not carry the scope.
    pub fn require(&self, scope: &Scope) -> Result<(), Problem> {
        self.allow(scope)?;
        self.keyed()
    }

    fn allow(&self, scope: &Scope) -> Result<(), Problem> {
        if self.caller.may(scope) {
            return Ok(());
        }
        Err(Problem::new(Code::ForbiddenScope).detail(format!("this key lacks the scope {scope}")))
    }

    /// A writing request has a usable idempotency key.
    fn keyed(&self) -> Result<(), Problem> {
        match &self.idempotency {
            Some(Err(error)) => Err((*error).into()),
            Some(Ok(_)) | None => Ok(()),
        }
    }

    /// The calling portal; staff are refused.
    pub fn portal(&self, scope: &Scope) -> Result<PortalId, Problem> {
        self.allow(scope)?;
        let Owner::Portal(id) = self.caller.owner else {
            let why = "this call is for portals; the key is a person's";
            return Err(Problem::new(Code::ForbiddenScope).detail(why));
        };
        self.keyed()?;
        Ok(id)
    }

    /// The calling member of staff; portals are refused.
    pub fn person(&self, scope: &Scope) -> Result<PersonId, Problem> {
        self.allow(scope)?;
        let Owner::Person(id) = self.caller.owner else {
            let why = "this call is for staff; the key is a portal's";
            return Err(Problem::new(Code::ForbiddenScope).detail(why));
        };
        self.keyed()?;
        Ok(id)
    }

    pub fn actor(&self) -> Actor {
        self.caller.actor()
    }

    /// The body as JSON; every fault of its form is named with a pointer.
    pub fn json<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        json::require_json(&self.headers)?;
        json::read(&self.body)
    }

    /// The query as parameters; a mistyped or doubled one is refused with `query_invalid`, never ignored.
    pub fn query<T: DeserializeOwned>(&self) -> Result<T, Problem> {
        query::read(&self.uri)
    }
}

impl FromRequest<App> for Call {
    type Rejection = Problem;

    async fn from_request(request: Request, app: &App) -> Result<Self, Problem> {
        let (parts, body) = request.into_parts();
        let bytes_max = bytes_max(app, parts.uri.path());
        let body = json::collect(body, bytes_max).await?;
        let presented = signature::parse(&parts.headers).map_err(|error| refusal(app, &error))?;
        let idempotency = changes_something(&parts.method).then(|| {
            let key = IdempotencyKey::from_headers(&parts.headers)?;
            let (method, uri) = (parts.method.as_str(), &parts.uri);
            Ok((key, Fingerprint::of(method, uri.path(), uri.query(), &body)))
        });
        let message = Message::received(&parts.method, scheme(app), &parts.uri, &parts.headers);
        let (key, keys_version) =
            authenticate(app, &presented, &message, &body, idempotency.is_none()).await?;
        app.pace.take(&key.caller.key_id)?;
        Ok(Self {
            caller: key.caller.clone(),
            keys_version,
            idempotency,
            body,
            language: Language::accepted(&parts.headers),
            request_id: parts.headers.get(REQUEST_ID).and_then(|id| id.to_str().ok()).map(str::to_owned),
            uri: parts.uri,
            headers: parts.headers,
        })
    }
}

fn changes_something(method: &Method) -> bool {
    !matches!(*method, Method::GET | Method::HEAD | Method::OPTIONS)
}

/// How clients reach us, behind whatever ends TLS.
fn scheme(app: &App) -> &'static str {
    if app.hub.config.public_url.starts_with("https:") { "https" } else { "http" }
}

/// Statement uploads are larger than everything else.
fn bytes_max(app: &App, path: &str) -> usize {
    if path.starts_with("/v1/finance/statements") {
        app.hub.config.limits.statement_bytes_max
    } else {
        app.hub.config.limits.body_bytes_max
    }
}

/// What is told of a bad signature: in test mode also the signature base and the hub's time.
fn refusal(app: &App, error: &SignatureError) -> Problem {
    if app.hub.config.mode.is_live() { error.problem() } else { error.explained(app.clock.now()) }
}

/// A cached key is good for one version of the key table. A writing request compares it in its own transaction
/// ([`App::once`](crate::app::App)); a reading one here.
async fn cached(app: &App, key_id: &str, reads: bool) -> Result<Option<(i64, Arc<KnownKey>)>, Fault> {
    let Some((version, key)) = app.key_cache.get(key_id) else { return Ok(None) };
    if reads {
        let mut conn = app.pool.acquire().await?;
        if store::keys_version(&mut conn).await? != version {
            return Ok(None);
        }
    }
    Ok(Some((version, key)))
}

/// Finds the first known key among the signatures presented and checks that signature.
async fn authenticate(
    app: &App,
    presented: &[Presented],
    message: &Message<'_>,
    body: &[u8],
    reads: bool,
) -> Result<(Arc<KnownKey>, i64), Problem> {
    let (presented, key, version) =
        known_key(app, presented, reads).await?.map_err(|error| refusal(app, &error))?;
    signature::verify(presented, message, body, &key.material, app.clock.now())
        .map_err(|error| refusal(app, &error))?;
    Ok((key, version))
}

type Known<'a> = Result<(&'a Presented, Arc<KnownKey>, i64), SignatureError>;

async fn known_key<'a>(app: &App, presented: &'a [Presented], reads: bool) -> Result<Known<'a>, Problem> {
    for one in presented {
        if let Some((version, key)) = cached(app, &one.keyid, reads).await? {
            return Ok(Ok((one, key, version)));
        }
        let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
        if let Some((version, key)) = load_key(app, &mut conn, &one.keyid).await? {
            return Ok(Ok((one, key, version)));
        }
    }
    let keyid = presented.first().map_or("", |one| one.keyid.as_str());
    Ok(Err(SignatureError::key_unknown(keyid)))
}

/// Reads a key from the database into the cache; one of the other mode is unknown here. Who holds a connection gives it:
/// asking for a second one while many do the same leaves all of them waiting for each other.
pub(super) async fn load_key(
    app: &App,
    conn: &mut PgConnection,
    key_id: &str,
) -> Result<Option<(i64, Arc<KnownKey>)>, Fault> {
    if !app.hub.config.mode.gave(key_id) {
        return Ok(None);
    }
    let Some((version, key)) = service::find_key(conn, &app.hub.keys, key_id).await? else {
        return Ok(None);
    };
    let key = Arc::new(key);
    app.key_cache.put(version, &key);
    Ok(Some((version, key)))
}
