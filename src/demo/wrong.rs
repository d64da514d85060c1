use serde_json::json;

use super::day::{account, at_gateway, order, pay_under_fault, transfer};
use super::stage::{Stage, text};

/// One thing that goes wrong, in a day that is ordinary otherwise. What the day's proof then says is in the manual of
/// the command.
#[derive(Debug, Clone, Copy, PartialEq, Eq, clap::ValueEnum)]
pub enum Wrong {
    /// The bank's statement leaves a line out: it does not close, the money is missing; not tied.
    MissingLine,
    /// The bank books another amount than the gateway settled.
    WrongAmount,
    /// Somebody sends money that nobody can explain.
    ExtraCredit,
    /// The gateway tells of a payment twice: one entry, no break.
    DoubleCallback,
    /// The gateway never tells of a payment: its settlement does.
    LostCallback,
    /// A canceled bill is paid all the same.
    Late,
    /// The gateway tells of one payment with two amounts.
    Altered,
    /// The gateway settles a payment a day later.
    CutOff,
}

/// A whole ordinary day has some of them.
pub const EVERYDAY: [Wrong; 4] =
    [Wrong::DoubleCallback, Wrong::LostCallback, Wrong::Late, Wrong::ExtraCredit];

impl Wrong {
    pub fn name(self) -> &'static str {
        match self {
            Self::MissingLine => "a line is missing on the statement",
            Self::WrongAmount => "the bank books another amount",
            Self::ExtraCredit => "a credit nobody can explain",
            Self::DoubleCallback => "a callback sent twice",
            Self::LostCallback => "a callback that never comes",
            Self::Late => "money for a canceled bill",
            Self::Altered => "a callback altered on its way",
            Self::CutOff => "a payment settled a day later",
        }
    }

    /// Lets it happen; before the bank closes its day.
    pub async fn happen(self, stage: &Stage) -> anyhow::Result<()> {
        match self {
            Self::MissingLine => self.at_the_bank(stage, &json!({ "omit_statement_line": 1 })).await,
            Self::WrongAmount => self.at_the_bank(stage, &json!({ "statement_amount": "5.00" })).await,
            Self::ExtraCredit => {
                let body = json!({ "to": account(stage, "ILS")?, "currency": "ILS", "amount": "77.70", "text": "حوالة" });
                stage.control("transfers", &body).await.map(|_| ())
            }
            Self::DoubleCallback => self.by_callback(stage, "duplicate", true).await,
            Self::LostCallback => self.by_callback(stage, "lost", false).await,
            Self::Altered => self.by_callback(stage, "altered", true).await,
            Self::Late => {
                let intent = stage.open_intent(&order(0), "LATE").await?;
                let path = format!("/v1/payment-intents/{}/cancel", text(&intent, "/id")?);
                stage.post(stage.portal(), &path, &json!({})).await?;
                transfer(stage, &intent).await
            }
            Self::CutOff => {
                let intent = stage.open_intent(&order(0), "CUT-OFF").await?;
                let (page, order) = at_gateway(stage, &intent).await?;
                stage.decide(&page, "approve").await?;
                stage.until(text(&intent, "/id")?, &["paid"]).await?;
                stage.control("faults", &json!({ "settle_next_day": [order] })).await.map(|_| ())
            }
        }
    }

    async fn at_the_bank(self, stage: &Stage, fault: &serde_json::Value) -> anyhow::Result<()> {
        let mut faults = fault.clone();
        faults["statement_account"] = json!(account(stage, "ILS")?);
        stage.control("faults", &faults).await.map(|_| ())
    }

    async fn by_callback(self, stage: &Stage, fault: &str, comes: bool) -> anyhow::Result<()> {
        let intent = stage.open_intent(&order(0), &fault.to_uppercase()).await?;
        pay_under_fault(stage, &intent, fault).await?;
        if comes {
            stage.until(text(&intent, "/id")?, &["paid"]).await?;
        }
        Ok(())
    }
}
