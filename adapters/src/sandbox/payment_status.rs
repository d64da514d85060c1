//! The bank's answer to a payment file: pain.002.001.10, as things stand now.

use minijinja::{Value, context};

use super::payment_orders::{Code, Group, Order, PaymentFile, State};
use super::templates::render;
use super::world::World;

impl World {
    /// The status report of a payment file.
    pub fn status_report(&self, file: &PaymentFile) -> String {
        let groups: Vec<(Value, &str)> =
            file.groups.iter().map(|group| group_view(group, file.refused)).collect();
        let statuses: Vec<&str> = groups.iter().map(|(_, status)| *status).collect();
        let count: usize = file.groups.iter().map(|group| group.orders.len()).sum();
        render(
            "pain002.xml",
            context! {
                message => format!("STS-{}-{}", file.file, self.now().strftime("%Y%m%d%H%M%S")),
                created_at => self.now().to_string(),
                original => file.message.clone(),
                version => file.version.clone(),
                count => count,
                status => overall(&statuses),
                reason => file.refused.map(name),
                groups => groups.into_iter().map(|(view, _)| view).collect::<Vec<_>>(),
            },
        )
    }
}

fn group_view(group: &Group, file_refused: Option<Code>) -> (Value, &'static str) {
    let refused = file_refused.or(group.refused);
    let orders: Vec<(Value, &str)> = group.orders.iter().map(|order| order_view(order, refused)).collect();
    let status = overall(&orders.iter().map(|(_, status)| *status).collect::<Vec<_>>());
    let view = context! {
        id => group.id.clone(),
        count => group.orders.len(),
        status => status,
        reason => refused.map(name),
        orders => orders.into_iter().map(|(view, _)| view).collect::<Vec<_>>(),
    };
    (view, status)
}

fn order_view(order: &Order, refused: Option<Code>) -> (Value, &'static str) {
    let (status, reason, bank_reference) = match (&order.state, refused) {
        (_, Some(code)) => ("RJCT", Some(name(code)), None),
        (State::Refused(code), None) => ("RJCT", Some(name(*code)), None),
        (State::Waiting(_), None) => ("ACCP", None, None),
        (State::Left { bank_reference }, None) => ("ACSC", None, Some(bank_reference.as_str())),
    };
    let view = context! {
        instruction => order.instructed.instruction.clone(),
        end_to_end => order.instructed.end_to_end.clone(),
        status => status,
        reason => reason,
        bank_reference => bank_reference,
    };
    (view, status)
}

/// The status of a whole from those of its parts: theirs if they are alike, else PART when some are refused.
fn overall(parts: &[&'static str]) -> &'static str {
    match parts.split_first() {
        Some((first, rest)) if rest.iter().all(|status| status == first) => first,
        Some(_) if parts.contains(&"RJCT") || parts.contains(&"PART") => "PART",
        _ => "ACCP",
    }
}

fn name(code: Code) -> &'static str {
    match code {
        Code::Ac02 => "AC02",
        Code::Ac03 => "AC03",
        Code::Ac04 => "AC04",
        Code::Am03 => "AM03",
        Code::Am05 => "AM05",
        Code::Am10 => "AM10",
        Code::Am12 => "AM12",
        Code::Am18 => "AM18",
    }
}
