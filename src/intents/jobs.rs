//! What an intent asks of the outside: a page from the provider.

use mizan_adapters::channel::{Collection, Language};
use mizan_adapters::outcome::Outcome;

use super::attempts::service::{self as attempts, News};
use super::model::{Attempt, AttemptState, IntentError};
use super::{store, view};
use crate::app::App;
use crate::crash::Point;
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::tx::Actor;

/// Where the payer goes next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// The provider's own page.
    Page(String),
    /// The channel needs no page: the payer types the reference at the bank.
    Instructions,
    /// The provider refused or did not answer; the payer may try again.
    Failed,
}

/// Starts (or continues) an attempt on a channel and asks the provider for its page. The attempt is committed before
/// the provider hears of it; the same order again gets the same page.
pub async fn start(app: &App, intent: IntentId, channel: &str, arabic: bool) -> Result<Next, IntentError> {
    let Some(collect) = app.hub.channels.get(channel).and_then(|channel| channel.collect.clone()) else {
        return Ok(Next::Instructions);
    };
    let actor = Actor::hub("payer-page");
    let asked = (intent, channel.to_owned());
    let attempt = app.run(&actor, &asked, |tx, asked| Box::pin(attempts::start(tx, asked))).await?;
    if let (AttemptState::Redirected, Some(page)) = (attempt.state, &attempt.page_url) {
        return Ok(Next::Page(page.clone()));
    }
    let collection = collection(app, &attempt, arabic).await?;
    app.hub.crash.reach(Point::Sending).await;
    let answer = collect.start(collection).await;
    app.hub.crash.reach(Point::Sent).await;
    let news = match answer {
        Outcome::Accepted(started) => {
            News::PageOpened { session: started.session, page_url: started.page_url }
        }
        Outcome::Rejected { code, message } => {
            tracing::warn!(channel, code, message, "the provider refused a collection");
            News::Declined { reason: code }
        }
        Outcome::NotSent { why } => {
            tracing::warn!(channel, why, "the provider was not reached");
            News::Abandoned
        }
        Outcome::Unknown { why } => {
            tracing::warn!(channel, why, "nobody knows whether the provider opened its page");
            News::Unknown { ask_again_at: app.clock.now().plus_seconds(60) }
        }
    };
    let told = (attempt.id, news);
    let attempt = app.run(&actor, &told, |tx, told| Box::pin(attempts::tell(tx, told))).await?;
    Ok(attempt.page_url.map_or(Next::Failed, Next::Page))
}

async fn collection(app: &App, attempt: &Attempt, arabic: bool) -> Result<Collection, IntentError> {
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let intent = store::find(&mut conn, attempt.intent).await?.ok_or(IntentError::NotFound)?;
    let baskets = view::baskets(&mut conn, std::slice::from_ref(&intent)).await?;
    let names = baskets.values().flat_map(|basket| &basket.lines);
    let english: Vec<String> = names.map(|line| line.priced.service.to_string()).collect();
    let public = &app.hub.config.public_url;
    Ok(Collection {
        order: attempt.id.to_string(),
        money: attempt.amount,
        description_ar: format!("فاتورة {}", intent.bill_number),
        description_en: english.join(", ").chars().take(100).collect(),
        language: if arabic { Language::Ar } else { Language::En },
        return_url: format!("{public}/pay/{}/return", intent.pay_token),
        callback_url: format!("{public}/channels/{}/callback", attempt.channel),
    })
}
