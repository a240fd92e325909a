//! What a change of policy opens and closes, for whom and when: the review of a change, for people.
//!
//! Not a sample: both engines decide every situation that the rules can tell apart ([`space`]). What no rule that differs
//! concerns is not asked about.

mod space;

use super::mentions::Mentions;
use super::schema::applies;
use super::vocabulary::{Act, Purpose, Role, Verb};
use super::{Engine, Operation, Rule, Situation};
use crate::catalogue::{FieldId, GROUPS};
use space::Space;
use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::fmt::Write;

/// What somebody may do with a child's record or with the hub.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Deed {
    Declare,
    Operate(Operation),
    Know,
    Act(Act),
    Field(Verb, FieldId),
}

/// What comes of it in one situation.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Outcome {
    Open,
    /// Closed, and the caller is told so.
    Closed,
    /// Closed, and it looks as if there were nothing.
    Silent,
    /// Closed with the child itself, or with the purpose that the role may not state.
    Unknown,
}

/// How the outcome differs.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Change {
    Opens,
    Closes,
    Hides,
    Tells,
}

impl Change {
    fn between(old: Outcome, new: Outcome) -> Option<Change> {
        match (old, new) {
            (Outcome::Open, Outcome::Open) => None,
            (_, Outcome::Open) => Some(Change::Opens),
            (Outcome::Open, _) => Some(Change::Closes),
            (Outcome::Closed, Outcome::Silent) => Some(Change::Hides),
            (Outcome::Silent, Outcome::Closed) => Some(Change::Tells),
            _ => None,
        }
    }

    const fn heading(self) -> &'static str {
        match self {
            Change::Opens => "OPENS",
            Change::Closes => "CLOSES",
            Change::Hides => "LOOKS EMPTY, and was told of as withheld",
            Change::Tells => "IS TOLD OF as withheld, and looked empty",
        }
    }
}

/// One of the two policies, with what its rules look at.
struct Side<'a> {
    engine: &'a Engine,
    rules: Vec<(&'a Rule, Mentions)>,
    /// The purposes that each role may state.
    declared: HashSet<(Role, Purpose)>,
}

impl<'a> Side<'a> {
    fn new(engine: &'a Engine) -> Self {
        let every = Role::ALL.iter().flat_map(|role| Purpose::ALL.iter().map(|purpose| (*role, *purpose)));
        Side {
            engine,
            rules: engine.rules().iter().map(|rule| (rule, Mentions::of(rule))).collect(),
            declared: every.filter(|(role, purpose)| engine.may_declare(*role, *purpose)).collect(),
        }
    }

    /// The rules that have a say in the deed.
    fn concerned(&self, role: Role, deed: Deed) -> impl Iterator<Item = &(&'a Rule, Mentions)> {
        self.rules.iter().filter(move |(rule, _)| rule.scope.covers_role(role) && deed.rests_on(rule))
    }

    fn declares(&self, role: Role, purpose: Purpose) -> bool {
        self.declared.contains(&(role, purpose))
    }

    fn outcome(&self, deed: Deed, situation: Situation) -> Outcome {
        let decisions = self.engine.decide(situation);
        let open = match deed {
            _ if !self.declares(situation.role, situation.purpose) => return Outcome::Unknown,
            Deed::Declare => true,
            Deed::Operate(operation) => self.engine.may(operation, situation.role, situation.purpose),
            Deed::Field(Verb::Submit, id) => decisions.submittable.contains(id),
            _ if !self.knows(situation) => return Outcome::Unknown,
            Deed::Know => true,
            Deed::Act(act) => decisions.may(act).is_ok(),
            Deed::Field(Verb::Read, id) if decisions.silent.contains(id) => return Outcome::Silent,
            Deed::Field(Verb::Read, id) => decisions.shown.contains(id),
            Deed::Field(Verb::Write, id) => decisions.writable.contains(id),
            Deed::Field(Verb::Search, id) => decisions.searchable.contains(id) && decisions.shown.contains(id),
        };
        if open { Outcome::Open } else { Outcome::Closed }
    }

    /// The child is known before a row of it is looked at.
    fn knows(&self, situation: Situation) -> bool {
        self.engine.decide(Situation { own: false, ..situation }).known
    }
}

impl Deed {
    fn all() -> impl Iterator<Item = Deed> {
        let operations = Operation::ALL.map(Deed::Operate);
        let acts = Act::ALL.iter().copied().map(Deed::Act);
        let fields = Verb::ALL.iter().flat_map(|verb| {
            let fields = FieldId::all().filter(|id| applies(*id, *verb));
            fields.map(|id| Deed::Field(*verb, id))
        });
        [Deed::Declare].into_iter().chain(operations).chain([Deed::Know]).chain(acts).chain(fields)
    }

