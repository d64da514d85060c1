use mizan_adapters::statement::{self, Event, Limits};
use mizan_ledger::{Currency, Day, Money};
use serde_json::json;

use crate::breaks::{self, Category, NewBreak};
use crate::fault::Fault;
use crate::ids::{StatementFileId, StatementId};
use crate::queue::NewJob;
use crate::recon::RECONCILE;
use crate::recon::model::{
    Cause, Imported, ImportedStatement, ReconError, Standing, Summary, Taken, account_number,
};
use crate::recon::rails::reporting_channels;
use crate::recon::staging::{NewFile, NewLine, Stage};
use crate::recon::store::{self, NewStatement};
use crate::tx::{Hub, Tx};

/// Lines written with one statement of SQL.
const LINES_AT_ONCE: usize = 5_000;
/// A channel is asked for the days a statement covers, at most so many back.
const REPORT_DAYS_MAX: i32 = 31;

/// Takes a statement file in. The file was read through before ([`NewFile::read`]), so each statement is judged when
/// its lines come; lines are written of accepted statements, and of those that wait for one before them.
pub async fn import(tx: &mut Tx, new: &NewFile) -> Result<Imported, ReconError> {
    store::take_turn(tx.conn()).await?;
    let mut imported = Imported {
        id: tx.id(),
        file: new.name.clone(),
        format: new.format.clone(),
        encoding: new.encoding.clone(),
        known: false,
        statements: Vec::new(),
        problems: new.problems.clone(),
    };
    if let Some(id) = store::find_file(tx.conn(), &new.sha256).await? {
        let statements = store::find_file_statements(tx.conn(), id).await?;
        return Ok(Imported { id, known: true, statements, ..imported });
    }
    let (now, actor) = (tx.now(), tx.actor().as_str().to_owned());
    store::insert_file(tx.conn(), imported.id, new, &actor, now).await?;
    let mut summaries = new.statements.iter();
    let mut open: Option<Open<'_>> = None;
    for event in statement::open(new.bytes.as_slice(), Limits::default())? {
        match event? {
            Event::Opened(head) => {
                let summary = summaries.next().ok_or_else(|| fault("a statement appeared"))?;
                open = Some(Open::judge(tx, imported.id, summary, Stage::new(&head)).await?);
            }
            Event::Line(line) => {
                if let Some(open) = open.as_mut().filter(|open| open.keeps_lines()) {
                    open.lines.extend(open.stage.stage(&line, &new.bytes));
                    if open.lines.len() >= LINES_AT_ONCE {
                        open.write_lines(tx).await?;
                    }
                }
            }
            Event::Problem(_) => {}
            Event::Closed(_) => {
                let open = open.take().ok_or_else(|| fault("a statement closed twice"))?;
                imported.statements.push(open.close(tx).await?);
            }
        }
    }
    let accepted = imported.statements.iter().filter(|one| one.outcome == Taken::Accepted).count();
    let adds = imported.statements.iter().any(|one| one.id.is_some());
    tx.audit(
        "statement.imported",
        imported.id,
        json!({ "file": new.name, "statements": imported.statements.len(), "accepted": accepted }),
    );
    if adds {
        tx.enqueue(NewJob::now(RECONCILE, imported.id));
    }
    Ok(imported)
}

/// A reader that says something else the second time is broken.
fn fault(what: &str) -> Fault {
    Fault::Other(format!("reading a file a second time: {what}"))
}

/// A statement whose lines are coming.
struct Open<'a> {
    id: StatementId,
    file: StatementFileId,
    /// Its name in the books; as printed when it is none of ours.
    account: String,
    summary: &'a Summary,
    standing: Standing,
    stage: Stage,
    lines: Vec<NewLine>,
}

/// An account into which a channel pays an agency itself.
fn is_agencys_own(hub: &Hub, number: &str) -> bool {
    let direct = hub.config.channels.values().filter(|settings| settings.direct_to.is_some());
    let mut accounts = direct.flat_map(|settings| settings.settles_into.values());
    accounts.any(|account| account_number(account) == account_number(number))
}

impl<'a> Open<'a> {
    async fn judge(
        tx: &mut Tx,
        file: StatementFileId,
        summary: &'a Summary,
        stage: Stage,
    ) -> Result<Self, Fault> {
        let hub = tx.hub().clone();
        let bank = summary.bank(&hub.config.banks);
        let account = bank.map_or_else(|| summary.number.clone(), |bank| bank.name.clone());
        let position = store::find_position(tx.conn(), &account).await?;
        let accepted = store::find_accepted_content(tx.conn(), &account, summary).await?;
        let same = accepted.map(|content| content == summary.content);
        let standing = if bank.is_none() && is_agencys_own(&hub, &summary.number) {
            Standing::Ignored(
                "the account is an agency's own: its money does not pass through here".to_owned(),
            )
        } else {
            match summary.judge(bank, position, same, hub.calendar.day_of(tx.now())) {
                Standing::Quarantined(Cause::Gap, why) => between(tx, &account, summary, why).await?,
                standing => standing,
            }
        };
        Ok(Self { id: tx.id(), file, account, summary, standing, stage, lines: Vec::new() })
    }

