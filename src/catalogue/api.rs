//! `/v1/services`: what a portal may sell. `/v1/price-list`: the same for everybody.

use axum::Json;
use axum::extract::State;
use serde::Serialize;
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{Bilingual, FeeVersion, Service, ServiceCode, service};
use crate::access::Scope;
use crate::app::App;
use crate::config::ChannelKind;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::openapi::Refusals;
use crate::http::page::Page;
use crate::http::path::Path;
use crate::http::problem::{Code, Problem};

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new()
        .routes(routes!(list))
        .routes(routes!(find))
        .routes(routes!(price_list))
        .merge(super::approval::api::router())
}

/// A service with the fee version in force today; without one it cannot be sold.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = Service)]
struct ServiceView {
    code: String,
    agency: String,
    name: Bilingual,
    description: Bilingual,
    documents: Vec<Bilingual>,
    duration_days: u16,
    /// Those of the service that this hub has.
    channels: Vec<super::Channel>,
    applicants: Vec<super::Applicant>,
    fee: Option<FeeVersion>,
}

impl From<ChannelKind> for super::Channel {
    fn from(kind: ChannelKind) -> Self {
        match kind {
            ChannelKind::HostedCard => Self::Card,
            ChannelKind::BankTransfer => Self::Transfer,
        }
    }
}

fn view(app: &App, catalogue: &super::Catalogue, one: &Service) -> ServiceView {
    let agency = catalogue.agency(one.code.agency());
    let offered: Vec<super::Channel> =
        app.hub.config.channels.values().map(|channel| channel.kind.into()).collect();
    let fee = agency.and_then(|agency| one.version_on(app.clock.now().day_in(&agency.zone)));
    ServiceView {
        code: one.code.to_string(),
        agency: one.code.agency().to_string(),
        name: one.name.clone(),
        description: one.description.clone(),
        documents: one.documents.clone(),
        duration_days: one.duration_days,
        channels: one.channels.iter().copied().filter(|channel| offered.contains(channel)).collect(),
        applicants: one.applicants.clone(),
        fee: fee.cloned(),
    }
}

/// What this portal may sell, with the fee version in force today.
#[utoipa::path(get, path = "/v1/services", tag = "services", responses((status = OK, body = Page<ServiceView>), Refusals))]
async fn list(State(app): State<App>, call: Call) -> Result<Json<Page<ServiceView>>, Problem> {
    call.require(&Scope::ServicesRead)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let catalogue = service::read(&mut conn, &app.hub.catalogue).await?;
    let data: Vec<_> = catalogue.services.iter().map(|one| view(&app, &catalogue, one)).collect();
    Ok(Json(Page { data, next_cursor: None }))
}

/// What everybody may know.
#[derive(Debug, Serialize, utoipa::ToSchema)]
struct PriceList {
    /// Prices of a test hub are charged to nobody.
    live: bool,
    data: Vec<ListedService>,
}

#[derive(Debug, Serialize, utoipa::ToSchema)]
struct ListedService {
    agency_name: Bilingual,
    #[serde(flatten)]
    service: ServiceView,
    /// The version that is approved already and follows the one in force.
    next_fee: Option<FeeVersion>,
}

/// The price list, for everybody: nothing is signed.
///
/// All services with the fee version in force today and, where one is approved already, the next.
#[utoipa::path(get, path = "/v1/price-list", tag = "services", security(()), responses((status = OK, body = PriceList)))]
async fn price_list(State(app): State<App>) -> Result<Json<PriceList>, Problem> {
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let catalogue = service::read(&mut conn, &app.hub.catalogue).await?;
    drop(conn);
    let listed = catalogue.services.iter().filter_map(|one| {
        let agency = catalogue.agency(one.code.agency())?;
        let today = app.clock.now().day_in(&agency.zone);
        let later = one.versions.iter().filter(|version| version.valid.from > today);
        Some(ListedService {
            agency_name: agency.name.clone(),
            service: view(&app, &catalogue, one),
            next_fee: later.min_by_key(|version| version.valid.from).cloned(),
        })
    });
    Ok(Json(PriceList { live: app.hub.config.mode.is_live(), data: listed.collect() }))
}

/// One service: its inputs, documents and price rules.
///
/// A service is named `agency/service`.
#[utoipa::path(get, path = "/v1/services/{agency}/{service}", tag = "services", params(("agency" = String, Path), ("service" = String, Path)), responses((status = OK, body = ServiceView), Refusals))]
async fn find(
    State(app): State<App>,
    Path((agency, name)): Path<(String, String)>,
    call: Call,
) -> Result<Json<ServiceView>, Problem> {
    call.require(&Scope::ServicesRead)?;
    let code: ServiceCode = format!("{agency}/{name}").parse().map_err(|_| Problem::new(Code::NotFound))?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let catalogue = service::read(&mut conn, &app.hub.catalogue).await?;
    let one = catalogue.service(&code).ok_or(Problem::new(Code::NotFound))?;
    Ok(Json(view(&app, &catalogue, one)))
}
