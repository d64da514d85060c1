//! What only shows beside the catalogue in force: nothing that was charged is charged otherwise afterwards.

use mizan_ledger::{Day, Instant};

use super::super::difference;
use super::super::fee::{FeeVersion, Phase};
use super::super::model::{Agency, Catalogue, Service};
use super::tree::Place;
use super::{Read, ReadService};

/// The catalogue in force, and the moment at which it is asked.
#[derive(Debug, Clone, Copy)]
pub struct InForce<'a> {
    pub catalogue: &'a Catalogue,
    pub now: Instant,
}

pub(super) fn check(agencies: &[Read<'_, Agency>], services: &[ReadService<'_>], in_force: InForce<'_>) {
    for Read { value: agency, place } in agencies {
        issuer(agency, place, in_force);
        accounts(agency, place, services, in_force);
    }
    for ReadService { service, place: _, versions } in services {
        let in_files = agencies.iter().map(|read| &read.value);
        let agency = in_files.into_iter().find(|agency| agency.code == *service.code.agency());
        // A service without a version in force was never charged: its first versions begin when they like.
        if let Some(known) = in_force.catalogue.service(&service.code)
            && !known.versions.is_empty()
            && let Some(agency) = agency
        {
            let today = in_force.now.day_in(&agency.zone);
            for (version, place) in service.versions.iter().zip(versions) {
                succeeds(known, service, version, place, today);
            }
        }
    }
}

/// Bill numbers tell agencies apart.
fn issuer(agency: &Agency, place: &Place<'_>, in_force: InForce<'_>) {
    let others = in_force.catalogue.agencies.iter().filter(|other| other.code != agency.code);
    if let Some(other) = others.into_iter().find(|other| other.issuer == agency.issuer) {
        let what = format!("the issuer digits {} are those of `{}`, in force", agency.issuer, other.code);
        place.report("/issuer", what);
    }
}

/// Services that the files leave out go on being charged.
fn accounts(agency: &Agency, place: &Place<'_>, services: &[ReadService<'_>], in_force: InForce<'_>) {
    let today = in_force.now.day_in(&agency.zone);
    let left_out = in_force.catalogue.services.iter().filter(|known| {
        known.code.agency() == &agency.code && !services.iter().any(|read| read.service.code == known.code)
    });
    for known in left_out {
        let charged = known.versions.iter().filter(|version| version.phase(today) != Phase::Retired);
        let missing = charged.flat_map(|version| &version.currencies);
        for currency in missing.filter(|currency| agency.bank_account(**currency).is_none()) {
            let what = format!("`{}` is charged in {currency}, but no account takes {currency}", known.code);
            place.report("/bank_accounts", what);
        }
    }
}

/// A version is as it is in force, or ends after today, or begins after today beside all others.
fn succeeds(known: &Service, files: &Service, version: &FeeVersion, place: &Place<'_>, today: Day) {
    let (number, code, tomorrow) = (version.number, &known.code, today.next());
    if let Some(same) = known.version(number) {
        let ends = FeeVersion { valid: version.valid, ..same.clone() };
        let may_end = same.valid.to.is_none() && same.valid.from == version.valid.from && ends == *version;
        if same == version {
            return;
        }
        match version.valid.to {
            Some(to) if may_end && to < tomorrow => place.report(
                "/to",
                format!(
                    "`to` of version {number} of `{code}` is {to}: {today} is charged already, so a version in force \
                     ends on {tomorrow} at the earliest"
                ),
            ),
            Some(_) if may_end => {}
            _ => place.report("/number", other_content(same, version, code)),
        }
        return;
    }
    let from = version.valid.from;
    if from < tomorrow {
        place.report(
            "/from",
            format!(
                "`from` of version {number} of `{code}` is {from}: {today} is charged already, so a new version begins \
                 on {tomorrow} at the earliest"
            ),
        );
    }
    let left_out = known.versions.iter().filter(|other| files.version(other.number).is_none());
    for other in left_out.filter(|other| other.valid.overlaps(version.valid)) {
        let what = format!(
            "the days of version {number} of `{code}` overlap those of version {}, in force",
            other.number
        );
        place.report("/from", what);
    }
}

fn other_content(known: &FeeVersion, version: &FeeVersion, code: &impl std::fmt::Display) -> String {
    let fields = difference::fields(Some(known), version).unwrap_or_default();
    let fields: Vec<String> = fields.into_iter().map(|change| format!("`{}`", change.field)).collect();
    format!(
        "version {} of `{code}` is in force with other content in {}: a change is a new version",
        version.number,
        fields.join(", ")
    )
}
