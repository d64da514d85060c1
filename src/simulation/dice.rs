use crate::entropy::Entropy;

/// What the seed decides. Each user has dice of its own, so that one more throw here changes nothing there.
#[derive(Debug, Clone)]
pub(super) struct Dice(Entropy);

impl Dice {
    pub(super) fn new(seed: u64, user: u64) -> Self {
        // Far apart from each other and from the seeds of the hub's own ids.
        Self(Entropy::seeded(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15).wrapping_add(user)))
    }

    /// A number below `end`, which is above zero.
    pub(super) fn below(&self, end: u64) -> u64 {
        u64::from_be_bytes(self.0.bytes()) % end
    }

    pub(super) fn between(&self, least: i64, most: i64) -> i64 {
        least + i64::try_from(self.below(most.abs_diff(least) + 1)).unwrap_or(0)
    }

    pub(super) fn chance(&self, percent: u64) -> bool {
        self.below(100) < percent
    }

    /// One of them; None when there is none.
    pub(super) fn pick<'a, T>(&self, all: &'a [T]) -> Option<&'a T> {
        all.get(self.place(all.len())?)
    }

    /// The place of one of so many.
    pub(super) fn place(&self, count: usize) -> Option<usize> {
        let end = u64::try_from(count).ok().filter(|end| *end > 0)?;
        usize::try_from(self.below(end)).ok()
    }

    /// One of them, each as often as its weight says.
    pub(super) fn weighted<T: Copy>(&self, all: &[(u64, T)]) -> Option<T> {
        let sum: u64 = all.iter().map(|(weight, _)| weight).sum();
        let mut throw = self.below(sum.max(1));
        for (weight, one) in all {
            match throw.checked_sub(*weight) {
                Some(rest) => throw = rest,
                None => return Some(*one),
            }
        }
        None
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_same_seed_throws_the_same() {
        let throws = |seed, user| {
            let dice = Dice::new(seed, user);
            [(); 8].map(|()| dice.below(1_000))
        };
        assert_eq!(throws(7, 1), throws(7, 1));
        assert_ne!(throws(7, 1), throws(7, 2));
        assert_ne!(throws(7, 1), throws(8, 1));
    }

    #[test]
    fn what_weighs_nothing_is_never_thrown() {
        let dice = Dice::new(1, 1);
        for _ in 0..200 {
            assert_ne!(dice.weighted(&[(1, 'a'), (0, 'b'), (2, 'c')]), Some('b'));
            assert!((-2..=2).contains(&dice.between(-2, 2)));
        }
        assert_eq!(dice.weighted::<char>(&[]), None);
        assert_eq!(dice.pick::<char>(&[]), None);
    }
}
