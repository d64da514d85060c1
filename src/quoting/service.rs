use mizan_ledger::{Currency, Instant, Zone};

use super::{
    Asked, Basket, Limits, NewLine, NewQuote, PriceCode, PriceError, PriceFault, Quote, QuoteError,
    QuoteState, expiry, store,
};
use crate::catalogue::{self, Catalogue, FeeVersion, ServiceCode};
use crate::fault::Fault;
use crate::ids::{PortalId, QuoteId};
use crate::tx::Tx;

pub use super::store::{find, find_baskets};

/// Prices a basket and promises it until the quote expires.
pub async fn create(tx: &mut Tx, new: &NewQuote) -> Result<Quote, QuoteError> {
    create_all(tx, &[new]).await?.pop().unwrap_or(Err(QuoteError::NotFound))
}

/// The same for several baskets, in one statement. A basket that has no price leaves nothing behind.
pub async fn create_all(tx: &mut Tx, all: &[&NewQuote]) -> Result<Vec<Result<Quote, QuoteError>>, Fault> {
    let catalogue = catalogue::service::current(tx).await?;
    let quotes: Vec<Result<Quote, QuoteError>> = all.iter().map(|new| promise(tx, &catalogue, new)).collect();
    let priced: Vec<&Quote> = quotes.iter().filter_map(|quote| quote.as_ref().ok()).collect();
    store::insert(tx.conn(), &priced).await?;
    Ok(quotes)
}

/// A price for a basket, signed.
fn promise(tx: &Tx, catalogue: &Catalogue, new: &NewQuote) -> Result<Quote, QuoteError> {
    let hub = tx.hub();
    let created_at = tx.now();
    let hold_seconds = i64::from(hub.config.quote_minutes) * 60;
    let basket = price(catalogue, new, created_at)?;
    let expires_at = expiry(created_at, hold_seconds, versions(catalogue, &basket));
    let id: QuoteId = tx.id();
    let (portal, key_id, signature) = (new.portal, hub.keys.key_id().to_owned(), Vec::new());
    let quote = Quote { id, portal, basket, created_at, expires_at, used_by: None, key_id, signature };
    let signature = hub.keys.sign(quote.promise(hub.config.mode.is_live()).as_bytes());
    Ok(Quote { signature, ..quote })
}

/// The fee version behind each line, with the zone its days are counted in.
pub fn versions<'a>(
    catalogue: &'a Catalogue,
    basket: &'a Basket,
) -> impl Iterator<Item = (&'a FeeVersion, &'a Zone)> {
    basket.lines.iter().filter_map(|line| {
        let service = catalogue.service(&line.priced.service)?;
        let version = service.versions.iter().find(|version| version.number == line.priced.version)?;
        Some((version, &catalogue.agency(line.priced.service.agency())?.zone))
    })
}

/// Each line by the version in force on its agency's local day.
fn price(catalogue: &Catalogue, new: &NewQuote, now: Instant) -> Result<Basket, PriceError> {
    let asked: Vec<_> = new.lines.iter().map(|line| asked(catalogue, line, now)).collect();
    Basket::price(&asked, new.currency, Limits::default())
}

fn asked<'a>(catalogue: &'a Catalogue, line: &'a NewLine, now: Instant) -> Result<Asked<'a>, PriceFault> {
    let unknown = || PriceFault::new("/service", PriceCode::ServiceUnknown).value(&line.service);
    let code: ServiceCode = line.service.parse().map_err(|_| unknown())?;
    let service = catalogue.service(&code).ok_or_else(unknown)?;
    let agency = catalogue.agency(code.agency()).ok_or_else(unknown)?;
    let day = now.day_in(&agency.zone);
    let version = service.version_on(day);
    Ok(Asked {
        version: version.ok_or_else(|| PriceFault::new("/service", PriceCode::NoVersion).value(day))?,
        inputs: &line.inputs,
        claim: line.claim.as_ref(),
        reference: line.reference.as_deref(),
        day,
    })
}

/// What is wrong with lines that get no price anyway, since the form of something beside them is wrong. Without a
/// currency its part is not judged.
pub async fn faults(
    tx: &mut Tx,
    currency: Option<Currency>,
    lines: &[Option<NewLine>],
) -> Result<Vec<PriceFault>, Fault> {
    let catalogue = catalogue::service::current(tx).await?;
    let mut faults = Vec::new();
    for (at, line) in lines.iter().enumerate() {
        let Some(line) = line else { continue };
        let priced = asked(&catalogue, line, tx.now()).map_err(PriceError::from).and_then(|asked| {
            let currency = currency.or_else(|| asked.version.currencies.first().copied());
            currency.map_or(Ok(()), |currency| asked.price(currency).map(drop))
        });
        let found = priced.err().into_iter().flat_map(|error| error.faults).map(|fault| fault.within(at));
        for fault in found {
            if !faults.iter().any(|told: &PriceFault| told.field == fault.field && told.code == fault.code) {
                faults.push(fault);
            }
        }
    }
    Ok(faults)
}

/// Quotes that intents may be opened on now, in the order asked for; one that is expired, used, or another portal's is
/// refused. The intent that names it uses it up.
pub async fn redeem_all(
    tx: &mut Tx,
    asked: &[(PortalId, QuoteId)],
) -> Result<Vec<Result<Quote, QuoteError>>, Fault> {
    let now = tx.now();
    let ids: Vec<QuoteId> = asked.iter().map(|(_, id)| *id).collect();
    let found = store::find_all(tx.conn(), &ids).await?;
    let redeem = |(portal, id): &(PortalId, QuoteId)| {
        let quote = found.get(id).filter(|quote| quote.portal == *portal).ok_or(QuoteError::NotFound)?;
        match (quote.state(now), quote.used_by) {
            (QuoteState::Open, _) => Ok(quote.clone()),
            (_, Some(by)) => Err(QuoteError::Used { by }),
            (_, None) => Err(QuoteError::Expired { at: quote.expires_at }),
        }
    };
    Ok(asked.iter().map(redeem).collect())
}