    /// Whether the rule has a say in it: as what it names, as the purpose that must be stated first, or as the child that
    /// must be known first.
    fn rests_on(self, rule: &Rule) -> bool {
        let named = |action| rule.scope.names(action);
        named("declare")
            || match self {
                Deed::Declare => false,
                Deed::Operate(operation) => named(operation.action()),
                Deed::Know => named("know"),
                Deed::Act(act) => named("know") || named(act.code()),
                Deed::Field(Verb::Submit, id) => rule.scope.covers_field(Verb::Submit, id),
                Deed::Field(Verb::Search, id) => {
                    named("know") || [Verb::Search, Verb::Read].iter().any(|verb| rule.scope.covers_field(*verb, id))
                }
                Deed::Field(verb, id) => named("know") || rule.scope.covers_field(verb, id),
            }
    }
}

/// What differs in one way, and when.
struct Difference {
    change: Change,
    /// One condition a line; they say all of it together.
    when: Vec<String>,
    deeds: Vec<Deed>,
}

/// What differs for one role.
#[derive(Default)]
struct Differences {
    found: Vec<Difference>,
    compared: usize,
}

impl Differences {
    fn of(role: Role, old: &Side, new: &Side) -> Self {
        let mut differences = Differences::default();
        let purposes: Vec<Purpose> =
            Purpose::ALL.iter().copied().filter(|p| old.declares(role, *p) || new.declares(role, *p)).collect();
        for deed in Deed::all().filter(|deed| rules_differ(role, *deed, old, new)) {
            let mentions = old.concerned(role, deed).chain(new.concerned(role, deed)).map(|(_, mentions)| mentions);
            // Which purposes may be stated is itself told; with all else, `always` means for those.
            let purposes = if matches!(deed, Deed::Declare | Deed::Operate(_)) { Purpose::ALL } else { &purposes };
            let space = Space::of(role, purposes, mentions);
            let change = |point: Vec<usize>| {
                let situation = space.situation(&point);
                Some((point, Change::between(old.outcome(deed, situation), new.outcome(deed, situation))?))
            };
            differences.note(deed, &space, &space.points().filter_map(change).collect::<Vec<_>>());
            differences.compared += space.size();
        }
        differences
    }

    fn lines(&self, change: Change) -> String {
        let mut text = String::new();
        for own in self.found.iter().filter(|own| own.change == change) {
            _ = writeln!(text, "    {}", sentence(&own.deeds));
            for condition in &own.when {
                _ = writeln!(text, "      {condition}");
            }
        }
        text
    }

    fn note(&mut self, deed: Deed, space: &Space, changes: &[(Vec<usize>, Change)]) {
        for change in [Change::Opens, Change::Closes, Change::Hides, Change::Tells] {
            let points: BTreeSet<Vec<usize>> =
                changes.iter().filter(|(_, own)| *own == change).map(|(point, _)| point.clone()).collect();
            if !points.is_empty() {
                let when = space.tell(&points);
                match self.found.iter_mut().find(|own| own.change == change && own.when == when) {
                    Some(own) => own.deeds.push(deed),
                    None => self.found.push(Difference { change, when, deeds: vec![deed] }),
                }
            }
        }
    }
}

/// Whether the two have other rules for the deed. Where they have not, they decide alike.
fn rules_differ(role: Role, deed: Deed, old: &Side, new: &Side) -> bool {
    let texts = |side: &Side| -> BTreeSet<String> {
        side.concerned(role, deed).map(|(rule, _)| format!("{} {}", rule.silent, rule.text)).collect()
    };
    texts(old) != texts(new)
}

/// What the change from one policy to another opens and closes: by role, what and when. Made for the eye; a test reads it
/// as well.
pub fn diff(old: &Engine, new: &Engine) -> String {
    let mut text = String::new();
    write_rules(&mut text, old, new);
    let (old, new) = (Side::new(old), Side::new(new));
    let roles: Vec<(Role, Differences)> =
        Role::ALL.iter().map(|role| (*role, Differences::of(*role, &old, &new))).collect();
    for change in [Change::Opens, Change::Closes, Change::Hides, Change::Tells] {
        write_change(&mut text, change, &roles);
    }
    if roles.iter().all(|(_, differences)| differences.found.is_empty()) {
        text.push_str("\nnothing opens and nothing closes\n");
    }
    let compared: usize = roles.iter().map(|(_, differences)| differences.compared).sum();
    _ = writeln!(text, "\n{compared} decisions compared: all that a changed rule has a say in");
    text
}

