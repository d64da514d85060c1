//! Which channels can carry a payment: the portal's choice, the currency, what the services allow, and who holds the
//! money of each.

use crate::catalogue::{Agency, Beneficiary, Catalogue, MoneyMode, Service};
use crate::config::Channel;
use crate::intents::model::Intent;
use crate::quoting::{Basket, BasketLine};

/// Why a channel cannot carry a payment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unfit {
    /// The portal left it out.
    NotOffered,
    OtherCurrency,
    /// A service is not sold on it.
    NotForService,
    /// It pays another than who is to hold the money of a service.
    OtherHolder,
    /// It pays an agency itself, but part of the price is somebody else's, whom only the hub can pay.
    NotAllItsOwn,
}

impl Unfit {
    pub fn name_en(self) -> &'static str {
        match self {
            Self::NotOffered => "the portal does not offer it for this payment",
            Self::OtherCurrency => "it does not settle in this currency",
            Self::NotForService => "a service of this bill is not paid this way",
            Self::OtherHolder => "the money of a service of this bill goes another way",
            Self::NotAllItsOwn => "it pays one agency, and part of this bill belongs to others",
        }
    }

    pub fn name_ar(self) -> &'static str {
        match self {
            Self::NotOffered => "البوابة لا تتيحها لهذه الفاتورة",
            Self::OtherCurrency => "لا تعمل بهذه العملة",
            Self::NotForService => "إحدى خدمات الفاتورة لا تُدفع بهذه الطريقة",
            Self::OtherHolder => "أموال إحدى خدمات الفاتورة تذهب بطريق آخر",
            Self::NotAllItsOwn => "تدفع لجهة واحدة، وجزء من الفاتورة لغيرها",
        }
    }
}

/// Whether the channel can carry the payment, by the catalogue in force.
pub fn carries(
    catalogue: &Catalogue,
    instance: &str,
    settings: &Channel,
    intent: &Intent,
    basket: &Basket,
) -> Result<(), Unfit> {
    if !intent.channels.is_empty() && !intent.channels.iter().any(|allowed| allowed == instance) {
        return Err(Unfit::NotOffered);
    }
    if !settings.settles_into.contains_key(basket.currency.code()) {
        return Err(Unfit::OtherCurrency);
    }
    basket.lines.iter().try_for_each(|line| line_fits(catalogue, settings, line, basket))
}

fn line_fits(
    catalogue: &Catalogue,
    settings: &Channel,
    line: &BasketLine,
    basket: &Basket,
) -> Result<(), Unfit> {
    let code = &line.priced.service;
    let (service, agency): (Option<&Service>, Option<&Agency>) =
        (catalogue.service(code), catalogue.agency(code.agency()));
    let (Some(service), Some(agency)) = (service, agency) else { return Err(Unfit::NotForService) };
    let kind = settings.kind.into();
    if !service.channels.contains(&kind) {
        return Err(Unfit::NotForService);
    }
    let direct = agency.money_mode(code, kind, basket.currency) == Some(MoneyMode::Direct);
    match &settings.direct_to {
        None if direct => Err(Unfit::OtherHolder),
        None => Ok(()),
        Some(paid) if !direct || paid != code.agency() => Err(Unfit::OtherHolder),
        Some(_) if line.priced.nets().iter().any(|net| net.charge.beneficiary != Beneficiary::Agency) => {
            Err(Unfit::NotAllItsOwn)
        }
        Some(_) => Ok(()),
    }
}
