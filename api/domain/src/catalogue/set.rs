use super::{FIELD_COUNT, FieldId};
use std::ops::{BitAnd, BitOr, Not};

const WORDS: usize = 4;

/// A set of fields, one bit each: the cost of a decision per row and field is a bit test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldSet([u64; WORDS]);

// As many as a `FieldId` can tell apart.
const _: () = assert!(FIELD_COUNT <= WORDS * 64, "a field set holds 256 fields");

/// Every field of the catalogue.
const ALL: FieldSet = {
    let mut all = FieldSet::EMPTY;
    let mut index = 0;
    while index < FIELD_COUNT {
        all.insert(FieldId(index as u8));
        index += 1;
    }
    all
};

const fn place(id: FieldId) -> (usize, u64) {
    (id.0 as usize / 64, 1 << (id.0 % 64))
}

#[expect(clippy::indexing_slicing, reason = "an id is below 256, so its word is one of the four")]
impl FieldSet {
    /// No field.
    pub const EMPTY: FieldSet = FieldSet([0; WORDS]);

    /// Adds a field.
    pub const fn insert(&mut self, id: FieldId) {
        let (word, bit) = place(id);
        self.0[word] |= bit;
    }

    /// Takes a field out.
    pub const fn remove(&mut self, id: FieldId) {
        let (word, bit) = place(id);
        self.0[word] &= !bit;
    }

    /// Whether the field is in the set.
    pub const fn contains(self, id: FieldId) -> bool {
        let (word, bit) = place(id);
        self.0[word] & bit != 0
    }

    /// Whether no field is in the set.
    pub const fn is_empty(self) -> bool {
        let [a, b, c, d] = self.0;
        a | b | c | d == 0
    }

    /// How many fields are in the set.
    pub const fn len(self) -> usize {
        let [a, b, c, d] = self.0;
        (a.count_ones() + b.count_ones() + c.count_ones() + d.count_ones()) as usize
    }

    /// The fields, in the order of the catalogue.
    pub fn iter(self) -> impl Iterator<Item = FieldId> {
        let mut rest = self.0;
        let mut word = 0;
        std::iter::from_fn(move || {
            while word < WORDS && rest[word] == 0 {
                word += 1;
            }
            (word < WORDS).then(|| {
                let index = word * 64 + rest[word].trailing_zeros() as usize;
                rest[word] &= rest[word] - 1;
                FieldId(index as u8)
            })
        })
    }
}

impl BitAnd for FieldSet {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        FieldSet([a & e, b & f, c & g, d & h])
    }
}

impl BitOr for FieldSet {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        let ([a, b, c, d], [e, f, g, h]) = (self.0, other.0);
        FieldSet([a | e, b | f, c | g, d | h])
    }
}

impl Not for FieldSet {
    type Output = Self;
    fn not(self) -> Self {
        FieldSet(self.0.map(|word| !word)) & ALL
    }
}

impl FromIterator<FieldId> for FieldSet {
    fn from_iter<I: IntoIterator<Item = FieldId>>(ids: I) -> Self {
        let mut set = FieldSet::EMPTY;
        for id in ids {
            set.insert(id);
        }
        set
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_all_fields_holds_each_once_and_its_opposite_none() {
        let all: FieldSet = FieldId::all().collect();
        assert_eq!((all, !all), (ALL, FieldSet::EMPTY));
        assert_eq!((all.len(), all.iter().count()), (FIELD_COUNT, FIELD_COUNT));
        assert!(FieldId::all().eq(all.iter()));
        for id in FieldId::all() {
            let mut rest = all;
            rest.remove(id);
            assert!(!rest.contains(id) && rest.len() == FIELD_COUNT - 1, "{id}");
            assert!((!rest).iter().eq([id]), "{id}");
        }
    }
}
