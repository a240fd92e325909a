//! The situations that a few rules can tell apart, and words for a set of them.
//!
//! A rule can tell two relations, purposes, levels or consents apart only if it names one of them: all that no rule names
//! are decided alike, and one stands for all. What no rule looks at, such as whether the row is the caller's own, is left
//! alone. So few situations stand for all, and none is left out.

use crate::catalogue::GROUPS;
use crate::policy::mentions::Mentions;
use crate::policy::{Consents, Protection, Purpose, Relation, Role, Situation};
use std::collections::BTreeSet;

/// One thing set in a situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Setting {
    Own(bool),
    BreakGlass(bool),
    Consent(&'static str, bool),
    /// A consent to a group that no rule names; this one stands for all.
    OtherConsent(&'static str, bool),
    Missing(bool),
    Protection(Protection),
    Purpose(Purpose),
    Relation(Relation),
}

impl Setting {
    fn on(self, situation: Situation) -> Situation {
        match self {
            Setting::Own(own) => Situation { own, ..situation },
            Setting::BreakGlass(break_glass) => Situation { break_glass, ..situation },
            Setting::Consent(_, false) | Setting::OtherConsent(_, false) => situation,
            Setting::Consent(group, true) | Setting::OtherConsent(group, true) => {
                let consents = situation.consents.and(Consents::from_groups([group].into_iter()));
                Situation { consents, ..situation }
            }
            Setting::Missing(missing) => Situation { missing, ..situation },
            Setting::Protection(protection) => Situation { protection, ..situation },
            Setting::Purpose(purpose) => Situation { purpose, ..situation },
            Setting::Relation(relation) => Situation { relation, ..situation },
        }
    }

    fn code(self) -> &'static str {
        match self {
            Setting::Protection(protection) => protection.code(),
            Setting::Purpose(purpose) => purpose.code(),
            Setting::Relation(relation) => relation.code(),
            Setting::Consent(group, _) | Setting::OtherConsent(group, _) => group,
            Setting::Own(_) | Setting::BreakGlass(_) | Setting::Missing(_) => "",
        }
    }
}

/// The settings of one kind, those together that no rule tells apart.
struct Dimension(Vec<Vec<Setting>>);

/// Every situation of a role, by what the rules concerned can tell apart.
pub(super) struct Space {
    base: Situation,
    /// The least telling first: what can be left out of a condition is left out in this order.
    dimensions: Vec<Dimension>,
}

impl Space {
    /// The space of a role that may state these purposes, under rules that look at these things.
    pub(super) fn of<'a>(role: Role, purposes: &[Purpose], rules: impl Iterator<Item = &'a Mentions>) -> Self {
        let rules: Vec<&Mentions> = rules.collect();
        let looks_at = |attribute: &str| rules.iter().any(|rule| rule.looks_at(attribute));
        let names = |kind: &str, setting: &Setting| rules.iter().any(|rule| rule.names(kind, setting.code()));
        let truths = |attribute: &str, setting: fn(bool) -> Setting| {
            looks_at(attribute).then(|| Dimension(vec![vec![setting(false)], vec![setting(true)]]))
        };
        let codes = |attribute: &str, kind: &str, settings: Vec<Setting>| {
            let (named, others): (Vec<Setting>, Vec<Setting>) =
                settings.into_iter().partition(|setting| looks_at(attribute) && names(kind, setting));
            let choices = named.into_iter().map(|setting| vec![setting]).chain([others]);
            Some(Dimension(choices.filter(|choice| !choice.is_empty()).collect()))
        };
        let consents = consent_dimensions(looks_at("consents"), |setting| names("Consent", setting));
        let dimensions = [truths("own", Setting::Own), truths("breakGlass", Setting::BreakGlass)]
            .into_iter()
            .chain(consents.into_iter().map(Some))
            .chain([
                truths("missing", Setting::Missing),
                codes("protection", "Protection", Protection::ALL.iter().copied().map(Setting::Protection).collect()),
                codes("purpose", "Purpose", purposes.iter().copied().map(Setting::Purpose).collect()),
                codes("relation", "Relation", Relation::ALL.iter().copied().map(Setting::Relation).collect()),
            ]);
        let base = Situation::stranger(role, Purpose::Protect);
        Space { base, dimensions: dimensions.flatten().collect() }
    }

    /// How many situations there are to decide.
    pub(super) fn size(&self) -> usize {
        self.dimensions.iter().map(|dimension| dimension.0.len()).product()
    }

    /// Every place: for each dimension, which choice.
    pub(super) fn points(&self) -> impl Iterator<Item = Vec<usize>> {
        (0..self.size()).map(|mut rest| {
            let place = |dimension: &Dimension| {
                let choices = dimension.0.len();
                let place = rest % choices;
                rest /= choices;
                place
            };
            self.dimensions.iter().map(place).collect()
        })
    }

    /// The situation at a place: the first that stands for those alike.
    pub(super) fn situation(&self, point: &[usize]) -> Situation {
        let chosen =
            self.dimensions.iter().zip(point).filter_map(|(dimension, place)| dimension.0.get(*place)?.first());
        chosen.fold(self.base, |situation, setting| setting.on(situation))
    }

    /// A set of places in words: one condition a line, which together say all of it.
    pub(super) fn tell(&self, points: &BTreeSet<Vec<usize>>) -> Vec<String> {
        let mut left = points.clone();
        let mut lines = Vec::new();
        while let Some(seed) = left.first() {
            let block = self.grow(seed, points);
            left.retain(|point| !holds(&block, point));
            lines.push(self.words(&block));
        }
        lines
    }

    /// The block around a place that holds nothing but places of the set, and cannot grow further.
    fn grow(&self, seed: &[usize], points: &BTreeSet<Vec<usize>>) -> Vec<Vec<usize>> {
        let mut block: Vec<Vec<usize>> = seed.iter().map(|place| vec![*place]).collect();
        for (number, dimension) in self.dimensions.iter().enumerate() {
            let with = |places: Vec<usize>| {
                let mut other = block.clone();
                other.get_mut(number).into_iter().for_each(|own| own.clone_from(&places));
                other
            };
            let fits = |place: &usize| within(&with(vec![*place])).iter().all(|point| points.contains(point));
            block = with((0..dimension.0.len()).filter(fits).collect());
        }
        block
    }

    fn words(&self, block: &[Vec<usize>]) -> String {
        let mut words = Vec::new();
        for (dimension, places) in self.dimensions.iter().zip(block).rev() {
            if places.len() < dimension.0.len() {
                let chosen = places.iter().filter_map(|place| dimension.0.get(*place)).flatten().copied();
                words.extend(told(&chosen.collect::<Vec<_>>()));
            }
        }
        if words.is_empty() { "always".to_owned() } else { format!("when {}", words.join(", ")) }
    }
}

