//! What looks like chance: every choice is drawn from the seed and the thing chosen about, so that it does not
//! depend on the order in which requests arrive.

use sha2::{Digest, Sha256};

/// The sandbox's source of choices.
#[derive(Clone, Copy, Debug)]
pub struct Seed(pub u64);

/// How an incoming transfer carries the payer's reference.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Carried {
    OwnField,
    Text,
    LowerCaseText,
    GroupedText,
}

impl Seed {
    fn digest(self, what: &str, about: &[&str]) -> [u8; 32] {
        let mut hash = Sha256::new();
        hash.update(self.0.to_be_bytes());
        for part in std::iter::once(&what).chain(about) {
            hash.update(part.as_bytes());
            hash.update([0]);
        }
        hash.finalize().into()
    }

    /// A number below `bound` for this choice.
    pub fn below(self, bound: usize, what: &str, about: &[&str]) -> usize {
        usize::from(u16::from_be_bytes([self.digest(what, about)[0], self.digest(what, about)[1]])) % bound
    }

    /// An id nobody guesses without the seed.
    pub fn token(self, what: &str, about: &[&str]) -> String {
        hex::encode(&self.digest(what, about)[..12])
    }

    /// One transfer in five carries its reference in free text alone.
    pub fn carried(self, reference: &str) -> Carried {
        match self.below(15, "carried", &[reference]) {
            0 => Carried::Text,
            1 => Carried::LowerCaseText,
            2 => Carried::GroupedText,
            _ => Carried::OwnField,
        }
    }
}

impl Carried {
    /// The free text of a transfer whose payer wrote this text and this reference.
    pub fn text(self, text: &str, reference: &str) -> String {
        let written = match self {
            Self::OwnField => return text.to_owned(),
            Self::Text => reference.to_owned(),
            Self::LowerCaseText => reference.to_lowercase(),
            Self::GroupedText => by_fours(reference),
        };
        if text.is_empty() { written } else { format!("{text} {written}") }
    }
}

fn by_fours(reference: &str) -> String {
    let letters: Vec<char> = reference.chars().collect();
    letters.chunks(4).map(|four| four.iter().collect::<String>()).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_transfer_in_five_has_its_reference_in_free_text() {
        let seed = Seed(7);
        let in_text = (0..3000).filter(|n| seed.carried(&format!("RF{n}")) != Carried::OwnField).count();
        assert!((500..700).contains(&in_text), "{in_text} of 3000");
    }

    #[test]
    fn the_same_seed_chooses_the_same_and_another_seed_otherwise() {
        let choices = |seed: u64| (0..64).map(|n| Seed(seed).carried(&format!("RF{n}"))).collect::<Vec<_>>();
        assert_eq!(choices(1), choices(1));
        assert_ne!(choices(1), choices(2));
    }

    #[test]
    fn references_in_text_are_as_they_are_lower_case_or_by_fours() {
        let written = |carried: Carried| carried.text("rent", "RF13PS2026A0042");
        assert_eq!(written(Carried::OwnField), "rent");
        assert_eq!(written(Carried::Text), "rent RF13PS2026A0042");
        assert_eq!(written(Carried::LowerCaseText), "rent rf13ps2026a0042");
        assert_eq!(written(Carried::GroupedText), "rent RF13 PS20 26A0 042");
    }
}
