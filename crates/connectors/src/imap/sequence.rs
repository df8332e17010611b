//! Sets of message numbers, written as ranges (RFC 9051, `sequence-set`).

use std::fmt;

/// Numbers in ascending order, kept as ranges: a hundred thousand UIDs in a
/// row cost as much as one.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct SequenceSet {
    /// Ascending, neither overlapping nor adjacent; both ends belong to the range.
    ranges: Vec<(u32, u32)>,
}

impl SequenceSet {
    pub fn new() -> Self {
        Self::default()
    }

    /// From what a server wrote: `2,4:7`, ranges in any order, `*` as the
    /// highest number there is. What is not understood is left out.
    pub fn parse(text: &[u8]) -> Self {
        let number = |text: &[u8]| match text {
            b"*" => Some(u32::MAX),
            text => std::str::from_utf8(text).ok()?.parse().ok(),
        };
        let mut set = Self::new();
        for part in text.split(|&b| b == b',') {
            let mut ends = part.splitn(2, |&b| b == b':');
            let first = ends.next().and_then(number);
            let last = ends.next().map_or(first, number);
            if let (Some(first), Some(last)) = (first, last) {
                set.insert_range(first.min(last), first.max(last));
            }
        }
        set
    }

    pub fn range(first: u32, last: u32) -> Self {
        let mut set = Self::new();
        if first <= last {
            set.insert_range(first, last);
        }
        set
    }

    pub fn insert(&mut self, number: u32) {
        self.insert_range(number, number);
    }

    pub fn insert_range(&mut self, first: u32, last: u32) {
        // In order, as servers list them, is the common case.
        match self.ranges.last_mut() {
            Some((from, to)) if first >= *from => {
                if first <= to.saturating_add(1) {
                    *to = last.max(*to);
                } else {
                    self.ranges.push((first, last));
                }
            }
            None => self.ranges.push((first, last)),
            Some(_) => self.insert_anywhere(first, last),
        }
    }

    fn insert_anywhere(&mut self, mut first: u32, mut last: u32) {
        let from = self.ranges.partition_point(|&(_, to)| to.saturating_add(1) < first);
        let until = self.ranges.partition_point(|&(start, _)| start <= last.saturating_add(1));
        if from < until {
            first = first.min(self.ranges[from].0);
            last = last.max(self.ranges[until - 1].1);
        }
        self.ranges.splice(from..until, [(first, last)]);
    }

    pub fn is_empty(&self) -> bool {
        self.ranges.is_empty()
    }

    /// How many numbers.
    pub fn len(&self) -> u64 {
        self.ranges.iter().map(|&(from, to)| u64::from(to - from) + 1).sum()
    }

    pub fn contains(&self, number: u32) -> bool {
        let at = self.ranges.partition_point(|&(_, to)| to < number);
        self.ranges.get(at).is_some_and(|&(from, _)| from <= number)
    }

    pub fn first(&self) -> Option<u32> {
        self.ranges.first().map(|&(from, _)| from)
    }

    pub fn last(&self) -> Option<u32> {
        self.ranges.last().map(|&(_, to)| to)
    }

    pub fn iter(&self) -> impl Iterator<Item = u32> + '_ {
        self.ranges.iter().flat_map(|&(from, to)| from..=to)
    }

    /// Only the numbers from `first` to `last`.
    pub fn clamp(&mut self, first: u32, last: u32) {
        self.ranges.retain_mut(|(from, to)| {
            (*from, *to) = ((*from).max(first), (*to).min(last));
            from <= to
        });
    }

    /// All of `other` as well.
    pub fn extend(&mut self, other: &Self) {
        for &(from, to) in &other.ranges {
            self.insert_range(from, to);
        }
    }

    /// The lowest numbers, at most `count` of them, and at most so many that
    /// they can be written in `length` octets.
    pub fn take_front(&self, count: u64, length: usize) -> Self {
        let mut set = Self::new();
        let (mut left, mut written) = (count, 0);
        for &(from, to) in &self.ranges {
            // Two numbers of ten digits, a colon and a comma.
            written += 22;
            if left == 0 || (written > length && !set.is_empty()) {
                break;
            }
            let to = u32::try_from(u64::from(from) + left - 1).map_or(to, |most| to.min(most));
            left -= u64::from(to - from) + 1;
            set.ranges.push((from, to));
        }
        set
    }
}

impl FromIterator<u32> for SequenceSet {
    fn from_iter<I: IntoIterator<Item = u32>>(numbers: I) -> Self {
        let mut set = Self::new();
        for number in numbers {
            set.insert(number);
        }
        set
    }
}

impl fmt::Display for SequenceSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (n, &(from, to)) in self.ranges.iter().enumerate() {
            let comma = if n == 0 { "" } else { "," };
            if from == to {
                write!(f, "{comma}{from}")?;
            } else {
                write!(f, "{comma}{from}:{to}")?;
            }
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use proptest::prelude::*;

    use super::*;

    #[track_caller]
    fn check(input: &str, expected: &str) {
        assert_eq!(SequenceSet::parse(input.as_bytes()).to_string(), expected);
    }

    #[test]
    fn sets_are_read_and_compacted() {
        check("1", "1");
        check("1,2,3", "1:3");
        check("3,2,1", "1:3");
        check("5:2", "2:5");
        check("1:3,2:7,9", "1:7,9");
        check("9,1:3,8", "1:3,8:9");
        check("2,10:11", "2,10:11");
        check("4:*", "4:4294967295");
        check("", "");
        check("x,3,:,4:", "3");
        check("99999999999", "");
    }

    #[test]
    fn the_front_is_taken() {
        let set = SequenceSet::parse(b"1:10,20,30:40");
        assert_eq!(set.take_front(3, 1000).to_string(), "1:3");
        assert_eq!(set.take_front(11, 1000).to_string(), "1:10,20");
        assert_eq!(set.take_front(100, 1000), set);
        assert_eq!(set.take_front(100, 50).to_string(), "1:10,20");
        assert_eq!(set.take_front(100, 1).to_string(), "1:10");
        assert_eq!(SequenceSet::range(1, u32::MAX).take_front(u64::MAX / 2, 1000).len(), u64::from(u32::MAX));
    }

    #[test]
    fn numbers_outside_are_cut_off() {
        let mut set = SequenceSet::parse(b"1:10,20,30:40");
        set.clamp(5, 33);
        assert_eq!(set.to_string(), "5:10,20,30:33");
        assert!(set.contains(20) && !set.contains(21) && !set.contains(4) && set.contains(33));
        set.clamp(50, 60);
        assert!(set.is_empty());
    }

    proptest! {
        #[test]
        fn a_set_is_a_set(numbers in prop::collection::vec(1u32..60, 0..60)) {
            let set: SequenceSet = numbers.iter().copied().collect();
            let reference: BTreeSet<u32> = numbers.iter().copied().collect();
            prop_assert_eq!(set.iter().collect::<Vec<_>>(), reference.iter().copied().collect::<Vec<_>>());
            prop_assert_eq!(set.len(), reference.len() as u64);
            prop_assert_eq!(&SequenceSet::parse(set.to_string().as_bytes()), &set);
            for n in 0..70 {
                prop_assert_eq!(set.contains(n), reference.contains(&n));
            }
        }
    }
}
