//! The numbers a child or an organisation is known by: their forms and check rules.
//!
//! None of them says anything reliable about age or sex: the day in a personal number may differ from
//! the true day when numbers run out.

use crate::catalogue::{IdentifierKind, Invalid};
use organisationsnummer::Organisationsnummer;
use personnummer::Personnummer;

impl IdentifierKind {
    /// Brings a number into its normal form.
    ///
    /// # Errors
    ///
    /// [`Invalid::IdentifierForm`] with the form that is asked for, or [`Invalid::CheckDigit`].
    pub fn normalise(self, text: &str) -> Result<String, Invalid> {
        match self {
            IdentifierKind::PersonalNumber => personal_number(text, false),
            IdentifierKind::CoordinationNumber => personal_number(text, true),
            IdentifierKind::DossierNumber => dossier_number(text),
            IdentifierKind::LmaCard => lma_card(text),
        }
    }
}

/// *Personnummer* (folkbokföringslagen 18 §) and *samordningsnummer* (lag 2022:1697, 2 kap. 8 §), the
/// day raised by 60 in the latter: `YYYYMMDDNNNC`. The century must be written; the check digit is
/// Luhn over the ten digits of the short form, the raised day among them.
fn personal_number(text: &str, coordination: bool) -> Result<String, Invalid> {
    let form = Invalid::IdentifierForm(if coordination { "YYYYMMDD-NNNN, day + 60" } else { "YYYYMMDD-NNNN" });
    let digits = digits(text, &[(8, '-')]).filter(|digits| digits.len() == 12).ok_or(form)?;
    let parsed = Personnummer::parse(&digits).map_err(|_| form)?;
    let century = matches!(digits.get(..2), Some("19" | "20"));
    if parsed.is_coordination_number() != coordination || !century || parsed.serial() == 0 {
        return Err(form);
    }
    // The crate's own check leaves the raised day out of the sum, which the statute does not.
    let valid = digits.get(2..).is_some_and(luhn::valid);
    valid.then_some(digits).ok_or(Invalid::CheckDigit)
}

/// *Dossiernummer* of Migrationsverket: `NN-NNNNNN`. No check digit is known.
fn dossier_number(text: &str) -> Result<String, Invalid> {
    let form = Invalid::IdentifierForm("NN-NNNNNN");
    let digits = digits(text, &[(2, '-')]).filter(|digits| digits.len() == 8).ok_or(form)?;
    let (year, number) = digits.split_at(2);
    Ok(format!("{year}-{number}"))
}

/// *LMA-kort*: a dossier number and the running number of the card, `NN-NNNNNN/n`.
fn lma_card(text: &str) -> Result<String, Invalid> {
    let form = Invalid::IdentifierForm("NN-NNNNNN/n");
    let (dossier, running) = text.trim().split_once('/').ok_or(form)?;
    let dossier = dossier_number(dossier).map_err(|_| form)?;
    // Parsing alone would take a sign.
    let digits = running.bytes().all(|b| b.is_ascii_digit());
    let running: u16 = running.parse().map_err(|_| form)?;
    (digits && running > 0).then(|| format!("{dossier}/{running}")).ok_or(form)
}

/// *Organisationsnummer*: `NNNNNN-NNNN`, third digit at least 2, Luhn.
///
/// # Errors
///
/// [`Invalid::IdentifierForm`] or [`Invalid::CheckDigit`].
pub fn organisation_number(text: &str) -> Result<String, Invalid> {
    let form = Invalid::IdentifierForm("NNNNNN-NNNN");
    let digits = digits(text, &[(6, '-')]).filter(|digits| digits.len() == 10).ok_or(form)?;
    let third = digits.as_bytes().get(2).copied().unwrap_or(b'0');
    if third < b'2' {
        return Err(form);
    }
    let valid = Organisationsnummer::parse(&digits).is_ok_and(|number| number.valid());
    let (first, last) = digits.split_at(6);
    valid.then(|| format!("{first}-{last}")).ok_or(Invalid::CheckDigit)
}

/// The digits of a number that may have one separator at each of the places named. Anything else in
/// it, another alphabet's digits included, is refused.
fn digits(text: &str, separators: &[(usize, char)]) -> Option<String> {
    let text = text.trim();
    if !text.is_ascii() || text.len() > 32 {
        return None;
    }
    let separator = |(index, c): &(usize, char)| separators.contains(&(*index, *c));
    let kept: String = text.char_indices().filter(|pair| !separator(pair)).map(|(_, c)| c).collect();
    kept.bytes().all(|b| b.is_ascii_digit()).then_some(kept)
}

#[cfg(test)]
mod tests {
    use super::*;
    use IdentifierKind::*;

    #[test]
    fn numbers_are_brought_into_their_normal_form() {
        let cases = [
            (PersonalNumber, "20100101-9809", "201001019809"),
            (PersonalNumber, " 201001019809 ", "201001019809"),
            (CoordinationNumber, "20100161-9806", "201001619806"),
            (CoordinationNumber, "200902739804", "200902739804"),
            (DossierNumber, "12345678", "12-345678"),
            (LmaCard, "12-345678/3", "12-345678/3"),
        ];
        for (kind, input, normal) in cases {
            assert_eq!(kind.normalise(input).as_deref(), Ok(normal), "{input}");
        }
        assert_eq!(organisation_number("2021002163").as_deref(), Ok("202100-2163"));
        for sample in ["202100-0076", "212000-0142", "212000-1124", "802002-8638"] {
            assert_eq!(organisation_number(sample).as_deref(), Ok(sample));
        }
    }

    #[test]
    fn wrong_numbers_are_told_apart() {
        let form = |kind: IdentifierKind, text: &str| matches!(kind.normalise(text), Err(Invalid::IdentifierForm(_)));
        assert_eq!(PersonalNumber.normalise("20100101-9808"), Err(Invalid::CheckDigit));
        assert_eq!(CoordinationNumber.normalise("20100161-9805"), Err(Invalid::CheckDigit));
        assert!(form(PersonalNumber, "20100161-9806"), "a coordination number is not a personal number");
        assert!(form(CoordinationNumber, "20100101-9809"));
        assert!(form(PersonalNumber, "100101-9809"), "the century must be written");
        assert!(form(PersonalNumber, "20100230-9809"), "no such day");
        assert!(form(PersonalNumber, "٢٠١٠٠١٠١٩٨٠٩"), "digits of another alphabet");
        assert!(form(PersonalNumber, "2010-0101-9809"));
        assert!(form(DossierNumber, "1-2345678"));
        assert!(form(LmaCard, "12-345678/0") && form(LmaCard, "12-345678") && form(LmaCard, "12-345678/+1"));
        assert_eq!(organisation_number("202100-2164"), Err(Invalid::CheckDigit));
        assert!(matches!(organisation_number("201000-2163"), Err(Invalid::IdentifierForm(_))));
    }
}
