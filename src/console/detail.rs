//! What a break tells of itself, as an officer reads it: each part under its name, money as money, a time on the wall
//! clock, a number with the page it leads to. What is not there is not shown.

use mizan_ledger::{Money, Zone};
use serde::Serialize;
use serde_json::Value;

use super::words;
use crate::http::language::Language;

/// One part.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
pub struct Part {
    name: String,
    text: Option<String>,
    money: Option<Value>,
    /// The page of what the text names.
    link: Option<String>,
}

/// Name in the record, Arabic, English.
const NAMES: [(&str, &str, &str); 52] = [
    ("account", "الحساب البنكي", "Bank account"),
    ("amount", "المبلغ", "Amount"),
    ("answer", "الجواب", "Answer"),
    ("arrived", "ما وصل", "Arrived"),
    ("asked", "المطلوب", "Asked for"),
    ("asked_back", "طُلب ردّه", "Asked back"),
    ("bank_reference", "مرجع البنك", "Bank reference"),
    ("bill_number", "رقم الفاتورة", "Bill"),
    ("booked_on", "قُيّد في", "Booked on"),
    ("bytes", "الحجم بالبايت", "Bytes"),
    ("closing", "رصيد الإقفال", "Closing balance"),
    ("contract", "حسب العقد", "By contract"),
    ("cost", "العمولة", "Cost"),
    ("day", "اليوم", "Day"),
    ("days", "الأيام", "Days"),
    ("due_on", "كان متوقعًا في", "Expected on"),
    ("expectation", "التوقّع", "Expectation"),
    ("file", "الملف", "File"),
    ("first_amount", "المبلغ أول مرة", "Amount at first"),
    ("first_notice", "الإشعار الأول", "First notice"),
    ("first_reference", "المرجع أول مرة", "Reference at first"),
    ("instruction", "التعليمة", "Instruction"),
    ("job", "رقم العمل", "Job"),
    ("kept", "ما احتُفظ به", "Kept"),
    ("line", "البند", "Line"),
    ("may_be_bills", "فواتير محتملة", "May be for bills"),
    ("notice", "الإشعار", "Notice"),
    ("opening", "رصيد الافتتاح", "Opening balance"),
    ("order", "مرجعنا لدى القناة", "Our reference at the channel"),
    ("paid", "المدفوع", "Paid"),
    ("paid_to", "دُفع إلى الحساب", "Paid to account"),
    ("payer", "الدافع", "Payer"),
    ("period_on", "يوم الكشف", "Day of the statement"),
    ("propose", "المقترح", "Proposed"),
    ("reference", "المرجع", "Reference"),
    ("refund", "الرد", "Refund"),
    ("refunded", "المردود", "Refunded"),
    ("reversal", "قيد عكسي", "Reversal"),
    ("settlement", "التسوية", "Settlement"),
    ("source", "المصدر", "Source"),
    ("state", "الحالة", "State"),
    ("statement", "كشف الحساب", "Statement"),
    ("statement_line", "سطر الكشف", "Statement line"),
    ("statements_through", "الكشوف حتى", "Statements until"),
    ("suspense_item", "المال المعلّق", "Item in suspense"),
    ("text", "نص البنك", "The bank's text"),
    ("told_of", "يخص التعليمة", "Told of instruction"),
    ("transaction", "رقم العملية", "Transaction"),
    ("tries", "عدد المحاولات", "Tries"),
    ("why", "السبب", "Why"),
    ("work", "العمل", "Work"),
    ("written_at", "كُتب في", "Written at"),
];

/// Parts whose text is a word of ours, or a sentence that the words know.
const SAID: [&str; 5] = ["propose", "source", "state", "why", "work"];

/// What was told before, each telling with its own parts.
const EARLIER: &str = "earlier";

