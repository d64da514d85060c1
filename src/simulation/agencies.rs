//! What agencies say became of the services that were paid.

use super::life::{Done, Life, done};
use super::store;
use crate::fault::Fault;
use crate::fulfilment::{self, Report, Reported};
use crate::intents::{self, Outcome};
use crate::tx::Actor;

impl Life {
    /// An agency reports a line of a payment: delivered, or rejected; sometimes one that is not its own, or not paid.
    pub(super) async fn fulfil(&mut self) -> Result<Done, Fault> {
        let app = &self.stage.app;
        let (intent, lines) = {
            let mut conn = app.pool.acquire().await?;
            let bills = store::page_bills(&mut conn).await?;
            let paid: Vec<_> = bills.iter().filter(|bill| bill.paid.is_positive()).collect();
            let bill =
                if self.dice.chance(90) { self.dice.pick(&paid).copied() } else { self.dice.pick(&bills) };
            let Some(bill) = bill else { return Ok(Done::Nothing) };
            let Some(intent) = intents::service::find(&mut conn, bill.id).await? else {
                return Ok(Done::Nothing);
            };
            let basket = intents::service::basket(&mut conn, &intent).await?;
            let agency = |line: &crate::quoting::BasketLine| line.priced.service.agency().to_string();
            (bill.id, basket.lines.iter().map(agency).collect::<Vec<_>>())
        };
        let Some(line) = self.dice.place(lines.len()) else { return Ok(Done::Nothing) };
        let agency = if self.dice.chance(95) { lines[line].clone() } else { "interior".to_owned() };
        let outcome = if self.dice.chance(65) { Outcome::Delivered } else { Outcome::Rejected };
        let reported = Reported { line, outcome, reason: Some("EXAMPLE".to_owned()) };
        let report = Report { intent, agencies: vec![agency], lines: vec![reported] };
        let actor = Actor::portal(self.stage.portal);
        let told = app.run(&actor, &report, |tx, one| Box::pin(fulfilment::service::report(tx, one))).await;
        done(told)
    }
}