/// A dimension for each group that a rule names, and one for all that none names: a rule may ask whether there is any.
fn consent_dimensions(looked_at: bool, named: impl Fn(&Setting) -> bool) -> Vec<Dimension> {
    if !looked_at {
        return Vec::new();
    }
    let groups = GROUPS.iter().filter(|group| group.consentable).map(|group| group.name);
    let (named, others): (Vec<&str>, Vec<&str>) = groups.partition(|group| named(&Setting::Consent(group, true)));
    let choices = |setting: fn(&'static str, bool) -> Setting| {
        move |group| Dimension(vec![vec![setting(group, false)], vec![setting(group, true)]])
    };
    let others = others.into_iter().take(1).map(choices(Setting::OtherConsent));
    named.into_iter().map(choices(Setting::Consent)).chain(others).collect()
}

fn holds(block: &[Vec<usize>], point: &[usize]) -> bool {
    block.iter().zip(point).all(|(places, place)| places.contains(place))
}

fn within(block: &[Vec<usize>]) -> Vec<Vec<usize>> {
    block.iter().fold(vec![Vec::new()], |points, places| {
        let longer = |point: &Vec<usize>, place: usize| point.iter().copied().chain([place]).collect();
        points.iter().flat_map(|point| places.iter().map(move |place| longer(point, *place))).collect()
    })
}

/// Settings of one kind in words: `known`, `RESPONSIBLE or RECEIVING`, `not NONE`, `missing`.
fn told(settings: &[Setting]) -> Option<String> {
    let either = || settings.iter().map(|setting| setting.code()).collect::<Vec<_>>().join(" or ");
    Some(match settings.first()? {
        Setting::Own(own) => negated(*own, "own entry"),
        Setting::BreakGlass(open) => negated(*open, "break-glass"),
        Setting::Consent(group, given) => negated(*given, &format!("consent to {group}")),
        Setting::OtherConsent(_, given) => negated(*given, "consent to another group"),
        Setting::Missing(missing) => negated(*missing, "missing"),
        Setting::Protection(_) => protections(settings).unwrap_or_else(either),
        Setting::Purpose(_) => format!("for {}", either()),
        Setting::Relation(_) => relations(settings).unwrap_or_else(either),
    })
}

/// A shorter word for no level, or for many.
fn protections(settings: &[Setting]) -> Option<String> {
    let has = |level: &&Protection| settings.contains(&Setting::Protection(**level));
    let (there, missing): (Vec<&Protection>, Vec<&Protection>) = Protection::ALL.iter().partition(has);
    match (there.as_slice(), missing.as_slice()) {
        ([Protection::None], _) => Some("not protected".to_owned()),
        (_, [Protection::None]) => Some("protected".to_owned()),
        (_, [level]) => Some(format!("not {level}")),
        ([Protection::None, _], [one, other]) => Some(format!("not {one} or {other}")),
        _ => None,
    }
}

/// A shorter word for many relations.
fn relations(settings: &[Setting]) -> Option<String> {
    let has = |relation: &Relation| settings.contains(&Setting::Relation(*relation));
    let missing: Vec<&str> =
        Relation::ALL.iter().filter(|relation| !has(relation)).map(|relation| relation.code()).collect();
    match missing.as_slice() {
        ["CONSENTED", "NONE"] => Some("known".to_owned()),
        [] | [_] | [_, _] => Some(format!("not {}", missing.join(" or "))),
        _ => None,
    }
}

fn negated(truth: bool, word: &str) -> String {
    if truth { word.to_owned() } else { format!("not {word}") }
}

#[cfg(test)]
impl Space {
    /// The place of the situation that stands for this one.
    pub(super) fn place(&self, situation: Situation) -> Vec<usize> {
        let named: Vec<&str> =
            self.dimensions.iter().flat_map(|d| d.0.iter().flatten()).filter_map(Setting::named).collect();
        let other = situation.consents.groups().any(|group| !named.contains(&group));
        let holds = |setting: &Setting| match setting {
            Setting::Consent(group, given) => situation.consents.groups().any(|own| own == *group) == *given,
            Setting::OtherConsent(_, given) => other == *given,
            setting => setting.on(situation) == situation,
        };
        let place = |dimension: &Dimension| dimension.0.iter().position(|choice| choice.iter().any(holds));
        self.dimensions.iter().map(|dimension| place(dimension).expect("a place")).collect()
    }
}

#[cfg(test)]
impl Setting {
    fn named(&self) -> Option<&'static str> {
        if let Setting::Consent(group, _) = self { Some(group) } else { None }
    }
}
