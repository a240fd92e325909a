//! The policy for people: the golden matrix, and the answer to "why".

use super::rules::RuleId;
use super::vocabulary::{Act, Consents, Protection, Purpose, Relation, Role};
use super::{Decisions, Engine, Situation};
use crate::catalogue::{FieldId, GROUPS};
use std::fmt::Write;
use std::sync::Arc;

/// A heading, and what it changes in the plain situation of a role.
type Column = (&'static str, fn(Situation) -> Situation);

/// The situations that the matrix shows, by the heading of their column.
const COLUMNS: [Column; 16] = [
    ("resp", |s| Situation { relation: Relation::Responsible, ..s }),
    ("recv", |s| Situation { relation: Relation::Receiving, ..s }),
    ("inv", |s| Situation { relation: Relation::Involved, ..s }),
    ("form", |s| Situation { relation: Relation::Former, ..s }),
    ("end", |s| Situation { relation: Relation::Ended, ..s }),
    ("own", |s| Situation { relation: Relation::Involved, own: true, ..s }),
    ("miss", |s| Situation { relation: Relation::Involved, missing: true, ..s }),
    ("mark", |s| Situation { relation: Relation::Involved, protection: Protection::Marked, ..s }),
    ("mk+mi", |s| Situation { relation: Relation::Involved, protection: Protection::Marked, missing: true, ..s }),
    ("regi", |s| Situation { relation: Relation::Responsible, protection: Protection::Registered, ..s }),
    ("retn", |s| Situation { relation: Relation::Involved, purpose: Purpose::Return, ..s }),
    ("glass", |s| Situation { break_glass: true, ..s }),
    ("cons", |s| Situation { relation: Relation::Consented, consents: Consents::all(), ..s }),
    ("co+mi", |s| Situation { relation: Relation::Consented, consents: Consents::all(), missing: true, ..s }),
    ("co+mk", |s| Situation {
        relation: Relation::Consented,
        consents: Consents::all(),
        protection: Protection::Marked,
        ..s
    }),
    ("none", |s| s),
];

const LEGEND: &str = "\
# Who may see what: role by role, a group of fields a line, a situation a column.
#
#   R shown   . withheld, and says so   ~ withheld, and looks empty   (blank) the child itself is unknown
#   w may write   + may hand in without reading   ? may find a child by it   x may do it
#
# resp RESPONSIBLE  recv RECEIVING  inv INVOLVED  form FORMER  end ENDED  none NONE
# own: INVOLVED, own entry   miss: INVOLVED, missing   mark: INVOLVED, MARKED   mk+mi: both
# regi: RESPONSIBLE, REGISTERED   retn: INVOLVED, purpose RETURN (as if declared)   glass: NONE, break-glass
# cons: CONSENTED to every group   co+mi: and missing   co+mk: and MARKED
#
# Behind each line: the rules that decide on reading it, in the order of the columns.
# Made by `samverka policy matrix`; a test proves it current. Its diff is the review of a policy change.
";

/// The golden matrix: role × group × situation → shown, withheld or silent, and by which rules.
pub fn matrix(engine: &Engine) -> String {
    let mut text = String::from(LEGEND);
    for role in Role::ALL {
        let purposes: Vec<&str> =
            Purpose::ALL.iter().filter(|p| engine.may_declare(*role, **p)).map(|p| p.code()).collect();
        _ = writeln!(
            text,
            "\n## {role}  purposes: {}",
            if purposes.is_empty() { "none".into() } else { purposes.join(" ") }
        );
        let base = Situation::stranger(*role, first_purpose(engine, *role));
        let decided: Vec<Arc<Decisions>> = COLUMNS.iter().map(|(_, column)| engine.decide(column(base))).collect();
        if decided.iter().all(|d| !d.known && d.shown.is_empty() && d.submittable.is_empty()) {
            text.push_str("knows of no child\n");
            continue;
        }
        let headings: String = COLUMNS.iter().map(|(name, _)| format!("{name:<6}")).collect();
        _ = writeln!(text, "{:<34}{}", "", headings.trim_end());
        for (label, id) in rows(&decided) {
            write_row(&mut text, engine, &label, id, &decided);
        }
        for act in Act::ALL.iter().filter(|act| decided.iter().any(|d| d.may(**act).is_ok())) {
            let cell = |d: &Arc<Decisions>| if d.may(*act).is_ok() { "x" } else { "" };
            let cells: String = decided.iter().map(|d| format!("{:<6}", cell(d))).collect();
            _ = writeln!(text, "{:<34}{}", act.code(), cells.trim_end());
        }
    }
    text
}

fn first_purpose(engine: &Engine, role: Role) -> Purpose {
    let declared = Purpose::ALL.iter().copied().find(|purpose| engine.may_declare(role, *purpose));
    declared.unwrap_or(Purpose::Protect)
}

/// A line for each group; for each of its fields where they differ.
fn rows(decided: &[Arc<Decisions>]) -> Vec<(String, FieldId)> {
    let mut rows = Vec::new();
    for group in &GROUPS {
        let fields: Vec<FieldId> = FieldId::all().filter(|id| id.field().group == group.name).collect();
        let Some(first) = fields.first().copied() else { continue };
        let alike = |id: &FieldId| {
            decided.iter().all(|d| cell(d, *id) == cell(d, first) && d.read_rule(*id) == d.read_rule(first))
        };
        if fields.iter().all(alike) {
            rows.push((group.name.to_owned(), first));
        } else {
            rows.extend(fields.iter().map(|id| (id.to_string(), *id)));
        }
    }
    rows
}

fn cell(decisions: &Decisions, id: FieldId) -> String {
    let mut cell = String::new();
    cell.push(if decisions.shown.contains(id) {
        'R'
    } else if !decisions.known {
        ' '
    } else if decisions.silent.contains(id) {
        '~'
    } else {
        '.'
    });
    for (set, mark) in [(decisions.writable, 'w'), (decisions.submittable, '+'), (decisions.searchable, '?')] {
        if set.contains(id) {
            cell.push(mark);
        }
    }
    cell
}

fn write_row(text: &mut String, engine: &Engine, label: &str, id: FieldId, decided: &[Arc<Decisions>]) {
    let cells: String = decided.iter().map(|d| format!("{:<6}", cell(d, id))).collect();
    let mut rules: Vec<&str> = Vec::new();
    for decisions in decided.iter().filter(|d| d.known) {
        let rule = decisions.read_rule(id);
        let name = engine.rule(rule).id.as_str();
        if rule != RuleId::DEFAULT && !rules.contains(&name) {
            rules.push(name);
        }
    }
    _ = writeln!(text, "{label:<34}{cells}  {}", rules.join(" "));
    while text.ends_with(" \n") {
        text.truncate(text.len() - 2);
        text.push('\n');
    }
}

/// Why a role sees a field or not: the decision in each purpose it may state, and the rules behind it.
pub fn explain(engine: &Engine, situation: Situation, id: FieldId) -> String {
    let field = id.field();
    let mut text = String::new();
    _ = writeln!(text, "{id} ({}, {}): {}", field.number, field.sv, field.en);
    _ = writeln!(text, "group {}, asked as {} / {}", field.group, situation.role, situation.relation);
    let mut named = Vec::new();
    for purpose in Purpose::ALL.iter().filter(|purpose| engine.may_declare(situation.role, **purpose)) {
        let decisions = engine.decide(Situation { purpose: *purpose, ..situation });
        let outcome = if !decisions.known {
            "the child is unknown to the caller"
        } else if decisions.shown.contains(id) {
            "shown"
        } else if decisions.silent.contains(id) {
            "withheld, and looks empty"
        } else {
            "withheld"
        };
        let writes = if decisions.writable.contains(id) { ", may write" } else { "" };
        let submits = if decisions.submittable.contains(id) { ", may hand in" } else { "" };
        let rule = decisions.read_rule(id);
        _ = writeln!(text, "  {purpose:<8} {outcome}{writes}{submits}  [{}]", engine.rule(rule).id);
        if !named.contains(&rule) {
            named.push(rule);
        }
    }
    for rule in named.into_iter().map(|rule| engine.rule(rule)) {
        _ = writeln!(text, "\n{}\n  {}\n  {}\n  {}", rule.id, rule.basis, rule.en, rule.sv);
        for line in rule.text.lines() {
            _ = writeln!(text, "    {line}");
        }
    }
    text
}