/// Which rules came, went and changed.
fn write_rules(text: &mut String, old: &Engine, new: &Engine) {
    let texts = |engine: &Engine| -> BTreeMap<String, String> {
        engine.rules().iter().map(|rule| (rule.id.clone(), rule.text.clone())).collect()
    };
    let (before, after) = (texts(old), texts(new));
    let ids: BTreeSet<&String> = before.keys().chain(after.keys()).collect();
    text.push_str("RULES\n");
    let mut same = true;
    for id in ids {
        let mark = match (before.get(id), after.get(id)) {
            (None, _) => "+",
            (_, None) => "-",
            (Some(before), Some(after)) if before != after => "~",
            _ => continue,
        };
        same = false;
        _ = writeln!(text, "  {mark} {id}");
    }
    if same {
        text.push_str("  the same\n");
    }
}

/// One way of changing: what and when, for the roles for which all of it is the same.
fn write_change(text: &mut String, change: Change, roles: &[(Role, Differences)]) {
    let mut told: Vec<(String, Vec<&str>)> = Vec::new();
    for (role, differences) in roles {
        let lines = differences.lines(change);
        match told.iter_mut().find(|(others, _)| *others == lines) {
            _ if lines.is_empty() => {}
            Some((_, roles)) => roles.push(role.code()),
            None => told.push((lines, vec![role.code()])),
        }
    }
    if !told.is_empty() {
        _ = writeln!(text, "\n{}", change.heading());
    }
    for (lines, roles) in told {
        _ = write!(text, "  {}\n{lines}", roles.join(", "));
    }
}

/// `read placementAddress, health.criticalNeeds; search by lmaCard`: a group where all of it is meant.
fn sentence(deeds: &[Deed]) -> String {
    let mut parts: Vec<String> = Vec::new();
    for deed in deeds {
        match deed {
            Deed::Declare => parts.push("state a purpose".to_owned()),
            Deed::Operate(operation) => parts.push(operation.action().to_owned()),
            Deed::Know => parts.push("know that the child is in the hub".to_owned()),
            Deed::Act(act) => parts.push(act.code().to_owned()),
            Deed::Field(..) => {}
        }
    }
    for (verb, words) in
        [(Verb::Read, "read"), (Verb::Write, "write"), (Verb::Submit, "hand in"), (Verb::Search, "search by")]
    {
        let names = field_names(deeds, verb);
        if !names.is_empty() {
            parts.push(format!("{words} {}", names.join(", ")));
        }
    }
    parts.join("; ")
}

