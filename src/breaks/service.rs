//! The end of a break that no news will end: one person says what it was, another agrees. No money moves by it.

use serde_json::json;

use super::model::{Break, BreakError};
use super::store;
use crate::ids::BreakId;
use crate::tx::Tx;

/// What a person says of a break.
#[derive(Debug, Clone)]
pub struct Said {
    pub id: BreakId,
    pub note: String,
}

/// One person says what it was. Whoever says it last stands for it.
pub async fn propose(tx: &mut Tx, said: &Said) -> Result<Break, BreakError> {
    let mut found = open(tx, said.id).await?;
    if !found.ends_by_decision() {
        return Err(BreakError::EndsByItself(found.category));
    }
    "proposed".clone_into(&mut found.state);
    found.proposed_by = Some(tx.actor().as_str().to_owned());
    found.approved_by = None;
    found.resolution = Some(said.note.clone());
    write(tx, "break.proposed", found).await
}

/// Another person agrees with what was said, in its words: the break has ended.
pub async fn approve(tx: &mut Tx, said: &Said) -> Result<Break, BreakError> {
    let mut found = proposed(tx, said.id).await?;
    if found.resolution.as_ref() != Some(&said.note) {
        return Err(BreakError::OtherNote(found.resolution.unwrap_or_default()));
    }
    let actor = tx.actor().as_str().to_owned();
    if found.proposed_by.as_ref() == Some(&actor) {
        return Err(BreakError::SamePerson);
    }
    "resolved".clone_into(&mut found.state);
    found.approved_by = Some(actor);
    found.resolved_at = Some(tx.now());
    write(tx, "break.resolved", found).await
}

/// It is not that, or not enough: the break waits as before, and tells why.
pub async fn refuse(tx: &mut Tx, said: &Said) -> Result<Break, BreakError> {
    let mut found = proposed(tx, said.id).await?;
    "open".clone_into(&mut found.state);
    found.proposed_by = None;
    found.resolution = Some(said.note.clone());
    write(tx, "break.refused", found).await
}

async fn open(tx: &mut Tx, id: BreakId) -> Result<Break, BreakError> {
    let found = store::lock(tx.conn(), id).await?.ok_or(BreakError::NotFound)?;
    match found.state.as_str() {
        "open" | "assigned" | "proposed" | "reopened" => Ok(found),
        state => Err(BreakError::Decided(state.to_owned())),
    }
}

async fn proposed(tx: &mut Tx, id: BreakId) -> Result<Break, BreakError> {
    let found = open(tx, id).await?;
    if found.state != "proposed" {
        return Err(BreakError::Decided(found.state));
    }
    Ok(found)
}

async fn write(tx: &mut Tx, action: &'static str, decided: Break) -> Result<Break, BreakError> {
    store::update_decided(tx.conn(), &decided).await?;
    tx.audit(action, decided.id, json!({ "category": decided.category, "note": decided.resolution }));
    Ok(decided)
}
