//! Why an amount is what it is, said in both languages. Numbers inside Arabic text are isolated.

use mizan_ledger::{Money, Rate, Rounding};
use rust_decimal::Decimal;

use super::inputs::Value;
use crate::catalogue::{Bilingual, FeeVersion, InputKind, Quantity, RoundingRule, Slug, isolate};

pub(super) fn fixed() -> Bilingual {
    Bilingual::new("رسم مقطوع.", "A fixed fee.")
}

pub(super) fn per_unit(input: &Bilingual, given: Quantity, included: Quantity, each: Money) -> Bilingual {
    if included == Quantity::ZERO {
        return Bilingual::new(
            format!("{}: {}.", input.ar, isolate(format!("{given} × {each}"))),
            format!("{}: {given} × {each}.", input.en),
        );
    }
    let charged = given.less(included);
    Bilingual::new(
        format!(
            "{}: {}، منها {} بلا رسم، والباقي {}.",
            input.ar,
            isolate(given),
            isolate(included),
            isolate(format!("{charged} × {each}"))
        ),
        format!("{}: {given}, of which {included} free of charge; {charged} × {each}.", input.en),
    )
}

pub(super) fn percentage(rate: Rate, base: Money) -> Bilingual {
    let percent = percent(rate);
    Bilingual::new(
        format!("نسبة {} من {}.", isolate(&percent), isolate(base)),
        format!("{percent} of {base}."),
    )
}

pub(super) fn minimum(rate: Rate, base: Money, computed: Money, minimum: Money) -> Bilingual {
    let percent = percent(rate);
    Bilingual::new(
        format!(
            "نسبة {} من {} تساوي {}، وهي دون الحد الأدنى، فيُستوفى الحد الأدنى {}.",
            isolate(&percent),
            isolate(base),
            isolate(computed),
            isolate(minimum)
        ),
        format!("{percent} of {base} is {computed}, below the minimum: the minimum {minimum} is charged."),
    )
}

pub(super) fn maximum(rate: Rate, base: Money, computed: Money, maximum: Money) -> Bilingual {
    let percent = percent(rate);
    Bilingual::new(
        format!(
            "نسبة {} من {} تساوي {}، وهي فوق الحد الأعلى، فيُستوفى الحد الأعلى {}.",
            isolate(&percent),
            isolate(base),
            isolate(computed),
            isolate(maximum)
        ),
        format!("{percent} of {base} is {computed}, above the maximum: the maximum {maximum} is charged."),
    )
}

pub(super) fn flat_band(
    input: &Bilingual,
    given: Quantity,
    from: Quantity,
    to: Option<Quantity>,
    others: usize,
) -> Bilingual {
    let (ar_range, en_range) = match to {
        Some(to) => {
            (format!("من {} إلى ما دون {}", isolate(from), isolate(to)), format!("from {from} to below {to}"))
        }
        None => (format!("من {} فأكثر", isolate(from)), format!("from {from} up")),
    };
    Bilingual::new(
        format!(
            "{}: {} ضمن الشريحة {ar_range}؛ ولا تنطبق الشرائح الأخرى وعددها {}.",
            input.ar,
            isolate(given),
            isolate(others)
        ),
        format!("{}: {given} is in the range {en_range}; the {others} others do not apply.", input.en),
    )
}

pub(super) fn graduated(input: &Bilingual, given: Quantity, parts: &[(Quantity, Money)]) -> Bilingual {
    let terms: Vec<String> = parts.iter().map(|(units, each)| format!("{units} × {each}")).collect();
    let sum = terms.join(" + ");
    Bilingual::new(
        format!("{}: {} موزعة على الشرائح: {}.", input.ar, isolate(given), isolate(&sum)),
        format!("{}: {given} spread over the ranges: {sum}.", input.en),
    )
}

