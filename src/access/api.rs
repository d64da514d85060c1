//! `/v1/login`: a key for a person. `/v1/finance/portals`, `/people`, `/keys`: what administrators do.

use std::ops::RangeInclusive;

use axum::body::Body;
use axum::extract::{Request, State};
use axum::http::StatusCode;
use axum::{Extension, Json};
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD as BASE64;
use mizan_ledger::Id as _;
use serde::Deserialize;
use utoipa::IntoParams;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::login::{self, Refused};
use super::service::{self, Approval, NewPerson, NewPortal, NextKey};
use super::store::PersonRow;
use super::store::listing::{self, Filter};
use super::view::{
    KeyView, LoginBody, NewPortalView, PersonBody, PersonView, PortalBody, PortalView, RotateBody, public_key,
};
use super::{AccessError, ListedKey, NewKey, Owner, Role, Scope, Tries};
use crate::app::App;
use crate::fault::Fault;
use crate::http::address::Address;
use crate::http::call::Call;
use crate::http::json;
use crate::http::once::Answer;
use crate::http::openapi::Refusals;
use crate::http::page::{Cursor, Page, PageRequest};
use crate::http::path::Path;
use crate::http::problem::{Code, Faults, FieldCode, FieldError, Problem};
use crate::http::signature::VerifyKey;
use crate::ids::{PersonId, PortalId};
use crate::tx::{Actor, Tx};

const PASSWORD_CHARS: RangeInclusive<usize> = 12..=200;

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(log_in))
        .layer(Extension(Tries::default()))
        .routes(routes!(create_portal, list_portals))
        .routes(routes!(create_person, list_people))
        .routes(routes!(approve_person))
        .routes(routes!(disable_person))
        .routes(routes!(list_keys))
        .routes(routes!(rotate_key))
        .routes(routes!(approve_key))
        .routes(routes!(revoke_key))
}

/// Keys of the two modes cannot be mistaken for each other.
fn key_id(app: &App, of: &str) -> String {
    format!("{}_{of}{}", app.hub.config.mode.as_str(), app.hub.entropy.token::<12>())
}

/// The key of a portal: its public key, or a secret made here.
fn material(app: &App, public: Option<VerifyKey>) -> Result<(VerifyKey, Option<String>), Problem> {
    if let Some(public) = public {
        return Ok((public, None));
    }
    let secret = app.hub.entropy.bytes::<32>();
    let key = VerifyKey::hmac_sha256(secret.to_vec()).map_err(|_| Fault::Crypto("a short secret"))?;
    Ok((key, Some(BASE64.encode(secret))))
}

/// A portal that brought its own key has no secret to be shown.
fn show_secret(answer: Answer, object: &str, secret: Option<String>) -> Result<Answer, Problem> {
    let Some(secret) = secret else { return Ok(answer) };
    Ok(answer.showing(object, "secret", &secret)?)
}

/// Log in: registers a key for a person.
///
/// Not signed: the password is the proof. The key pair is made on the person's machine and only its public half is sent.
/// A person holds as many keys as machines; `mizan login` does all of this. Refuses with `login_refused`,
/// `password_change_needed`, `rate_limited`, `validation_failed`.
#[utoipa::path(post, path = "/v1/login", tag = "access", security(()), request_body = LoginBody,
    responses((status = CREATED, body = KeyView), Refusals))]
