//! What portals and payers do.

use std::collections::BTreeMap;

use mizan_adapters::reference::{BillNumber, RfReference};
use mizan_ledger::{Currency, Money};

use super::life::{Done, Life, done};
use super::outside::{Decision, MERCHANTS, Transfer};
use super::store::{self, Bill};
use crate::fault::Fault;
use crate::intents::{self, NewIntent};
use crate::quoting::{self, Given, Inputs, NewLine, NewQuote};
use crate::tx::Actor;

impl Life {
    fn portal(&self) -> Actor {
        Actor::portal(self.stage.portal)
    }

    /// Services of one or two agencies, in one currency (EXAMPLE tariffs).
    fn wanted(&self) -> NewQuote {
        let passport = || {
            let inputs =
                [("reason", Given::Text("new".to_owned())), ("urgent", Given::Boolean(self.dice.chance(20)))];
            line("interior/passport", inputs)
        };
        let report = || {
            let samples = Given::Integer(self.dice.between(1, 4));
            line(
                "psi/testing-report",
                [("samples", samples), ("urgent", Given::Boolean(self.dice.chance(20)))],
            )
        };
        let certificate =
            || line("health/health-certificate", [("workers", Given::Integer(self.dice.between(1, 3)))]);
        // Held for some days, unless its agency reports it before.
        let subscription =
            || line("psi/standards-subscription", [("plan", Given::Text("single".to_owned()))]);
        let (currency, lines) = match self.dice.below(7) {
            0 => (Currency::ILS, vec![passport()]),
            1 => (Currency::JOD, vec![report()]),
            2 => (Currency::ILS, vec![passport(), report()]),
            3 => (Currency::USD, vec![passport()]),
            4 => (Currency::ILS, vec![subscription()]),
            _ => (self.a_currency(), vec![certificate()]),
        };
        NewQuote { portal: self.stage.portal, currency, lines }
    }

    pub(super) async fn quote(&mut self) -> Result<Done, Fault> {
        let (actor, wanted) = (self.portal(), self.wanted());
        let app = &self.stage.app;
        let quote = app.run(&actor, &wanted, |tx, new| Box::pin(quoting::service::create(tx, new))).await;
        if let Ok(quote) = &quote {
            self.quotes.push(quote.id);
        }
        done(quote)
    }

    /// On a quote (perhaps an expired one, or one that is used), or priced in the same call; sometimes under a
    /// reference that was given before.
    pub(super) async fn open(&mut self) -> Result<Done, Fault> {
        let quote = self.dice.pick(&self.quotes).copied().filter(|_| self.dice.chance(40));
        let again = self.references > 0 && self.dice.chance(10);
        let number = if again { 1 + self.dice.below(self.references) } else { self.references + 1 };
        self.references = self.references.max(number);
        let wanted = self.wanted();
        let new = NewIntent {
            portal: self.stage.portal,
            quote: quote.unwrap_or_else(|| self.stage.app.hub.entropy.id(self.stage.app.clock.now())),
            external_reference: format!("CASE-{number}"),
            purpose: "fee".to_owned(),
            payer: None,
            return_url: None,
            metadata: serde_json::Map::new(),
            channels: Vec::new(),
        };
        let (actor, app) = (self.portal(), &self.stage.app);
        if quote.is_some() {
            return done(app.run(&actor, &new, |tx, new| Box::pin(intents::service::open(tx, new))).await);
        }
        let both = (new, wanted);
        let opened = app
            .run(&actor, &both, |tx, (new, lines)| {
                Box::pin(intents::service::open_with_lines(tx, new, lines))
            })
            .await;
        done(opened)
    }

    /// One of the payments, in any state.
    async fn bill(&self) -> Result<Option<Bill>, Fault> {
        let mut conn = self.stage.app.pool.acquire().await?;
        let bills = store::page_bills(&mut conn).await?;
        let open: Vec<&Bill> = bills.iter().filter(|bill| bill.is_open()).collect();
        if let Some(bill) = self.dice.pick(&open).filter(|_| self.dice.chance(85)) {
            return Ok(Some((*bill).clone()));
        }
        Ok(self.dice.pick(&bills).cloned())
    }

    pub(super) async fn choose(&mut self) -> Result<Done, Fault> {
        let Some(bill) = self.bill().await? else { return Ok(Done::Nothing) };
        let arabic = self.dice.chance(70);
        let [one, other] = MERCHANTS;
        let order = if self.dice.chance(60) { [one, other] } else { [other, one] };
        // What one of the cards cannot carry, the other may.
        for merchant in order {
            let started = done(intents::jobs::start(&self.stage.app, bill.id, merchant, arabic).await)?;
            if started == Done::Did {
                return Ok(Done::Did);
            }
        }
        Ok(Done::Refused)
    }

    pub(super) fn decide(&mut self) -> Done {
        let choices = [(80, Decision::Approve), (12, Decision::Decline), (8, Decision::GoAway)];
        let decision = self.dice.weighted(&choices).unwrap_or(Decision::Approve);
        let decided = self.stage.outside.world().decide(decision);
        if decided { Done::Did } else { Done::Nothing }
    }

    /// A payer transfers what is due, or part of it, or more; naming the bill as he should, or in words, or wrongly.
    pub(super) async fn transfer(&mut self) -> Result<Done, Fault> {
        let Some(bill) = self.bill().await? else { return Ok(Done::Nothing) };
        let due = bill.amount.minor();
        let minor = match self.dice.below(10) {
            0 => self.dice.between(1, due.max(1)),
            1 => due + self.dice.between(1, 5_000),
            _ => due,
        };
        let currency = if self.dice.chance(4) { self.a_currency() } else { bill.amount.currency() };
        let rf = bill.number.parse::<BillNumber>().map(RfReference::from).map(|rf| rf.to_string()).ok();
        let (reference, text) = match self.dice.below(10) {
            0..=5 => (rf, String::new()),
            6..=7 => (None, format!("رسوم {}", bill.number)),
            8 => (Some(bill.number), String::new()),
            _ => (None, "رسوم".to_owned()),
        };
        let money = Money::new(minor.max(1), currency);
        self.stage.outside.world().transfer(Transfer { money, reference, text });
        Ok(Done::Did)
    }

    fn a_currency(&self) -> Currency {
        self.dice.pick(&self.stage.currencies()).copied().unwrap_or(Currency::ILS)
    }

    /// Money that nobody can explain, coming in or going out.
    pub(super) fn stray(&mut self) -> Done {
        let minor = self.dice.between(1, 20_000);
        let minor = if self.dice.chance(30) { -minor } else { minor };
        let transfer = Transfer {
            money: Money::new(minor, self.a_currency()),
            reference: None,
            text: "حوالة".to_owned(),
        };
        self.stage.outside.world().transfer(transfer);
        Done::Did
    }

    pub(super) async fn cancel(&mut self) -> Result<Done, Fault> {
        let Some(bill) = self.bill().await? else { return Ok(Done::Nothing) };
        let (actor, which) = (self.portal(), (self.stage.portal, bill.id));
        let app = &self.stage.app;
        done(app.run(&actor, &which, |tx, which| Box::pin(intents::service::cancel(tx, which))).await)
    }
}

fn line<const N: usize>(service: &str, inputs: [(&str, Given); N]) -> NewLine {
    let inputs: Inputs = BTreeMap::from_iter(inputs.map(|(name, given)| (name.to_owned(), given)));
    NewLine { service: service.to_owned(), inputs, claim: None, reference: None }
}