/// The parts of a break's detail, in the record's order; the break's own amount is not told twice.
pub fn parts(detail: &Value, own: Option<Money>, language: Language, zone: &Zone) -> Vec<Part> {
    let own = own.map(|money| serde_json::json!(money));
    let all = detail.as_object().into_iter().flatten();
    let told = all.filter(|(name, value)| !(name.as_str() == "amount" && Some(*value) == own.as_ref()));
    let told = told.filter(|(name, _)| name.as_str() != EARLIER);
    let now = told.filter_map(|(name, value)| part(name, value, language, zone));
    let before = detail[EARLIER].as_array().into_iter().flatten().filter_map(Value::as_object).flatten();
    let before = before.filter_map(|(name, value)| {
        let part = part(name, value, language, zone)?;
        let name = format!("{}: {}", words::say(EARLIER, language), part.name);
        Some(Part { name, ..part })
    });
    now.chain(before).collect()
}

fn part(name: &str, value: &Value, language: Language, zone: &Zone) -> Option<Part> {
    let money = value.get("amount").is_some_and(Value::is_string) && value.get("currency").is_some();
    let text = match value {
        Value::Null | Value::Bool(false) => return None,
        Value::Bool(true) => words::say("yes", language),
        Value::String(text) if SAID.contains(&name) => words::say(text, language),
        Value::String(text) => super::shell::local(text, zone.name()),
        Value::Array(items) => {
            let texts =
                items.iter().map(|item| item.as_str().map_or_else(|| item.to_string(), str::to_owned));
            texts.collect::<Vec<_>>().join(", ")
        }
        other => other.to_string(),
    };
    if text.trim().is_empty() {
        return None;
    }
    let link = match name {
        "notice" | "first_notice" => Some(format!("/console/notices/{text}")),
        "refund" => Some(format!("/console/refunds/{text}")),
        _ => None,
    };
    Some(Part {
        name: name_of(name, language),
        text: (!money).then_some(text),
        money: money.then(|| value.clone()),
        link,
    })
}

fn name_of(name: &str, language: Language) -> String {
    match NAMES.iter().find(|(known, ..)| *known == name) {
        Some((_, ar, _)) if language == Language::Arabic => (*ar).to_owned(),
        Some((_, _, en)) => (*en).to_owned(),
        None => name.replace('_', " "),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use mizan_ledger::Currency;
    use serde_json::json;

    use super::*;

    fn shown(detail: &Value, language: Language) -> Vec<String> {
        let zone: Zone = "Asia/Hebron".parse().expect("a zone");
        let parts = parts(detail, Some(Money::new(500, Currency::ILS)), language, &zone);
        let text = |part: &Part| match (&part.text, &part.money) {
            (Some(text), None) => text.clone(),
            (None, Some(money)) => format!("{} {}", money["amount"], money["currency"]).replace('"', ""),
            other => panic!("{other:?}"),
        };
        parts.iter().map(|part| format!("{}: {}", part.name, text(part))).collect()
    }

    #[test]
    fn a_detail_is_told_in_the_officers_language_without_what_is_not_there() {
        let detail = json!({
            "amount": { "amount": "5.00", "currency": "ILS" }, "first_amount": { "amount": "4.00", "currency": "ILS" },
            "payer": null, "reversal": false, "may_be_bills": [], "text": " ", "source": "callback",
            "bank_reference": "FT_1", "at": "2026-11-25T11:18:15.470279Z", "why": "nothing known is named",
        });
        let mut english = shown(&detail, Language::English);
        english.sort();
        assert_eq!(
            english,
            [
                "Amount at first: 4.00 ILS",
                "Bank reference: FT_1",
                "Source: Callback",
                "Why: nothing known is named",
                "at: 2026-11-25 13:18:15",
            ]
        );
        let arabic = shown(&detail, Language::Arabic).join("; ");
        assert!(
            arabic.contains("المصدر: إشعار من القناة") && arabic.contains("السبب: لا يذكر شيئًا معروفًا"),
            "{arabic}"
        );
        assert!(shown(&json!({ "reversal": true }), Language::Arabic)[0].ends_with("نعم"));
    }

    #[test]
    fn every_name_stands_once_in_each_language() {
        assert_eq!(NAMES.iter().map(|name| name.0).collect::<BTreeSet<_>>().len(), NAMES.len());
        assert!(NAMES.iter().all(|(_, ar, en)| !ar.is_empty() && !en.is_empty()));
    }
}