    /// Lines of one that does not close are kept to be shown, and to say what is not among them.
    fn keeps_lines(&self) -> bool {
        matches!(
            self.standing,
            Standing::Accepted | Standing::Quarantined(Cause::Gap | Cause::DoesNotClose, _)
        )
    }

    async fn write_lines(&mut self, tx: &mut Tx) -> Result<(), Fault> {
        let Some(day) = self.summary.period_on else { return Ok(()) };
        let entries: Vec<_> = self.lines.iter().map(|_| tx.id()).collect();
        store::insert_lines(tx.conn(), self.id, &self.account, day, &self.lines, &entries).await?;
        self.lines.clear();
        Ok(())
    }

    async fn close(mut self, tx: &mut Tx) -> Result<ImportedStatement, Fault> {
        self.write_lines(tx).await?;
        if self.standing == Standing::Accepted
            && let Some(key) = store::find_repeated(tx.conn(), self.id).await?
        {
            self.standing = Standing::Quarantined(Cause::Repeats, repeated(&key));
        }
        let (outcome, reason) = match &self.standing {
            Standing::Known => (Taken::Known, None),
            Standing::Ignored(reason) => (Taken::Ignored, Some(reason.clone())),
            Standing::Quarantined(cause, reason) => {
                self.insert(tx, None, Some((*cause, reason))).await?;
                if let (Cause::DoesNotClose, Some(day), Some(currency)) =
                    (*cause, self.summary.period_on, self.summary.currency)
                {
                    want_reports(tx, &self.account, currency, day, day).await?;
                }
                open_break(tx, &self, *cause, reason).await?;
                (Taken::Quarantined, Some(reason.clone()))
            }
            Standing::Between => {
                let link = Link::new(self.id, &self.account, self.summary)?;
                self.insert(tx, Some(link.period_on), None).await?;
                link.settle(tx, link.period_on).await?;
                (Taken::Accepted, None)
            }
            Standing::Accepted => {
                let link = Link::new(self.id, &self.account, self.summary)?;
                let covers_from = link.covers_from(tx).await?;
                self.insert(tx, Some(covers_from), None).await?;
                link.join(tx, covers_from).await?;
                accept_those_waiting(tx, &self.account).await?;
                (Taken::Accepted, None)
            }
        };
        let adds_nothing = matches!(outcome, Taken::Known | Taken::Ignored);
        Ok(ImportedStatement {
            id: (!adds_nothing).then_some(self.id),
            account: self.account,
            reference: self.summary.reference.clone(),
            period_on: self.summary.period_on,
            lines: self.summary.lines,
            outcome,
            reason,
        })
    }

    async fn insert(
        &self,
        tx: &mut Tx,
        covers_from: Option<Day>,
        quarantined: Option<(Cause, &str)>,
    ) -> Result<(), Fault> {
        let now = tx.now();
        let (id, file, account, summary) = (self.id, self.file, self.account.as_str(), self.summary);
        let new = NewStatement { id, file, account, summary, covers_from, quarantined };
        store::insert_statement(tx.conn(), &new, now).await
    }
}

/// An accepted statement on its way into the chain of its account.
struct Link<'a> {
    id: StatementId,
    account: &'a str,
    reference: &'a str,
    period_on: Day,
    opening: Money,
    closing: Money,
}

impl<'a> Link<'a> {
    fn new(id: StatementId, account: &'a str, summary: &'a Summary) -> Result<Self, Fault> {
        let parts = (summary.period_on, summary.opening, summary.closing);
        let (Some(period_on), Some(opening), Some(closing)) = parts else {
            return Err(Fault::corrupt("statements", "closing_minor", id));
        };
        Ok(Self { id, account, reference: &summary.reference, period_on, opening, closing })
    }

    /// The day after the last one known; the statement's own day for the first of an account.
    async fn covers_from(&self, tx: &mut Tx) -> Result<Day, Fault> {
        let position = store::find_position(tx.conn(), self.account).await?;
        Ok(position.map_or(self.period_on, |position| position.through_on.next()))
    }

    /// What was wrong under its name is settled, the account is known further, and the channels that settle into it
    /// are to tell what they paid on its days.
    async fn join(&self, tx: &mut Tx, covers_from: Day) -> Result<(), Fault> {
        let Self { id, account, period_on, opening, closing, .. } = *self;
        store::update_keys(tx.conn(), id, account).await?;
        store::update_position(tx.conn(), account, id, opening, closing, period_on).await?;
        self.settle(tx, covers_from).await
    }