pub(super) fn choice(input: &Bilingual, option: &Bilingual, others: usize) -> Bilingual {
    Bilingual::new(
        format!("{}: {}؛ ولا تنطبق الخيارات الأخرى وعددها {}.", input.ar, option.ar, isolate(others)),
        format!("{}: {}; the {others} other options do not apply.", input.en, option.en),
    )
}

pub(super) fn tax(rate: Rate, base: Money, covered: &[&Bilingual]) -> Bilingual {
    let percent = percent(rate);
    let names = |text: fn(&Bilingual) -> &str, comma: &str| {
        covered.iter().map(|name| text(name)).collect::<Vec<_>>().join(comma)
    };
    Bilingual::new(
        format!("ضريبة {} على {}: {}.", isolate(&percent), isolate(base), names(|name| &name.ar, "، ")),
        format!("{percent} tax on {base}: {}.", names(|name| &name.en, ", ")),
    )
}

pub(super) fn rounding(rule: &RoundingRule, exact: Money, rounded: Money) -> Bilingual {
    let step = Money::new(rule.step(exact.currency()), exact.currency());
    let (ar_mode, en_mode) = match rule.mode {
        Rounding::HalfUp => ("إلى أقرب مضاعف لـ", "to the nearest multiple of"),
        Rounding::HalfEven => {
            ("إلى أقرب مضاعف (والنصف إلى الزوجي) لـ", "to the nearest multiple (a half to the even one) of")
        }
        Rounding::Up => ("صعودًا إلى مضاعف لـ", "up to a multiple of"),
        Rounding::Down => ("نزولًا إلى مضاعف لـ", "down to a multiple of"),
    };
    Bilingual::new(
        format!("من {} إلى {}: {ar_mode} {}.", isolate(exact), isolate(rounded), isolate(step)),
        format!("From {exact} to {rounded}: {en_mode} {step}."),
    )
}

pub(super) fn exemption(rate: Rate, gross: Money, component: &Bilingual) -> Bilingual {
    let percent = percent(rate);
    Bilingual::new(
        format!("إعفاء بنسبة {} من {}: {}.", isolate(&percent), isolate(gross), component.ar),
        format!("{percent} of {gross} is not charged: {}.", component.en),
    )
}

/// A surcharge whose condition does not hold.
pub(super) fn condition_lost(version: &FeeVersion, input: &Slug, value: &Value) -> Bilingual {
    let Some(input) = version.input(input.as_str()) else { return nothing_charged() };
    let shown = match (value, &input.kind) {
        (Value::Boolean(true), _) => Bilingual::new("نعم", "yes"),
        (Value::Boolean(false), _) => Bilingual::new("لا", "no"),
        (Value::Choice(code), InputKind::Choice { options }) => {
            let option = options.iter().find(|option| option.code == *code);
            option.map_or_else(|| Bilingual::new(code.as_str(), code.as_str()), |option| option.name.clone())
        }
        (other, _) => Bilingual::new(isolate(other), other.to_string()),
    };
    Bilingual::new(
        format!("لا يُستوفى: {}: {}.", input.name.ar, shown.ar),
        format!("Not charged: {}: {}.", input.name.en, shown.en),
    )
}

/// A share of components none of which is charged.
pub(super) fn nothing_charged() -> Bilingual {
    Bilingual::new(
        "لا يُستوفى لأن ما يُحسب منه غير مستوفى.",
        "Not charged, because nothing it is computed from is charged.",
    )
}

pub(super) fn exemption_lost(evidence: &Bilingual) -> Bilingual {
    Bilingual::new(
        format!("لم يُطلب هذا الإعفاء؛ وإثباته: {}.", evidence.ar),
        format!("Not claimed; its evidence would be: {}.", evidence.en),
    )
}

/// `0.16` as `16%`.
fn percent(rate: Rate) -> String {
    // A rate is below a million with at most nine decimals, far within what a Decimal holds.
    format!("{}%", (rate.decimal() * Decimal::ONE_HUNDRED).normalize())
}
