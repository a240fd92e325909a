//! How lists compare names: as a Swede looks them up, whatever the case, the accents, the hyphens and the spaces.
//!
//! A name's key is its collation key (Unicode TR 10, tailored for Swedish, primary strength): `Åsa` comes after `Zahra` and
//! is not `Asa`; `André` is `andre`; `al-Hassan` is `Al Hassan`. Keys are compared byte by byte, in both databases.

use icu_collator::options::{AlternateHandling, CollatorOptions, Strength};
use icu_collator::{Collator, CollatorBorrowed};
use icu_locale_core::locale;
use std::sync::LazyLock;

static SWEDISH: LazyLock<Option<CollatorBorrowed<'static>>> = LazyLock::new(|| {
    let mut options = CollatorOptions::default();
    options.strength = Some(Strength::Primary);
    options.alternate_handling = Some(AlternateHandling::Shifted);
    Collator::try_new(locale!("sv").into(), options).ok()
});

/// The key of a name; none where it has nothing to compare by, such as a lone hyphen.
pub(crate) fn name_key(name: &str) -> Option<Vec<u8>> {
    let mut key = Vec::new();
    let Ok(()) = SWEDISH.as_ref()?.write_sort_key_to(name, &mut key);
    (!key.is_empty()).then_some(key)
}

/// The first key after all that begin with this one; none where there is no such key.
pub(crate) fn past_prefix(key: &[u8]) -> Option<Vec<u8>> {
    let kept = key.iter().rposition(|byte| *byte != u8::MAX)?;
    let mut past = key.get(..=kept)?.to_vec();
    let last = past.last_mut()?;
    *last = last.wrapping_add(1);
    Some(past)
}

/// Names the way of comparing: keys that were made in another are made anew.
pub(crate) fn version() -> String {
    const SAMPLE: &str = "aàâbcçdéfghijklmnoñpqrsštuüvwxyzåäöæø علي አበበ Жанна";
    data_encoding::HEXLOWER.encode(&name_key(SAMPLE).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(name: &str) -> Vec<u8> {
        name_key(name).expect("a key")
    }

    #[test]
    fn names_are_ordered_and_found_as_swedes_look_them_up() {
        let mut names = ["Östen", "Zahra", "Ärla", "Asa", "Åsa", "al-Hassan", "Bo", "Ali"];
        names.sort_by_key(|name| key(name));
        assert_eq!(names, ["al-Hassan", "Ali", "Asa", "Bo", "Zahra", "Åsa", "Ärla", "Östen"]);
        for (one, other) in [("André", "andre"), ("Al Hassan", "al-hassan"), ("A\u{30a}sa", "Åsa")] {
            assert_eq!(key(one), key(other));
        }
        assert_ne!(key("Åsa"), key("Asa"));
        assert_eq!(name_key("-"), None);
    }

    #[test]
    fn the_key_of_a_beginning_begins_the_key() {
        let names = [
            "Mohammad Reza",
            "Åsa-Britt",
            "Abebe አበበ",
            "علي رضا",
            "Жанна",
            "Nguyễn Văn",
            "ßtraße",
            "Ijsbrand",
            "aaa zzz",
        ];
        for name in names {
            for (end, _) in name.char_indices().skip(1) {
                let Some(beginning) = name_key(&name[..end]) else { continue };
                let whole = key(name);
                assert!(whole.starts_with(&beginning), "{name}: {end}");
                assert!(past_prefix(&beginning).is_none_or(|past| whole < past), "{name}: {end}");
            }
        }
    }

    #[test]
    fn past_a_prefix_is_past_all_that_it_begins() {
        assert_eq!(past_prefix(&[1, 2]), Some(vec![1, 3]));
        assert_eq!(past_prefix(&[1, 255]), Some(vec![2]));
        assert_eq!(past_prefix(&[255]), None);
    }
}
