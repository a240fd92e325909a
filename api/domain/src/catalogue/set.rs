use super::{FIELD_COUNT, FieldId};
use std::ops::{BitAnd, BitOr, Not};

/// A set of fields, one bit each: the cost of a decision per row and field is a bit test.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub struct FieldSet(u128);

const _: () = assert!(FIELD_COUNT <= 128, "a field set holds 128 fields");

impl FieldSet {
    /// No field.
    pub const EMPTY: FieldSet = FieldSet(0);

    /// Adds a field.
    pub const fn insert(&mut self, id: FieldId) {
        self.0 |= 1 << id.0;
    }

    /// Takes a field out.
    pub const fn remove(&mut self, id: FieldId) {
        self.0 &= !(1 << id.0);
    }

    /// Whether the field is in the set.
    pub const fn contains(self, id: FieldId) -> bool {
        self.0 >> id.0 & 1 == 1
    }

    /// Whether no field is in the set.
    pub const fn is_empty(self) -> bool {
        self.0 == 0
    }

    /// How many fields are in the set.
    pub const fn len(self) -> usize {
        self.0.count_ones() as usize
    }

    /// The fields, in the order of the catalogue.
    pub fn iter(self) -> impl Iterator<Item = FieldId> {
        let mut rest = self.0;
        std::iter::from_fn(move || {
            (rest != 0).then(|| {
                let index = rest.trailing_zeros() as u8;
                rest &= rest - 1;
                FieldId(index)
            })
        })
    }
}

impl BitAnd for FieldSet {
    type Output = Self;
    fn bitand(self, other: Self) -> Self {
        FieldSet(self.0 & other.0)
    }
}

impl BitOr for FieldSet {
    type Output = Self;
    fn bitor(self, other: Self) -> Self {
        FieldSet(self.0 | other.0)
    }
}

impl Not for FieldSet {
    type Output = Self;
    fn not(self) -> Self {
        FieldSet(!self.0 & (u128::MAX >> (128 - FIELD_COUNT)))
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
