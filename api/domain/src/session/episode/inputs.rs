//! Reading what a caller tells of a missing child: all that is wrong is told at once.

use super::{NewEpisode, SearchUpdate};
use crate::agency::AgencyKind;
use crate::catalogue::{Kind, Value};
use crate::episode::State;
use crate::error::{Error, ErrorCode, Refusal};
use crate::ids::AgencyId;
use crate::policy::Role;
use crate::session::step::Step;
use crate::store::EpisodeRow;
use serde_json::Value as Json;
use uuid::Uuid;

/// A line: a place, a contact, a reference.
pub(super) const LINE: usize = 200;
/// What happened, in the caller's words.
pub(super) const PROSE: usize = 4000;
/// How many characters a police number has at most.
pub(super) const NUMBER_FORM: &str = "NNNN-Kn…n-YY";

/// Inputs as they are checked: everything that is wrong is told at once.
#[derive(Default)]
pub(in crate::session) struct Inputs(Vec<Refusal>);

impl Inputs {
    /// A text of so many characters at most.
    pub(in crate::session) fn text(&mut self, path: &[&str], text: Option<&str>, most: usize) -> Option<String> {
        match Kind::Text(most).read(&Json::from(text?)) {
            Ok(Value::Text(text)) => Some(text),
            Ok(_) => None,
            Err((_, invalid)) => {
                self.0.push(Refusal::of_value(path.iter().map(|part| (*part).to_owned()).collect(), invalid));
                None
            }
        }
    }

    /// Something that has happened happened not ahead of now.
    pub(super) fn past(&mut self, path: &[&str], at: i64, now: i64) -> i64 {
        if at > now {
            self.0.push(Refusal::at(ErrorCode::DateOrder, path.iter().copied()).expecting("not ahead of now"));
        }
        at
    }

    pub(in crate::session) fn refuse(&mut self, refusal: Refusal) {
        self.0.push(refusal);
    }

    /// Keeps what is refused of a value, and passes on what failed.
    pub(super) fn gather<T>(&mut self, result: Result<T, Error>) -> Result<Option<T>, Error> {
        match result {
            Ok(value) => Ok(Some(value)),
            Err(Error::Refused(more)) => {
                self.0.extend(more);
                Ok(None)
            }
            Err(other) => Err(other),
        }
    }

    pub(in crate::session) fn checked(self) -> Result<(), Error> {
        if self.0.is_empty() { Ok(()) } else { Err(Error::Refused(self.0)) }
    }
}

impl<'s> Step<'s> {
    /// Checks a report, and makes the row of it.
    pub(super) async fn read_report(
        &self,
        id: Uuid,
        new: &NewEpisode,
    ) -> Result<(EpisodeRow, Option<AgencyId>), Error> {
        let mut inputs = Inputs::default();
        let mut row = EpisodeRow::new(id, Uuid::nil(), State::Suspected, self.now);
        row.opened_by = Some(self.caller.agency.id);
        row.last_seen_at = Some(inputs.past(&["input", "lastSeenAt"], new.last_seen_at, self.now));
        row.last_seen_place = inputs.text(&["input", "lastSeenPlace"], new.last_seen_place.as_deref(), LINE);
        row.circumstances = inputs.text(&["input", "circumstances"], new.circumstances.as_deref(), PROSE);
        row.clothing = inputs.text(&["input", "clothing"], new.clothing.as_deref(), PROSE);
        let police = self.named_police(new.police_agency.as_deref(), &["input", "policeAgencyId"]).await;
        let police = inputs.gather(police)?.flatten();
        inputs.checked()?;
        Ok((row, police))
    }

    pub(super) async fn named_police(&self, id: Option<&str>, path: &[&str]) -> Result<Option<AgencyId>, Error> {
        let Some(id) = id else { return Ok(None) };
        let wrong = |_| Error::refused_for(ErrorCode::InvalidId, path.iter().copied(), AgencyId::PREFIX);
        self.agency_of(id.parse().map_err(wrong)?, &[AgencyKind::Police], path).await.map(Some)
    }

    pub(super) fn police(&self) -> Vec<AgencyId> {
        let police = self.hub.agencies().into_iter().filter(|agency| agency.kind == AgencyKind::Police);
        police.map(|agency| agency.id).collect()
    }

    /// F56 and F57 are the police's to tell.
    pub(super) fn only_police(&self, new: &SearchUpdate) -> Result<(), Error> {
        if self.caller.role == Role::PoliceMissing {
            return Ok(());
        }
        let given = [
            ("assessment", new.assessment.is_some()),
            ("measures", new.measures.is_some()),
            ("wantedEntry", new.wanted_entry.is_some()),
        ];
        let refusal = |name: &str| Refusal::at(ErrorCode::Forbidden, [name]).expecting(Role::PoliceMissing.code());
        let refusals: Vec<Refusal> =
            given.iter().filter(|(_, is_given)| *is_given).map(|(name, _)| refusal(name)).collect();
        if refusals.is_empty() { Ok(()) } else { Err(Error::Refused(refusals)) }
    }
}

/// `NNNN-Kn…n-YY`, the police's *diarienummer*: one to seven digits after the K. It has no check digit.
pub(super) fn is_police_number(number: &str) -> bool {
    let digits = |text: &str, sizes: std::ops::RangeInclusive<usize>| {
        sizes.contains(&text.len()) && text.bytes().all(|byte| byte.is_ascii_digit())
    };
    let mut parts = number.split('-');
    let (region, matter, year, rest) = (parts.next(), parts.next(), parts.next(), parts.next());
    let matter = matter.and_then(|matter| matter.strip_prefix('K'));
    rest.is_none()
        && region.is_some_and(|region| digits(region, 4..=4))
        && matter.is_some_and(|matter| digits(matter, 1..=7))
        && year.is_some_and(|year| digits(year, 2..=2))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_police_number_has_one_form() {
        for number in ["2200-K1276-14", "5000-K1-26", "5000-K1234567-26"] {
            assert!(is_police_number(number), "{number}");
        }
        let wrong = [
            "",
            "2200-1276-14",
            "2200-K-14",
            "2200-K12345678-14",
            "220-K1-14",
            "2200-K1-2014",
            "2200-K1-14-1",
            "２２００-K1-14",
            "2200-K1-14 ",
            "2200-k1-14",
        ];
        for number in wrong {
            assert!(!is_police_number(number), "{number}");
        }
    }
}
