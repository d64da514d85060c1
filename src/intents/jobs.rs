//! What an intent asks of the outside: a page from the provider.

use mizan_adapters::channel::{Collection, Language};
use mizan_adapters::outcome::Outcome;

use super::attempts::service::{self as attempts, Choice, News};
use super::model::{Attempt, AttemptState, Intent, IntentError};
use super::service;
use crate::app::App;
use crate::crash::Point;
use crate::fault::Fault;
use crate::ids::IntentId;
use crate::quoting::Basket;
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

/// As [`start_on`], when only the intent's id is at hand.
pub async fn start(app: &App, intent: IntentId, channel: &str, arabic: bool) -> Result<Next, IntentError> {
    let mut conn = app.pool.acquire().await.map_err(Fault::from)?;
    let intent = service::find(&mut conn, intent).await?.ok_or(IntentError::NotFound)?;
    let basket = service::basket(&mut conn, &intent).await?;
    drop(conn);
    start_on(app, &intent, basket, channel, arabic).await
}

/// Starts (or continues) an attempt on a channel and asks the provider for its page. The attempt is committed before
/// the provider hears of it; the same order again gets the same page.
pub async fn start_on(
    app: &App,
    intent: &Intent,
    basket: Basket,
    channel: &str,
    arabic: bool,
) -> Result<Next, IntentError> {
    let Some(collect) = app.hub.channels.get(channel).and_then(|channel| channel.collect.clone()) else {
        attempts::payable(intent, app.clock.now())?;
        return Ok(Next::Instructions);
    };
    let actor = Actor::hub("payer-page");
    let choice = Choice { intent: intent.id, channel: channel.to_owned(), basket };
    let attempt = app.run(&actor, &choice, |tx, choice| Box::pin(attempts::start(tx, choice))).await?;
    if let (AttemptState::Redirected, Some(page)) = (attempt.state, &attempt.page_url) {
        return Ok(Next::Page(page.clone()));
    }
    let collection = collection(app, intent, &choice.basket, &attempt, arabic);
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

fn collection(app: &App, intent: &Intent, basket: &Basket, attempt: &Attempt, arabic: bool) -> Collection {
    let english: Vec<String> = basket.lines.iter().map(|line| line.priced.service.to_string()).collect();
    let public = &app.hub.config.public_url;
    Collection {
        order: attempt.id.to_string(),
        money: attempt.amount,
        description_ar: format!("فاتورة {}", intent.bill_number),
        description_en: english.join(", ").chars().take(100).collect(),
        language: if arabic { Language::Ar } else { Language::En },
        return_url: format!(
            "{public}/pay/{}/return?lang={}",
            intent.pay_token,
            if arabic { "ar" } else { "en" }
        ),
        callback_url: format!("{public}/channels/{}/callback", attempt.channel),
    }
}