    /// The same of one that stands between two: no further is known by it.
    async fn settle(&self, tx: &mut Tx, covers_from: Day) -> Result<(), Fault> {
        let now = tx.now();
        let Self { account, reference, period_on, closing, .. } = *self;
        store::update_superseded(tx.conn(), account, reference, period_on).await?;
        want_reports(tx, account, closing.currency(), covers_from, period_on).await?;
        let subjects = [subject(account, reference, Some(period_on))];
        for category in [Category::StatementDoesNotClose, Category::StatementGap] {
            let came = "the statement was accepted";
            breaks::store::update_self_resolved(tx.conn(), now, category, &subjects, came).await?;
        }
        Ok(())
    }
}

/// A statement that does not continue its account, unless nothing moved on its day and the next one that was accepted
/// begins where it ends.
async fn between(tx: &mut Tx, account: &str, summary: &Summary, why: String) -> Result<Standing, Fault> {
    if summary.is_still()
        && let (Some(day), Some(opening)) = (summary.period_on, summary.opening)
        && store::find_opening_after(tx.conn(), account, day).await? == Some(opening)
    {
        return Ok(Standing::Between);
    }
    Ok(Standing::Quarantined(Cause::Gap, why))
}

/// The channels that settle into the account are to tell what they paid on these days.
async fn want_reports(
    tx: &mut Tx,
    account: &str,
    currency: Currency,
    from: Day,
    through: Day,
) -> Result<(), Fault> {
    for channel in reporting_channels(tx.hub(), account, currency) {
        let earliest = through.plus_days(-REPORT_DAYS_MAX);
        let first = from.plus_days(-i32::from(channel.settles_within_days)).max(earliest);
        let days: Vec<Day> = std::iter::successors(Some(first), |day| Some(day.next()))
            .take_while(|day| *day <= through)
            .collect();
        store::insert_wanted(tx.conn(), &channel.instance, &days).await?;
    }
    Ok(())
}

/// Statements that came before the one that they continue follow it now, one after the other.
async fn accept_those_waiting(tx: &mut Tx, account: &str) -> Result<(), Fault> {
    while let Some(position) = store::find_position(tx.conn(), account).await? {
        let Some(next) = store::find_next(tx.conn(), account, &position).await? else { break };
        if let Some(key) = store::find_repeated(tx.conn(), next.id).await? {
            store::update_quarantined(tx.conn(), next.id, Cause::Repeats, &repeated(&key)).await?;
            continue;
        }
        let parts = (next.period_on, next.opening, next.closing);
        let (Some(period_on), Some(opening), Some(closing)) = parts else {
            return Err(Fault::corrupt("statements", "closing_minor", next.id));
        };
        let link = Link { id: next.id, account, reference: &next.reference, period_on, opening, closing };
        let (covers_from, now) = (link.covers_from(tx).await?, tx.now());
        store::update_accepted(tx.conn(), next.id, covers_from, now).await?;
        link.join(tx, covers_from).await?;
    }
    Ok(())
}

fn repeated(key: &str) -> String {
    format!("it lists {key} again, with the same day and amount")
}

/// The name of a statement in breaks: the same for every file that brings it.
fn subject(account: &str, reference: &str, period_on: Option<Day>) -> String {
    let day = period_on.map_or_else(|| "-".to_owned(), |day| day.to_string());
    format!("statement:{account}:{reference}:{day}")
}

/// A quarantined statement waits for a person, unless it is about an account that is none of ours.
async fn open_break(tx: &mut Tx, open: &Open<'_>, cause: Cause, reason: &str) -> Result<(), Fault> {
    let category = match cause {
        Cause::UnknownAccount => return Ok(()),
        Cause::NoDay | Cause::NoBalances | Cause::DoesNotClose | Cause::Doubtful => {
            Category::StatementDoesNotClose
        }
        Cause::Gap | Cause::FutureDay => Category::StatementGap,
        Cause::Altered | Cause::Repeats => Category::Altered,
    };
    let summary = open.summary;
    let new = NewBreak {
        category,
        subject: subject(&open.account, &summary.reference, summary.period_on),
        money: summary.difference.filter(|_| category == Category::StatementDoesNotClose),
        channel: None,
        intent: None,
        detail: json!({
            "statement": open.id, "account": open.account, "reference": summary.reference,
            "period_on": summary.period_on, "opening": summary.opening, "closing": summary.closing,
            "why": reason,
        }),
    };
    let (now, entropy) = (tx.now(), tx.hub().entropy.clone());
    breaks::store::insert(tx.conn(), &entropy, now, &[new]).await
}