fn field_names(deeds: &[Deed], verb: Verb) -> Vec<String> {
    let meant = |id: &FieldId| deeds.contains(&Deed::Field(verb, *id));
    let fields = || FieldId::all().filter(|id| applies(*id, verb));
    if fields().all(|id| meant(&id)) {
        return vec!["everything".to_owned()];
    }
    let mut names = Vec::new();
    for group in &GROUPS {
        let own: Vec<FieldId> = fields().filter(|id| id.field().group == group.name).collect();
        if !own.is_empty() && own.iter().all(meant) {
            names.push(group.name.to_owned());
        } else {
            names.extend(own.iter().filter(|id| meant(id)).map(ToString::to_string));
        }
    }
    names
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::policy::{Consents, Protection, Relation};

    /// The product's policies without some, and with another.
    fn changed(without: &[&str], with: &str) -> Engine {
        let kept = Engine::embedded().rules().iter().filter(|rule| !without.contains(&rule.id.as_str()));
        let text: String = kept.map(|rule| format!("{}\n\n", rule.text)).collect();
        Engine::load([("kept.cedar", text.as_str()), ("new.cedar", with)]).expect("sound policies")
    }

    fn annotated(id: &str, policy: &str) -> String {
        format!("@id({id:?})\n@basis(\"-\")\n@sv(\"-\")\n@en(\"-\")\n{policy}")
    }

    fn school_reads_the_home_of_a_missing_child() -> Engine {
        let policy = r#"permit (principal == Role::"SCHOOL", action in Action::"read.placementUnit", resource)
            when { context.relation == Relation::"INVOLVED" && resource.missing };"#;
        changed(&[], &annotated("school-read-placement-unit", policy))
    }

    #[test]
    fn the_same_rules_open_and_close_nothing() {
        let text = diff(Engine::embedded(), Engine::embedded());
        assert!(text.contains("RULES\n  the same\n\nnothing opens and nothing closes\n\n0 decisions"), "{text}");
    }

    #[test]
    fn a_permit_opens_to_whom_what_and_when_and_its_loss_closes_the_same() {
        let new = school_reads_the_home_of_a_missing_child();
        let told = "  SCHOOL\n    read placement.unitName, placement.unitAgency, placement.operatorNumber\n      \
                    when INVOLVED, missing\n    read placement.earlier\n      when INVOLVED, not protected, missing\n";
        let opens = diff(Engine::embedded(), &new);
        assert!(opens.starts_with("RULES\n  + school-read-placement-unit\n\nOPENS\n"), "{opens}");
        assert!(opens.contains(told) && !opens.contains("CLOSES"), "{opens}");
        let closes = diff(&new, Engine::embedded());
        assert!(closes.contains(&format!("CLOSES\n{told}")) && !closes.contains("OPENS"), "{closes}");
    }

    #[test]
    fn a_lost_forbid_is_told_by_role_group_and_condition() {
        let text = diff(Engine::embedded(), &changed(&["protected-identity"], ""));
        assert!(text.contains("  - protected-identity\n\nOPENS\n"), "{text}");
        let partner = "  PARTNER\n    read childContact\n      when CONSENTED, protected, consent to childContact\n";
        assert!(text.contains(partner), "{text}");
        assert!(!text.contains("SOCIAL_SERVICES"), "it closed nothing to them: {text}");
        assert!(!text.contains("write"), "{text}");
    }

    #[test]
    fn what_only_looks_different_is_told_apart() {
        let told = changed(&["silent-protection"], "");
        let text = diff(Engine::embedded(), &told);
        assert!(!text.contains("OPENS") && !text.contains("CLOSES"), "{text}");
        assert!(text.contains("IS TOLD OF") && text.contains("    read protection\n"), "{text}");
        assert!(diff(&told, Engine::embedded()).contains("LOOKS EMPTY"));
    }

    #[test]
    fn a_purpose_opens_what_the_role_reads_for_it() {
        let policy = r#"permit (principal == Role::"POLICE_MISSING", action == Action::"declare", resource is Hub)
            when { context.purpose == Purpose::"RETURN" };"#;
        let text = diff(Engine::embedded(), &changed(&[], &annotated("police-missing-declare-return", policy)));
        let told = "    state a purpose; readOwnLog; hand in riskIndicators\n      when for RETURN\n    \
                    know that the child is in the hub; read identity\n      when known, for RETURN\n      \
                    when for RETURN, break-glass\n";
        assert!(text.contains(told) && !text.contains("description"), "a return opens no description: {text}");
    }

    /// The few situations that stand for all do stand for all.
    #[test]
    fn no_situation_is_left_out() {
        let policy = r#"permit (principal == Role::"PARTNER", action in Action::"read.description", resource)
            when { !context.consents.isEmpty() && [Relation::"CONSENTED", Relation::"ENDED"].contains(context.relation) }
            unless { context.purpose == Purpose::"SEARCH" && !resource.missing };"#;
        let new = changed(&["partner-read-description"], &annotated("partner-read-description", policy));
        let (old, new) = (Side::new(Engine::embedded()), Side::new(&new));
        let deed = Deed::Field(Verb::Read, FieldId::by_path("description.marks").expect("a field"));
        let differences = Differences::of(Role::Partner, &old, &new);
        assert!(differences.compared < 1_000, "{} for three fields", differences.compared);
        let mentions = old.concerned(Role::Partner, deed).chain(new.concerned(Role::Partner, deed)).map(|(_, m)| m);
        let space = Space::of(Role::Partner, &[Purpose::Protect, Purpose::Search], mentions);
        let change = |situation| Change::between(old.outcome(deed, situation), new.outcome(deed, situation));
        let mut opened = 0;
        for situation in every_situation_of_a_partner() {
            let representative = space.situation(&space.place(situation));
            assert_eq!(change(situation), change(representative), "{situation:?} as {representative:?}");
            opened += usize::from(change(situation) == Some(Change::Opens));
        }
        assert!(opened > 0);
    }

    fn every_situation_of_a_partner() -> impl Iterator<Item = Situation> {
        let groups = ["identity", "voice", "description"].map(|group| Consents::from_groups([group].into_iter()));
        let consents = groups.into_iter().chain([Consents::NONE, Consents::all()]);
        consents.flat_map(|consents| {
            let purposes = [Purpose::Protect, Purpose::Search].into_iter();
            let base =
                purposes.map(move |purpose| Situation { consents, ..Situation::stranger(Role::Partner, purpose) });
            let bases = base.flat_map(|s| [false, true].map(|missing| Situation { missing, ..s }));
            let bases = bases.flat_map(|s| [false, true].map(|own| Situation { own, ..s }));
            let bases = bases
                .flat_map(|s| [Protection::None, Protection::Local].map(|protection| Situation { protection, ..s }));
            bases.flat_map(|s| Relation::ALL.iter().map(move |relation| Situation { relation: *relation, ..s }))
        })
    }
}
