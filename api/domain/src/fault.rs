//! Mistakes that a test plants in a hub, to see that it would be caught making them.
//!
//! They exist under the feature `faults` alone, which only the tests ask for: without it none can be planted, and
//! asking is a constant.

/// A way to betray what is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Fault {
    /// Versions are made over hidden fields, too.
    VersionOverHidden = 1,
    /// `updatedAt` and `updatedBy` tell of hidden fields, too.
    UpdatedOverHidden,
    /// A number finds a child for a caller who may not search by it.
    HiddenNumberFinds,
    /// A filter and an order look at withheld values, too.
    HiddenMatches,
    /// A child that the caller may not know of takes a place on the page.
    UnknownTakesPlace,
    /// A number that is withheld is refused in other words than one that is not there.
    RefusalTellsHidden,
}

/// The mistakes that are planted in a hub.
#[derive(Debug, Default)]
pub(crate) struct Faults {
    #[cfg(feature = "faults")]
    planted: std::sync::atomic::AtomicU8,
}

impl Faults {
    /// Whether the hub is to make this mistake.
    #[cfg(not(feature = "faults"))]
    #[expect(clippy::unused_self, reason = "there is something to ask under the feature")]
    pub(crate) const fn planted(&self, _: Fault) -> bool {
        false
    }

    /// Whether the hub is to make this mistake.
    #[cfg(feature = "faults")]
    pub(crate) fn planted(&self, fault: Fault) -> bool {
        self.planted.load(std::sync::atomic::Ordering::Relaxed) == fault as u8
    }

    /// Makes the hub make this mistake, and no other, or none.
    #[cfg(feature = "faults")]
    pub(crate) fn plant(&self, fault: Option<Fault>) {
        self.planted.store(fault.map_or(0, |fault| fault as u8), std::sync::atomic::Ordering::Relaxed);
    }
}
