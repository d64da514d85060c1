//! The ids of the hub. Each prefix stands once.

use mizan_ledger::id;

id!(AttemptId, "at", "One try to pay an intent on one channel; also our reference at the provider.");
id!(BreakId, "bk", "An item that does not tie.");
id!(CatalogueImportId, "ci", "Catalogue files submitted for approval.");
id!(DeliveryId, "wd", "One event on its way to one webhook endpoint.");
id!(EventId, "evt", "An event of the feed.");
id!(ExpectationId, "ex", "Money that will be seen at the bank.");
id!(FeeVersionId, "fv", "A version of a service's fee.");
id!(IntentId, "pi", "A payment intent.");
id!(PayInId, "in", "What an agency paid in for a refund.");
id!(PaymentFileId, "pf", "A pain.001 file.");
id!(PersonId, "ps", "A member of staff.");
id!(PortalId, "po", "A portal.");
id!(QuoteId, "qt", "A quote.");
id!(RefundId, "rf", "A refund.");
id!(RequestId, "req", "One HTTP request, for support.");
id!(SettlementId, "se", "What a channel paid us in one sum.");
id!(StatementFileId, "sf", "A statement file as it came.");
id!(StatementId, "st", "One account's statement.");
id!(SuspenseId, "su", "An item of money in suspense.");
id!(WebhookId, "we", "A webhook endpoint.");

/// How the ids look in the API's document.
macro_rules! schemas {
    ($($id:ident)+) => {$(
        impl utoipa::PartialSchema for $id {
            fn schema() -> utoipa::openapi::RefOr<utoipa::openapi::schema::Schema> {
                mizan_ledger::schema::id::<Self>().into()
            }
        }

        impl utoipa::ToSchema for $id {}
    )+};
}

schemas! {
    AttemptId
    BreakId
    CatalogueImportId
    DeliveryId
    EventId
    ExpectationId
    FeeVersionId
    IntentId
    PayInId
    PaymentFileId
    PersonId
    PortalId
    QuoteId
    RefundId
    RequestId
    SettlementId
    StatementFileId
    StatementId
    SuspenseId
    WebhookId
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mizan_ledger::Id;

    use super::*;

    #[test]
    fn no_prefix_stands_twice() {
        let prefixes = [
            mizan_ledger::EntryId::PREFIX,
            AttemptId::PREFIX,
            BreakId::PREFIX,
            CatalogueImportId::PREFIX,
            DeliveryId::PREFIX,
            EventId::PREFIX,
            ExpectationId::PREFIX,
            FeeVersionId::PREFIX,
            IntentId::PREFIX,
            PaymentFileId::PREFIX,
            PersonId::PREFIX,
            PortalId::PREFIX,
            QuoteId::PREFIX,
            RefundId::PREFIX,
            RequestId::PREFIX,
            SettlementId::PREFIX,
            StatementFileId::PREFIX,
            StatementId::PREFIX,
            SuspenseId::PREFIX,
            WebhookId::PREFIX,
        ];
        assert_eq!(prefixes.iter().collect::<BTreeSet<_>>().len(), prefixes.len());
    }
}