async fn log_in(
    State(app): State<App>,
    Extension(tries): Extension<Tries>,
    Address(from): Address,
    request: Request<Body>,
) -> Result<(StatusCode, Json<KeyView>), Problem> {
    let (parts, body) = request.into_parts();
    json::require_json(&parts.headers)?;
    let bytes = json::collect(body, app.hub.config.limits.body_bytes_max).await?;
    let asked: LoginBody = json::read(&bytes)?;
    let mut faults = Faults::default();
    let material = public_key(Some(&asked.public_key), &mut faults);
    let length = asked.new_password.as_ref().map(|password| password.chars().count());
    let unfit = length.is_some_and(|length| !PASSWORD_CHARS.contains(&length));
    if unfit {
        faults.add("/new_password", FieldCode::OutOfRange);
    }
    let (min, max) = (PASSWORD_CHARS.start(), PASSWORD_CHARS.end());
    let range = format!("a password has {min} to {max} characters");
    faults.finish().map_err(|problem| if unfit { problem.detail(range) } else { problem })?;
    let material = material.ok_or(Problem::new(Code::ValidationFailed))?;
    let person = match login::person(&app, &tries, from, (asked.login.trim(), asked.password.clone())).await?
    {
        Ok(person) => person,
        Err(Refused::Wrong) => return Err(Problem::new(Code::LoginRefused)),
        Err(Refused::TooOften) => return Err(Problem::new(Code::RateLimited).retry_after(60)),
    };
    let same = asked.new_password.as_ref() == Some(&asked.password);
    if person.password_given && (asked.new_password.is_none() || same) {
        return Err(Problem::new(Code::PasswordChangeNeeded));
    }
    let new = first_key(&app, &person, material)?;
    let work = (new, asked.new_password, person.id);
    app.run(&Actor::person(person.id), &work, |tx, work| Box::pin(register(tx, work))).await?;
    let (new, ..) = work;
    Ok((StatusCode::CREATED, Json(ListedKey::new(new, person.login).into())))
}

async fn register(tx: &mut Tx, work: &(NewKey, Option<String>, PersonId)) -> Result<(), AccessError> {
    let (key, password, person) = work;
    if let Some(password) = password {
        service::change_password(tx, *person, password).await?;
    }
    service::add_key(tx, key).await?;
    Ok(())
}

fn first_key(app: &App, person: &PersonRow, material: VerifyKey) -> Result<NewKey, Fault> {
    let corrupt = |_| Fault::corrupt("people", "roles", person.id);
    let roles: Vec<Role> =
        person.roles.iter().map(|role| role.parse()).collect::<Result<_, _>>().map_err(corrupt)?;
    Ok(NewKey {
        key_id: key_id(app, &format!("{}_", person.login)),
        owner: Owner::Person(person.id),
        material,
        scopes: service::scopes_of(&roles),
        created_at: app.clock.now(),
    })
}

/// A portal to be taken on, with its first key.
struct TakenOn {
    portal: NewPortal,
    key_id: String,
    scopes: Vec<Scope>,
    material: VerifyKey,
}

/// Take on a portal, with its first key.
///
/// A key that may report what was delivered (`fulfil:<agency>`) brings its own public key and waits for another
/// administrator. Refuses with `already_exists`, `validation_failed`.
#[utoipa::path(post, path = "/v1/finance/portals", tag = "access", request_body = PortalBody,
    responses((status = CREATED, body = NewPortalView), Refusals))]
async fn create_portal(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Administer)?;
    let mut faults = Faults::default();
    let live = app.hub.config.mode.is_live();
    let (portal, scopes, public) = call.json::<PortalBody>()?.read(live, &mut faults);
    faults.finish()?;
    let (material, secret) = material(&app, public)?;
    let new = TakenOn { portal, key_id: key_id(&app, ""), scopes, material };
    let answer = app.once(&call, StatusCode::CREATED, &new, |tx, new| Box::pin(take_on(tx, new))).await?;
    show_secret(answer, "/key", secret)
}

async fn take_on(tx: &mut Tx, new: &TakenOn) -> Result<NewPortalView, AccessError> {
    let id = service::create_portal(tx, &new.portal).await?;
    let created_at = tx.now();
    let key = NewKey {
        key_id: new.key_id.clone(),
        owner: Owner::Portal(id),
        material: new.material.clone(),
        scopes: new.scopes.clone(),
        created_at,
    };
    let proposed_by = service::add_key(tx, &key).await?;
    let NewPortal { code, name_ar, name_en, return_url_prefixes } = new.portal.clone();
    let key = ListedKey { proposed_by, ..ListedKey::new(key, code.clone()) };
    let portal = super::Portal { id, code, name_ar, name_en, return_url_prefixes, created_at };
    Ok(NewPortalView { portal: portal.into(), key: key.into() })
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Pages {
    limit: Option<u32>,
    cursor: Option<String>,
}

/// The portals of this hub, newest first.
#[utoipa::path(get, path = "/v1/finance/portals", tag = "access", params(Pages),
    responses((status = OK, body = Page<PortalView>), Refusals))]
