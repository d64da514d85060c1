//! The words officers read for the slugs of the hub.

use crate::http::language::Language;

/// Slug, Arabic, English.
const WORDS: [(&str, &str, &str); 155] = [
    // payments
    ("requires_payment", "بانتظار الدفع", "Waiting for payment"),
    ("processing", "قيد الدفع", "Processing"),
    ("partially_paid", "مدفوع جزئيًا", "Partly paid"),
    ("paid", "مدفوع", "Paid"),
    ("reversed", "معكوس", "Reversed"),
    ("expired", "منتهي المهلة", "Expired"),
    ("canceled", "ملغى", "Canceled"),
    ("none", "لا تسوية بعد", "Nothing to settle"),
    ("in_transit", "في الطريق إلى البنك", "In transit"),
    ("at_bank", "في البنك", "At the bank"),
    ("paid_out", "حُوِّل إلى الجهة", "Paid out"),
    ("direct", "مباشر إلى الجهة", "Direct"),
    // attempts
    ("created", "أُنشئت", "Created"),
    ("redirected", "لدى مقدم الخدمة", "At the provider"),
    ("captured", "محصَّلة", "Captured"),
    ("declined", "مرفوضة", "Declined"),
    ("abandoned", "متروكة", "Abandoned"),
    ("unknown", "مجهولة المصير", "Unknown"),
    // notices
    ("waiting", "بالانتظار", "Waiting"),
    ("applied", "مطبَّق", "Applied"),
    ("set_aside", "معلَّق", "Set aside"),
    ("altered", "معدَّل", "Altered"),
    ("money", "مال", "Money"),
    ("refunded", "استرداد", "Refunded"),
    ("refund_failed", "فشل الاسترداد", "Refund failed"),
    ("information", "معلومة", "Information"),
    ("callback", "إشعار من القناة", "Callback"),
    ("query", "استعلام", "Query"),
    ("statement", "كشف حساب", "Statement"),
    ("report", "تقرير تسوية", "Report"),
    ("counter", "نافذة", "Counter"),
    // expectations
    ("payment", "دفعة", "Payment"),
    ("refund", "استرداد", "Refund"),
    ("netted_refund", "استرداد يُحسم من التسوية", "Netted refund"),
    ("payout", "تحويل", "Payout"),
    ("cost", "عمولة", "Cost"),
    ("met", "ظهر في البنك", "Seen at the bank"),
    ("withdrawn", "مسحوب", "Withdrawn"),
    // breaks
    ("open", "مفتوح", "Open"),
    ("assigned", "مُسنَد", "Assigned"),
    ("proposed", "حلّ مقترح", "Proposed"),
    ("approved", "معتمد", "Approved"),
    ("resolved", "محلول", "Resolved"),
    ("self_resolved", "حُلّ من تلقاء نفسه", "Resolved by itself"),
    ("reopened", "أعيد فتحه", "Reopened"),
    ("superseded", "حلّ محلّه غيره", "Superseded"),
    ("reconciler", "التسويات", "Reconciler"),
    ("agency", "الجهة", "Agency"),
    ("treasurer", "الخزينة", "Treasurer"),
    // bank lines
    ("new", "لم يُطابق بعد", "Not matched yet"),
    ("noticed", "بانتظار التطبيق", "Being applied"),
    ("matched", "مطابَق", "Matched"),
    ("suspense", "في المعلّقات", "In suspense"),
    // receipts
    ("issued", "صادر", "Issued"),
    ("provisional", "مؤقت", "Provisional"),
    ("confirmed", "مؤكد", "Confirmed"),
    ("conflicted", "متعارض", "Conflicted"),
    ("credited_part", "مردود جزئيًا", "Credited in part"),
    ("credited", "مردود", "Credited"),
    // components
    ("charge", "رسم", "Charge"),
    ("rounding", "تقريب", "Rounding"),
    ("exemption", "إعفاء", "Exemption"),
    ("always", "يُسترد دائمًا", "Always"),
    ("until_delivered", "حتى تقديم الخدمة", "Until delivered"),
    ("never", "لا يُسترد", "Never"),
    // refunds
    ("requested", "مطلوب", "Asked for"),
    ("refused", "مرفوض", "Refused"),
    ("entered", "قُيّد للجهة", "Entered"),
    ("awaiting_funds", "بانتظار توفر المال", "Waiting for funds"),
    ("submitted", "أُرسل", "Sent"),
    ("failed", "لم يُنفَّذ", "Failed"),
    ("succeeded", "وصل", "Arrived"),
    ("returned", "عاد", "Came back"),
    ("unclaimed", "لم يطالب به أحد", "Unclaimed"),
    ("original", "بالطريق الذي جاء منه", "The way it came"),
    ("transfer", "بحوالة", "By transfer"),
    ("sending", "قيد الإرسال", "Being sent"),
    ("accepted", "مقبولة", "Accepted"),
    ("carried_out", "منفَّذة", "Carried out"),
    ("it was told as carried out before", "أُبلغ من قبل أنها نُفّذت", "it was told as carried out before"),
    ("not_sent", "لم تُرسل", "Not sent"),
    // jobs
    ("refund.submit", "إرسال الرد", "Send a refund"),
    ("refund.ask", "السؤال عن رد", "Ask about a refund"),
    ("refund.hear", "تطبيق خبر عن رد", "Apply news of a refund"),
    ("refund.settled", "البحث عن رد في التسويات", "Look for a refund in settlements"),
    ("refund.fund", "انتظار مال لرد", "Wait for a refund's funds"),
    ("refund.funded", "متابعة رد بعد توريد الجهة", "Go on with a refund its agency paid in for"),
    ("refund.propose", "اقتراح رد مال معلَّق", "Propose to give back money in suspense"),
    ("refund.propose_line", "اقتراح رد بند مرفوض", "Propose to give back a rejected line"),
    ("payment_file.send", "إرسال ملف دفع إلى البنك", "Send a payment file to the bank"),
    ("payment_file.report", "السؤال عن ملف دفع", "Ask about a payment file"),
    ("recon.reconcile", "المطابقة بعد كشف", "Reconcile after a statement"),
    ("fulfilment.release", "الإفراج عن مال للجهة بحلول وقته", "Release by time"),
    // services
    ("delivered", "قُدّمت", "Delivered"),
    ("rejected", "رُفضت", "Rejected"),
    // causes
    ("late_money", "مال متأخر", "Late money"),
    ("duplicate_money", "دفع مكرر", "Paid twice"),
    ("amount_over", "زيادة في المبلغ", "Too much"),
    ("amount_under", "جزء من فاتورة انتهت", "Part of a bill that ended"),
    ("unknown_credit", "إيداع غير معروف", "Unknown credit"),
    // entries
    ("paid_in_full", "دفع كامل", "Paid in full"),
    ("rail_cost_accrued", "عمولة القناة مستحقة", "Rail cost accrued"),
    ("money_to_suspense", "مال إلى المعلقات", "Money to suspense"),
    ("part_payment_held", "دفعة جزئية محتجزة", "Part payment held"),
    ("part_payment_completed", "اكتملت الدفعات", "Part payment completed"),
    ("instalment_paid", "قسط مدفوع", "Instalment paid"),
    ("channel_settled_net", "تسوية القناة صافية", "Channel settled net"),
    ("channel_settled_gross", "تسوية القناة إجمالية", "Channel settled gross"),
    ("confirmation_withdrawn", "سُحب التأكيد", "Confirmation withdrawn"),
    ("part_payment_ended", "انتهت الدفعات الجزئية", "Part payment ended"),
    ("transfer_paid", "دفع بحوالة", "Paid by transfer"),
    ("direct_settled", "دُفع للجهة مباشرة", "Paid to the agency itself"),
    ("released", "أُفرج عنه للجهة", "Released"),
    ("bank_unknown_credit", "إيداع غير معروف", "Unknown credit"),
    ("bank_unknown_debit", "سحب غير معروف", "Unknown debit"),
    ("bank_undid_credit", "عكس البنك إيداعًا", "The bank undid a credit"),
    ("bank_undid_unknown_credit", "عكس البنك إيداعًا غير معروف", "The bank undid an unknown credit"),
    ("suspense_credit_explained", "فُسّر مال معلَّق", "Suspense explained"),
    ("refund_submitted", "أُرسل الرد", "Refund sent"),
    ("refund_canceled", "أُلغي الرد", "Refund canceled"),
    ("refund_refused", "رُفضت تعليمات الرد", "Refund refused by the rail"),
    ("refund_netted", "رُدّ بالمقاصّة", "Refund netted"),
    ("refund_seen_at_bank", "ظهر الرد في البنك", "Refund seen at the bank"),
    ("refund_approved", "استرداد معتمد", "Refund approved"),
    ("refund_returned", "استرداد أعيد", "Refund returned"),
    ("refund_taken_over", "يرده ميزان من مال الجهة", "Refund taken over by the hub"),
    ("refund_left_at_agency", "بقي المبلغ لدى الجهة", "Left at the agency"),
    ("agency_paid_in", "ورّدت الجهة مالًا", "Paid in by the agency"),
    ("asset", "أصول", "Asset"),
    ("liability", "التزامات", "Liability"),
    ("income", "إيرادات", "Income"),
    ("expense", "مصروفات", "Expense"),
    // why a break stands, and why it is resolved
    ("yes", "نعم", "Yes"),
    ("earlier", "قبل ذلك", "Earlier"),
    ("nothing known is named", "لا يذكر شيئًا معروفًا", "nothing known is named"),
    (
        "a bill is named in free text, but not its amount",
        "يذكر النص فاتورة بغير مبلغها",
        "a bill is named in free text, but not its amount",
    ),
    ("several bills are named", "يذكر النص عدة فواتير", "several bills are named"),
    ("money left, and bills are named", "مال خرج، ويذكر النص فواتير", "money left, and bills are named"),
    (
        "the bank undoes what went from suspense in part",
        "يعكس البنك إيداعًا خرج بعضه من المعلقات",
        "the bank undoes what went from suspense in part",
    ),
    ("the bank took the money back", "استعاد البنك المال", "the bank took the money back"),
    ("it was told of another amount", "أُبلغ عنها بمبلغ آخر", "it was told of another amount"),
    (
        "a refund is named that waits for no money, for less or for other money",
        "يذكر ردًّا لا ينتظر مالًا، أو ينتظر أقل أو غيره",
        "a refund is named that waits for no money, for less or for other money",
    ),
    (
        "an opening or a closing balance is missing",
        "رصيد الافتتاح أو الإقفال مفقود",
        "an opening or a closing balance is missing",
    ),
    (
        "the opening balance and the booked lines do not lead to the closing balance",
        "رصيد الافتتاح والقيود لا تؤدي إلى رصيد الإقفال",
        "the opening balance and the booked lines do not lead to the closing balance",
    ),
    (
        "the agency reported what became of it",
        "أبلغت الجهة بما آلت إليه الخدمة",
        "the agency reported what became of it",
    ),
    ("it was booked", "قُيّد", "it was booked"),
    ("it did not leave", "لم يخرج المال", "it did not leave"),
    ("the bank shows it", "ظهر في البنك", "the bank shows it"),
    ("it came with a later settlement", "جاء مع تسوية لاحقة", "it came with a later settlement"),
    ("it was booked and settled", "قُيّد وسُوّي", "it was booked and settled"),
    (
        "the next settlement did not bring it either",
        "لم تأت به التسوية التالية أيضًا",
        "the next settlement did not bring it either",
    ),
    ("the payment was told of afterwards", "أُبلغ عن الدفعة لاحقًا", "the payment was told of afterwards"),
    ("the statement was accepted", "قُبل الكشف", "the statement was accepted"),
    ("the rest came", "وصل الباقي", "the rest came"),
    ("the work was done after all", "أُنجز العمل بعد ذلك", "the work was done after all"),
];

/// The word for a slug; a slug without one is shown as it is, without its lines.
pub fn say(slug: &str, language: Language) -> String {
    match WORDS.iter().find(|(known, ..)| *known == slug) {
        Some((_, ar, _)) if language == Language::Arabic => (*ar).to_owned(),
        Some((_, _, en)) => (*en).to_owned(),
        // A sentence stays as it is.
        None if slug.contains(' ') => slug.to_owned(),
        None => slug.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    #[test]
    fn every_slug_has_one_word_in_each_language() {
        assert_eq!(WORDS.iter().map(|word| word.0).collect::<BTreeSet<_>>().len(), WORDS.len());
        assert!(WORDS.iter().all(|(_, ar, en)| !ar.is_empty() && !en.is_empty()));
        assert_eq!(say("paid", Language::Arabic), "مدفوع");
        assert_eq!(say("not_yet_named", Language::English), "not yet named");
    }
}
