//! `/v1/events`: a portal's feed.

use axum::Json;
use axum::extract::State;
use serde::{Deserialize, Serialize};
use utoipa_axum::router::OpenApiRouter;
use utoipa_axum::routes;

use super::{EventView, store};
use crate::access::Scope;
use crate::app::App;
use crate::fault::Fault;
use crate::http::call::Call;
use crate::http::openapi::Refusals;
use crate::http::page::PageRequest;
use crate::http::problem::{Code, FieldCode, FieldError, Problem};

pub fn router() -> OpenApiRouter<App> {
    OpenApiRouter::new().routes(routes!(read))
}

#[derive(Debug, Deserialize, utoipa::IntoParams)]
#[serde(deny_unknown_fields)]
#[into_params(parameter_in = Query)]
struct Search {
    /// The last position seen; without it the feed is read from the oldest event kept.
    after: Option<i64>,
    limit: Option<u32>,
}

/// A stretch of the feed.
#[derive(Debug, Serialize, utoipa::ToSchema)]
#[schema(as = EventStretch)]
struct Stretch {
    data: Vec<EventView>,
    /// Send it back as `after`, now if `has_more`, later if not.
    next_after: i64,
    has_more: bool,
}

/// The portal's feed: every event in order, complete, by a position without gaps.
///
/// Send `next_after` back as `after`. Refuses with `events_gone`, `query_invalid`.
#[utoipa::path(get, path = "/v1/events", tag = "events", params(Search), responses((status = OK, body = Stretch), Refusals))]
async fn read(State(app): State<App>, call: Call) -> Result<Json<Stretch>, Problem> {
    let portal = call.portal(&Scope::EventsRead)?;
    let search: Search = call.query()?;
    let page = PageRequest::new(search.limit, None)?;
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let after = match search.after {
        Some(after) => after,
        None => store::find_reach(&mut conn, portal).await?.pruned,
    };
    let mut events = store::page(&mut conn, portal, after, page.rows_to_read()).await?;
    // The reach is read after the events: whatever was pruned before they were read shows in it.
    let reach = store::find_reach(&mut conn, portal).await?;
    if !(0..=reach.last).contains(&after) {
        return Err(Problem::new(Code::QueryInvalid)
            .detail(format!("the feed ends at {}: no event has been at {after}", reach.last))
            .field(FieldError::new("/after", FieldCode::OutOfRange)));
    }
    if after < reach.pruned {
        return Err(Problem::new(Code::EventsGone)
            .detail(format!("events up to {} are no longer kept", reach.pruned))
            .with("after", reach.pruned));
    }
    let limit = usize::from(page.limit);
    let has_more = events.len() > limit;
    events.truncate(limit);
    let next_after = events.last().map_or(after, |last| last.position);
    let live = app.hub.config.mode.is_live();
    let data = events.into_iter().map(|event| EventView::new(event, live)).collect();
    Ok(Json(Stretch { data, next_after, has_more }))
}