async fn list_portals(State(app): State<App>, call: Call) -> Result<Json<Page<PortalView>>, Problem> {
    call.person(&Scope::Administer)?;
    let asked: Pages = call.query()?;
    let page = PageRequest::new(asked.limit, asked.cursor.as_deref())?;
    let before = page.after.map(|cursor| PortalId::from_uuid(cursor.id));
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let rows = listing::page_portals(&mut conn, before, page.rows_to_read()).await?;
    let key = |row: &super::Portal| Cursor { at: row.created_at, id: row.id.uuid() };
    Ok(Json(Page::from_rows(rows, page, key, PortalView::from)))
}

/// Propose a member of staff.
///
/// Another administrator approves; only the second administrator of a hub is active at once, because nobody else could
/// approve them. What is shown once is the first half of the person's password; the approver is shown the other (a second
/// administrator's password is shown whole). Together they open nothing until the person replaces them at their first
/// login. Refuses with `already_exists`, `validation_failed`.
#[utoipa::path(post, path = "/v1/finance/people", tag = "access", request_body = PersonBody,
    responses((status = CREATED, body = PersonView), Refusals))]
async fn create_person(State(app): State<App>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Administer)?;
    let mut faults = Faults::default();
    let password = app.hub.entropy.token::<16>();
    let new: NewPerson = call.json::<PersonBody>()?.read(password.clone(), &mut faults);
    faults.finish()?;
    let answer = app
        .once(&call, StatusCode::CREATED, &new, |tx, new| {
            Box::pin(async move { service::propose_person(tx, new).await.map(PersonView::from) })
        })
        .await?;
    Ok(answer.showing("", "password", &password)?)
}

/// The staff of this hub, newest first.
#[utoipa::path(get, path = "/v1/finance/people", tag = "access", params(Pages),
    responses((status = OK, body = Page<PersonView>), Refusals))]
async fn list_people(State(app): State<App>, call: Call) -> Result<Json<Page<PersonView>>, Problem> {
    call.person(&Scope::Administer)?;
    let asked: Pages = call.query()?;
    let page = PageRequest::new(asked.limit, asked.cursor.as_deref())?;
    let before = page.after.map(|cursor| PersonId::from_uuid(cursor.id));
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let rows = listing::page_people(&mut conn, before, page.rows_to_read()).await?;
    let key = |row: &super::Person| Cursor { at: row.created_at, id: row.id.uuid() };
    Ok(Json(Page::from_rows(rows, page, key, PersonView::from)))
}

fn person_id(text: &str) -> Result<PersonId, Problem> {
    text.parse().map_err(|_| Problem::new(Code::NotFound))
}

/// Approve a person whom another administrator proposed.
///
/// Shows the second half of the person's password, once. Refuses with `same_person`, `already_decided`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/people/{id}/approve", tag = "access", params(("id" = String, Path)),
    responses((status = OK, body = PersonView), Refusals))]
async fn approve_person(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    call.person(&Scope::Administer)?;
    let approval = Approval { person: person_id(&id)?, password_part: app.hub.entropy.token::<12>() };
    let answer = app
        .once(&call, StatusCode::OK, &approval, |tx, approval| {
            Box::pin(async move { service::approve_person(tx, approval).await.map(PersonView::from) })
        })
        .await?;
    Ok(answer.showing("", "password", &approval.password_part)?)
}

/// Stop a person: keys and sessions end at once.
///
/// Two administrators must be left. Refuses with `too_few_administrators`, `already_decided`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/people/{id}/disable", tag = "access", params(("id" = String, Path)),
    responses((status = OK, body = PersonView), Refusals))]
async fn disable_person(
    State(app): State<App>,
    Path(id): Path<String>,
    call: Call,
) -> Result<Answer, Problem> {
    call.person(&Scope::Administer)?;
    let id = person_id(&id)?;
    app.once(&call, StatusCode::OK, &id, |tx, id| {
        Box::pin(async move { service::disable_person(tx, id).await.map(PersonView::from) })
    })
    .await
}

#[derive(Debug, Deserialize, IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct KeySearch {
    /// A portal's code or a person's login.
    owner: Option<String>,
    /// Revoked keys too.
    revoked: Option<bool>,
}

/// Keys without their secrets, newest first, on one page.
#[utoipa::path(get, path = "/v1/finance/keys", tag = "access", params(KeySearch),
    responses((status = OK, body = Page<KeyView>), Refusals))]
