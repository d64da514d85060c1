//! An earlier instruction of a refund was carried out after all, and none of it is on its way now: the refund goes back to
//! that instruction, which is seen leaving like any other.

use serde_json::json;

use super::request::came_by;
use super::{Held, News, Told, lock_with_source, tell};
use crate::breaks::{self, Category};
use crate::ids::RefundId;
use crate::refunds::attempts::store::Done;
use crate::refunds::attempts::{self, AttemptState};
use crate::refunds::model::{Rail, Refund, RefundError};
use crate::refunds::state::{RefundEvent, RefundState};
use crate::refunds::store;
use crate::tx::Tx;

/// Goes back to the instruction that a rail took or carried out, if the current one never left, failed or came back. Answers
/// whether it did; it posts then, and nothing more is to be locked.
pub async fn recover(tx: &mut Tx, id: &RefundId) -> Result<bool, RefundError> {
    let Some(done) = attempts::store::find_done(tx.conn(), *id).await? else { return Ok(false) };
    let mut held = lock_with_source(tx, *id).await?;
    if done.instruction >= held.refund.instruction || !stands_still(tx, &held.refund).await? {
        return Ok(false);
    }
    let Some(rail) = rail_of(tx, &held, &done).await? else { return Ok(false) };
    let left = held.refund.instruction;
    let refund = &mut held.refund;
    if refund.state != RefundState::Approved {
        refund.apply(RefundEvent::SentAgain)?;
    }
    (refund.instruction, refund.rail, refund.payee) = (done.instruction, rail, done.payee);
    refund.payment_file = None;
    refund.changed();
    store::update(tx.conn(), &[refund]).await?;
    tx.audit("refund.recovered", refund.id, json!({ "instruction": done.instruction, "left": left }));
    let told = [format!("{}:{}", refund.id, done.instruction)];
    let (now, because) = (tx.now(), "the refund goes on from this instruction");
    breaks::store::update_self_resolved(tx.conn(), now, Category::RefundUnconfirmed, &told, because).await?;
    let transaction = done.answer.unwrap_or_default();
    let news = match done.state {
        AttemptState::CarriedOut => News::CarriedOut { transaction },
        _ => News::Taken { transaction },
    };
    tell(tx, &[Told { refund: *id, instruction: done.instruction, news }]).await?;
    Ok(true)
}

/// Nothing of it is on its way: it failed or came back, or its current instruction stands in no file and was not sent.
async fn stands_still(tx: &mut Tx, refund: &Refund) -> Result<bool, RefundError> {
    match refund.state {
        RefundState::Failed | RefundState::Returned => Ok(true),
        RefundState::Approved if refund.payment_file.is_none() => {
            let current = attempts::store::find(tx.conn(), refund.id, refund.instruction).await?;
            Ok(current.is_none_or(|attempt| attempt.state == AttemptState::NotSent))
        }
        _ => Ok(false),
    }
}

/// The way that the instruction went. None when its agency has paid in meanwhile what a channel of its own had given back
/// already: that money is returned to it by people.
async fn rail_of(tx: &mut Tx, held: &Held, done: &Done) -> Result<Option<Rail>, RefundError> {
    let hub = tx.hub().clone();
    let refund = &held.refund;
    Ok(match &refund.rail {
        Rail::Gateway { channel, .. } | Rail::Bank { account: channel } if *channel == done.channel => {
            Some(refund.rail.clone())
        }
        Rail::Bank { .. } if hub.config.banks.iter().any(|bank| bank.name == done.channel) => {
            Some(Rail::Bank { account: done.channel.clone() })
        }
        Rail::Bank { .. } if hub.config.direct_agency(&done.channel).is_none() => {
            came_by(tx, held, &done.channel).await?
        }
        _ => None,
    })
}
