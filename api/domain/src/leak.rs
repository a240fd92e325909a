//! Leaks that a test plants in a hub, to see that it would find them. A release has none: only in builds with debug
//! assertions can one be planted, and elsewhere asking is a constant.

/// A way to betray what is withheld.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[repr(u8)]
pub enum Leak {
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

/// The leak that is planted in a hub, if one is.
#[derive(Debug, Default)]
pub(crate) struct Leaks {
    #[cfg(debug_assertions)]
    planted: std::sync::atomic::AtomicU8,
}

impl Leaks {
    /// Whether the hub is to have this leak.
    #[cfg(not(debug_assertions))]
    pub(crate) const fn planted(&self, _: Leak) -> bool {
        false
    }

    /// Whether the hub is to have this leak.
    #[cfg(debug_assertions)]
    pub(crate) fn planted(&self, leak: Leak) -> bool {
        self.planted.load(std::sync::atomic::Ordering::Relaxed) == leak as u8
    }

    /// Makes the hub have this leak, and no other, or none.
    #[cfg(debug_assertions)]
    pub(crate) fn plant(&self, leak: Option<Leak>) {
        self.planted.store(leak.map_or(0, |leak| leak as u8), std::sync::atomic::Ordering::Relaxed);
    }
}