async fn list_keys(State(app): State<App>, call: Call) -> Result<Json<Page<KeyView>>, Problem> {
    call.person(&Scope::Administer)?;
    let asked: KeySearch = call.query()?;
    let filter =
        Filter { key_id: None, owner: asked.owner.as_deref(), revoked: asked.revoked.unwrap_or(false) };
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let keys = listing::page_keys(&mut conn, filter).await?;
    Ok(Json(Page { data: keys.into_iter().map(KeyView::from).collect(), next_cursor: None }))
}

/// Give a portal its next key; the old one goes on until it is revoked.
///
/// Refuses with `key_limit_reached`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/keys/{key_id}/rotate", tag = "access", request_body = RotateBody,
    params(("key_id" = String, Path)), responses((status = CREATED, body = KeyView), Refusals))]
async fn rotate_key(State(app): State<App>, Path(of): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Administer)?;
    let mut faults = Faults::default();
    let public = public_key(call.json::<RotateBody>()?.public_key.as_deref(), &mut faults);
    faults.finish()?;
    let (material, secret) = material(&app, public)?;
    let next = NextKey { of, key_id: key_id(&app, ""), material };
    let answer = app
        .once(&call, StatusCode::CREATED, &next, |tx, next| {
            Box::pin(async move { service::rotate_key(tx, next).await.map(KeyView::from) })
        })
        .await?;
    show_secret(answer, "", secret)
}

/// Approve a key that another administrator gave.
///
/// Keys that may report what was delivered, and so release money, wait for this. Refuses with `same_person`,
/// `already_decided`, `not_found`.
#[utoipa::path(post, path = "/v1/finance/keys/{key_id}/approve", tag = "access",
    params(("key_id" = String, Path)), responses((status = OK, body = KeyView), Refusals))]
async fn approve_key(State(app): State<App>, Path(key): Path<String>, call: Call) -> Result<Answer, Problem> {
    call.person(&Scope::Administer)?;
    app.once(&call, StatusCode::OK, &key, |tx, key| {
        Box::pin(async move { service::approve_key(tx, key).await.map(KeyView::from) })
    })
    .await
}

/// End a key at once. Administrators end any key, everybody else their own.
///
/// Refuses with `not_found`.
#[utoipa::path(post, path = "/v1/finance/keys/{key_id}/revoke", tag = "access",
    params(("key_id" = String, Path)), responses((status = OK, body = KeyView), Refusals))]
async fn revoke_key(State(app): State<App>, Path(key): Path<String>, call: Call) -> Result<Answer, Problem> {
    if !call.caller.may(&Scope::Administer) {
        own(&app, &call, &key).await?;
    }
    app.once(&call, StatusCode::OK, &key, |tx, key| {
        Box::pin(async move { service::revoke_key(tx, key).await.map(KeyView::from) })
    })
    .await
}

/// The caller owns the key; what belongs to others is answered like what does not exist.
async fn own(app: &App, call: &Call, key: &str) -> Result<(), Problem> {
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let filter = Filter { key_id: Some(key), owner: None, revoked: true };
    let found = listing::page_keys(&mut conn, filter).await?.pop();
    let own = found.is_some_and(|found| found.owner == call.caller.owner);
    if own { Ok(()) } else { Err(Problem::new(Code::NotFound)) }
}

impl From<AccessError> for Problem {
    fn from(error: AccessError) -> Self {
        let detail = error.to_string();
        let problem = match error {
            AccessError::Exists(_) => Self::new(Code::AlreadyExists),
            AccessError::NotFound { .. } => Self::new(Code::NotFound),
            AccessError::TooManyKeys => Self::new(Code::KeyLimitReached),
            AccessError::ConflictingRoles(..) => {
                Self::new(Code::ValidationFailed).field(FieldError::new("/roles", FieldCode::NotTogether))
            }
            AccessError::SamePerson => Self::new(Code::SamePerson),
            AccessError::SecretShared => {
                Self::new(Code::ValidationFailed).field(FieldError::new("/public_key", FieldCode::Required))
            }
            AccessError::AlreadyDecided(_) | AccessError::NotTheFirst => Self::new(Code::AlreadyDecided),
            AccessError::TooFewAdministrators => Self::new(Code::TooFewAdministrators),
            AccessError::KeyOfPerson => Self::new(Code::ForbiddenScope),
            AccessError::Fault(fault) => return fault.into(),
        };
        problem.detail(detail)
    }
}
