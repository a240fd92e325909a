//! Reference data of the product: Sweden's municipalities and counties.

use std::collections::BTreeMap;
use std::sync::LazyLock;

/// A municipality (*kommun*).
#[derive(Debug, PartialEq, Eq)]
pub struct Municipality {
    /// Four digits: the county's two, then two.
    pub code: &'static str,
    pub name: &'static str,
    /// The county it lies in.
    pub county: &'static str,
}

/// A county (*län*).
#[derive(Debug, PartialEq, Eq)]
pub struct County {
    /// Two digits.
    pub code: &'static str,
    pub name: &'static str,
}

struct Reference {
    municipalities: BTreeMap<&'static str, Municipality>,
    counties: BTreeMap<&'static str, County>,
}

static REFERENCE: LazyLock<Reference> = LazyLock::new(|| {
    let mut reference = Reference { municipalities: BTreeMap::new(), counties: BTreeMap::new() };
    for line in include_str!("../data/municipalities.tsv").lines().skip(1) {
        let mut columns = line.split('\t');
        if let (Some(code), Some(name), Some(county), Some(county_name)) =
            (columns.next(), columns.next(), columns.next(), columns.next())
        {
            reference.municipalities.insert(code, Municipality { code, name, county });
            reference.counties.insert(county, County { code: county, name: county_name });
        }
    }
    reference
});

/// The municipality with this four-digit code.
pub fn municipality(code: &str) -> Option<&'static Municipality> {
    REFERENCE.municipalities.get(code)
}

/// Every municipality, by code.
pub fn municipalities() -> impl Iterator<Item = &'static Municipality> {
    REFERENCE.municipalities.values()
}

/// The county with this two-digit code.
pub fn county(code: &str) -> Option<&'static County> {
    REFERENCE.counties.get(code)
}

/// Every county, by code.
pub fn counties() -> impl Iterator<Item = &'static County> {
    REFERENCE.counties.values()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sweden_has_290_municipalities_in_21_counties() {
        assert_eq!((municipalities().count(), counties().count()), (290, 21));
        assert!(municipalities().all(|m| m.code.len() == 4 && m.code.starts_with(m.county)));
        assert_eq!(municipality("1280").map(|m| m.name), Some("Malmö"));
        assert_eq!(county("12").map(|c| c.name), Some("Skåne län"));
        assert_eq!(municipality("9999"), None);
    }
}
