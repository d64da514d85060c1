use mizan_adapters::statement::{self, Event, Limits, StatementLine};
use mizan_ledger::{Day, Money};
use serde_json::json;

use super::aside::Aside;
use super::chain::{Link, accept_those_waiting, find_place_between, want_reports};
use crate::config::account_number;
use crate::fault::Fault;
use crate::ids::{StatementFileId, StatementId};
use crate::queue::NewJob;
use crate::recon::RECONCILE;
use crate::recon::model::{Cause, Imported, ImportedStatement, ReconError, Standing, Summary, Taken};
use crate::recon::staging::{NewFile, NewLine, Stage};
use crate::recon::store::{self, NewStatement};
use crate::tx::{Hub, Tx};

/// Lines written with one statement of SQL.
const LINES_AT_ONCE: usize = 5_000;

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
                if let Some(open) = open.as_mut() {
                    open.take(tx, &line, &new.bytes).await?;
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
    /// By how much it does not close, or ends elsewhere than what was told first.
    difference: Option<Money>,
    stage: Stage,
    lines: Vec<NewLine>,
    /// Lines of the file so far, kept or not.
    read: usize,
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
        let first = store::find_first_told(tx.conn(), &account, summary).await?;
        let same = first.as_ref().map(|first| first.content == summary.content);
        let altered_before =
            same == Some(false) && store::is_altered_known(tx.conn(), &account, summary).await?;
        let standing = if bank.is_none() && is_agencys_own(&hub, &summary.number) {
            Standing::Ignored(
                "the account is an agency's own: its money does not pass through here".to_owned(),
            )
        } else if altered_before {
            Standing::Known
        } else {
            match summary.judge(bank, position, same, hub.calendar.day_of(tx.now())) {
                Standing::Quarantined(Cause::Gap, why) => between(tx, &account, summary, why).await?,
                standing => standing,
            }
        };
        let difference = match &standing {
            Standing::Quarantined(Cause::DoesNotClose, _) => summary.difference,
            Standing::Quarantined(Cause::Altered, _) => {
                let closings = summary.closing.zip(first.and_then(|first| first.closing));
                closings.and_then(|(told, first)| told.checked_sub(first).ok()).filter(|by| !by.is_zero())
            }
            _ => None,
        };
        Ok(Self {
            id: tx.id(),
            file,
            account,
            summary,
            standing,
            difference,
            stage,
            lines: Vec::new(),
            read: 0,
        })
    }

    /// Lines of one that does not close, or says other things than an accepted one, are kept to be shown, and to say what is
    /// not among them.
    fn keeps_lines(&self) -> bool {
        matches!(
            self.standing,
            Standing::Accepted
                | Standing::Between(_)
                | Standing::Waits(_)
                | Standing::Quarantined(Cause::Gap | Cause::DoesNotClose | Cause::Altered, _)
        )
    }

    /// A line that is not kept is read past; the database ends a transaction of which it hears nothing for seconds.
    async fn take(&mut self, tx: &mut Tx, line: &StatementLine, bytes: &[u8]) -> Result<(), Fault> {
        self.read += 1;
        if self.keeps_lines() {
            self.lines.extend(self.stage.stage(line, bytes));
            if self.lines.len() >= LINES_AT_ONCE {
                self.write_lines(tx).await?;
            }
        } else if self.read.is_multiple_of(LINES_AT_ONCE) {
            store::take_turn(tx.conn()).await?;
        }
        Ok(())
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
        if matches!(self.standing, Standing::Accepted | Standing::Between(_))
            && let Some(why) = Link::new(self.id, &self.account, self.summary)?.repeats(tx).await?
        {
            self.standing = Standing::Quarantined(Cause::Repeats, why);
        }
        let (outcome, reason) = match &self.standing {
            Standing::Known => (Taken::Known, None),
            Standing::Ignored(reason) => (Taken::Ignored, Some(reason.clone())),
            Standing::Quarantined(cause, reason) => {
                self.insert(tx, "quarantined", None, Some((*cause, reason))).await?;
                if let (Cause::DoesNotClose, Some(day), Some(currency)) =
                    (*cause, self.summary.period_on, self.summary.currency)
                {
                    want_reports(tx, &self.account, currency, day, day).await?;
                }
                self.aside().open_break(tx, *cause, reason).await?;
                (Taken::Quarantined, Some(reason.clone()))
            }
            Standing::Waits(reason) => {
                self.insert(tx, "waiting", None, Some((Cause::FutureDay, reason))).await?;
                if let Some(day) = self.summary.period_on {
                    let begins = day.start_in(&tx.hub().calendar.zone);
                    tx.enqueue(NewJob::now(RECONCILE, self.id).at(begins));
                }
                (Taken::Waiting, Some(reason.clone()))
            }
            Standing::Between(place) => {
                let link = Link::new(self.id, &self.account, self.summary)?;
                self.insert(tx, "accepted", Some(link.period_on), None).await?;
                link.stand_between(tx, *place).await?;
                (Taken::Accepted, None)
            }
            Standing::Accepted => {
                let link = Link::new(self.id, &self.account, self.summary)?;
                let covers_from = link.covers_from(tx).await?;
                self.insert(tx, "accepted", Some(covers_from), None).await?;
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

    fn aside(&self) -> Aside<'_> {
        let Self { id, account, summary, difference, .. } = self;
        Aside {
            id: *id,
            account,
            reference: &summary.reference,
            period_on: summary.period_on,
            opening: summary.opening,
            closing: summary.closing,
            difference: *difference,
        }
    }

    async fn insert(
        &self,
        tx: &mut Tx,
        state: &'static str,
        covers_from: Option<Day>,
        aside: Option<(Cause, &str)>,
    ) -> Result<(), Fault> {
        let now = tx.now();
        let (id, file, account, summary) = (self.id, self.file, self.account.as_str(), self.summary);
        let new = NewStatement { id, file, account, summary, covers_from, aside, state };
        store::insert_statement(tx.conn(), &new, now).await
    }
}

/// A statement that does not continue its account, unless it fits between others.
async fn between(tx: &mut Tx, account: &str, summary: &Summary, why: String) -> Result<Standing, Fault> {
    if summary.is_even()
        && let (Some(day), Some(balance)) = (summary.period_on, summary.opening)
        && let Some(place) = find_place_between(tx, account, (day, balance), summary.lines == 0).await?
    {
        return Ok(Standing::Between(place));
    }
    Ok(Standing::Quarantined(Cause::Gap, why))
}
