//! Which form of a file fits a request: its coding (RFC 9110, section 12.5.3), and whether the caller has it (section 13.1.2).

/// How a file is coded.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Coding {
    Brotli,
    Gzip,
    Identity,
}

impl Coding {
    /// What it is called in headers; nothing where the file is as it is.
    pub(super) const fn token(self) -> Option<&'static str> {
        match self {
            Coding::Brotli => Some("br"),
            Coding::Gzip => Some("gzip"),
            Coding::Identity => None,
        }
    }
}

/// The coding to send of those there are, the first of which is liked best; as it is where the caller takes none of them. A caller
/// that refuses even that is sent it all the same: it can read nothing else.
pub(super) fn best(accepted: &str, there: impl Iterator<Item = Coding>) -> Coding {
    let mut chosen = (Coding::Identity, 0.0);
    for coding in there {
        let weight = coding.token().map_or(0.0, |token| weight(accepted, token));
        if weight > chosen.1 {
            chosen = (coding, weight);
        }
    }
    chosen.0
}

/// How much a coding is wanted: what is said of it counts before what is said of any.
fn weight(accepted: &str, token: &str) -> f32 {
    let said = |name: &str| {
        let mut ranges = accepted.split(',').map(|range| range.split(';').map(str::trim));
        let mut range = ranges.find_map(|mut range| {
            range.next().is_some_and(|coding| coding.eq_ignore_ascii_case(name)).then_some(range)
        })?;
        let weight = range.find_map(|part| part.strip_prefix("q=").or_else(|| part.strip_prefix("Q=")));
        Some(weight.map_or(1.0, |weight| weight.trim().parse().unwrap_or(0.0)))
    };
    said(token).or_else(|| said("*")).unwrap_or(0.0)
}

/// Whether a list of tags names this one, weakly compared.
pub(super) fn names_tag(list: &str, tag: &str) -> bool {
    list.split(',').map(str::trim).any(|known| known == "*" || known.strip_prefix("W/").unwrap_or(known) == tag)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_coding_that_is_wanted_most_is_sent() {
        let both = [Coding::Brotli, Coding::Gzip];
        for (accepted, coding) in [
            ("", Coding::Identity),
            ("gzip, deflate, br, zstd", Coding::Brotli),
            ("gzip, deflate", Coding::Gzip),
            ("br;q=0.5, gzip;q=0.8", Coding::Gzip),
            ("br;q=0, *", Coding::Gzip),
            ("*;q=0", Coding::Identity),
            ("identity;q=0", Coding::Identity),
            ("BR", Coding::Brotli),
            ("gzip;q=nonsense", Coding::Identity),
        ] {
            assert_eq!(best(accepted, both.into_iter()), coding, "{accepted}");
        }
        assert_eq!(best("br", std::iter::empty()), Coding::Identity);
    }

    #[test]
    fn a_tag_is_known_in_a_list_and_weakly() {
        assert!(names_tag("\"b\", W/\"a\"", "\"a\""));
        assert!(names_tag("*", "\"a\""));
        assert!(!names_tag("\"ab\"", "\"a\""));
    }
}
