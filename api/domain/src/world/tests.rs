use super::*;
use crate::catalogue::{Kind, Source};
use crate::clock::day;
use std::collections::{BTreeSet, HashMap, HashSet};

const NOW: i64 = 1_795_212_345_678_901;

fn agency(code: &str) -> AgencyId {
    let place = PERSONAS.iter().position(|persona| persona.code == code).expect("a persona");
    AgencyId(Uuid::from_u128(1000 + place as u128))
}

fn world(seed: u64, children: u64) -> Vec<MadeUpChild> {
    (0..children).map(|index| child(seed, index, NOW, &agency)).collect()
}

/// Some worlds of every size that the tests look at.
fn worlds() -> Vec<MadeUpChild> {
    [1, 2, 77].into_iter().flat_map(|seed| world(seed, 250)).collect()
}

fn is_open(child: &MadeUpChild, kind: &str, code: &str) -> bool {
    let open = |tie: &&Involvement| tie.closed_at.is_none() && tie.kind == kind && tie.agency == agency(code);
    child.involvements.iter().filter(open).count() == 1
}

fn is_live(consent: &Consent) -> bool {
    consent.valid_from <= NOW && consent.valid_until > NOW && consent.withdrawn_at.is_none()
}

/// Every value of the child, those of the revisions among them.
fn values(child: &MadeUpChild) -> Vec<(FieldId, Json)> {
    let now = child.rows.iter().flat_map(|row| row.values.iter().map(|(id, value)| (*id, value.to_json())));
    let told = child.revisions.iter().flat_map(|revision| {
        let changes = revision.changes.as_object().expect("an object").clone();
        changes.into_iter().map(|(name, value)| (revision.section.field(&name).expect("a field"), value))
    });
    now.chain(told).collect()
}

#[test]
fn the_same_seed_gives_the_same_world() {
    assert_eq!(world(5, 60), world(5, 60));
    assert_ne!(child(5, 3, NOW, &agency), child(6, 3, NOW, &agency));
    assert_ne!(child(5, 3, NOW, &agency).id, child(5, 4, NOW, &agency).id);
}

#[test]
fn personas_have_numbers_and_codes_that_are_right() {
    let mut codes = HashSet::new();
    for (persona, new) in PERSONAS.iter().zip(agencies()) {
        assert!(codes.insert(persona.code), "{} is there twice", persona.code);
        assert_eq!(new.clone().checked(), Ok(new), "{}", persona.code);
        assert!(persona.about.en.ends_with('.') && persona.about.sv.ends_with('.'));
        assert!(persona.name.len() >= persona.short.len(), "{}", persona.code);
    }
}

#[test]
fn the_first_children_show_everything() {
    for (seed, size) in [(1, SCRIPTED), (2, SCRIPTED), (3, 200)] {
        let world = world(seed, size);
        let stages: BTreeSet<Stage> = world.iter().map(|child| child.stage).collect();
        assert_eq!(stages.into_iter().collect::<Vec<_>>(), Stage::ALL);
        for level in Protection::ALL {
            assert!(world.iter().any(|child| child.protection == *level), "{level}");
        }
        for partner in ["radda-barnen", "stadsmissionen"] {
            let live = |child: &&MadeUpChild| child.consents.iter().any(|c| c.agency == agency(partner) && is_live(c));
            assert!(world.iter().any(|child| live(&child)), "{partner}");
        }
        assert!(world.iter().flat_map(|child| &child.consents).any(|consent| consent.valid_until <= NOW));
        assert!(world.iter().flat_map(|child| &child.consents).any(|consent| consent.withdrawn_at.is_some()));
        let searched = |child: &MadeUpChild| {
            child.episodes.iter().any(|episode| episode.found_at.is_none()) && is_open(child, "INVOLVED", "polisen")
        };
        assert!(world.iter().any(searched));
        for (from, to) in [("malmo-soc", "landskrona-soc"), ("landskrona-soc", "malmo-soc")] {
            let handed_over = |child: &MadeUpChild| is_open(child, "RECEIVING", to) && is_open(child, "LEAD", from);
            assert!(world.iter().any(handed_over), "from {from} to {to}");
        }
        for home in ["hvb-malmo", "hvb-landskrona"] {
            assert!(world.iter().any(|child| is_open(child, "WHEREABOUTS", home)), "{home}");
        }
        assert!(world.iter().any(|child| is_open(child, "INVOLVED", "granspolisen")));
        assert!(world.iter().any(|child| is_open(child, "LEAD", "migrationsverket")));
        assert!(world.iter().any(|child| is_open(child, "INVOLVED", "skola")));
        let former = |child: &MadeUpChild, days: std::ops::Range<i64>| {
            let led = |tie: &&Involvement| tie.kind == "LEAD" && tie.agency != agency("migrationsverket");
            let ended = child.involvements.iter().filter(led).filter_map(|tie| tie.closed_at);
            ended.into_iter().any(|at| days.contains(&((NOW - at) / DAY)))
        };
        assert!(world.iter().any(|child| former(child, 0..89)), "a former board that still counts");
        assert!(world.iter().any(|child| former(child, 91..9999)), "a former board that counts no more");
    }
}

/// A name in `Story` that the catalogue does not have is left out in silence: here is where it shows.
#[test]
fn every_field_is_written_for_some_child() {
    let world = world(1, 400);
    let written: HashSet<FieldId> = world.iter().flat_map(values).map(|(id, _)| id).collect();
    for id in FieldId::all().filter(|id| !matches!(id.field().source, Source::Involvement)) {
        let section = id.field().section;
        let told = id.field().is_flag() && (section == Section::Identifiers || section.is_of_protocols());
        let elsewhere = match id.field().source {
            Source::Rows(List::Consents) => world.iter().any(|child| !child.consents.is_empty()),
            Source::Rows(List::Concerns) => world.iter().any(|child| !child.handed_in.is_empty()),
            Source::Rows(list) => world.iter().flat_map(|child| &child.entries).any(|entry| entry.list == list),
            // The id of the row, and the rows that are not current.
            _ => section == Section::Missing && ["episodeId", "earlier"].contains(&id.field().name),
        };
        assert!(written.contains(&id) || told || elsewhere, "{id} is never written");
    }
    assert!(world.iter().any(|child| child.episodes.len() > 1), "nobody was missing twice");
}

#[test]
fn every_value_is_one_that_a_caller_could_write() {
    for child in worlds() {
        for row in &child.rows {
            for (id, value) in row.values.iter().filter(|(id, _)| id.field().source == Source::Column) {
                assert_eq!(id.field().kind.read(&value.to_json()), Ok(value.clone()), "{id}: {}", value.to_json());
            }
        }
        for (id, value) in values(&child).into_iter().filter(|(id, _)| id.field().source == Source::Column) {
            let read = id.field().kind.read(&value).map(|read| read.to_json());
            assert!(value.is_null() || read == Ok(value.clone()), "{id}: {value}");
        }
    }
}

#[test]
fn identifiers_are_in_their_normal_form_and_of_the_test_ranges() {
    let coordination = IdentifierKind::CoordinationNumber;
    for child in worlds() {
        for number in &child.identifiers {
            assert_eq!(number.kind.normalise(&number.value).as_deref(), Ok(number.value.as_str()));
            if matches!(number.kind, IdentifierKind::PersonalNumber | IdentifierKind::CoordinationNumber) {
                let serial: u32 = number.value[8..11].parse().expect("three digits");
                assert!((980..1000).contains(&serial), "{}", number.value);
            } else {
                assert!(number.value.starts_with("99-"));
            }
            assert_eq!(number.identity_level.is_some(), number.kind == coordination);
            assert!(number.valid_to.is_none_or(|to| number.valid_from.is_none_or(|from| from <= to)));
        }
    }
}

#[test]
fn numbers_are_each_childs_own() {
    let mut owner = HashMap::new();
    for child in world(9, 1500) {
        for number in child.identifiers {
            let other = owner.insert((number.kind, number.value.clone()), child.id);
            assert!(other.is_none_or(|other| other == child.id), "{}", number.value);
        }
    }
}

#[test]
fn phones_and_mail_are_nobodys() {
    let reserved = |phone: &str| {
        let range = |start: &str, from: u32| {
            let rest = phone.strip_prefix(start).filter(|rest| rest.len() == 2);
            rest.and_then(|rest| rest.parse::<u32>().ok()).is_some_and(|last| last >= from)
        };
        range("+467017406", 5) || range("+468465004", 0) || range("+464062804", 0) || range("+463139006", 0)
    };
    for (id, value) in worlds().iter().flat_map(values) {
        let texts: Vec<&str> = match (&id.field().kind, &value) {
            (Kind::Phone, Json::String(phone)) => vec![phone],
            (Kind::Phones(_), Json::Array(phones)) => phones.iter().filter_map(Json::as_str).collect(),
            (Kind::Entries(..), Json::Array(entries)) => entries.iter().filter_map(|e| e["phone"].as_str()).collect(),
            (Kind::Email, Json::String(mail)) => {
                assert!(mail.ends_with(".example"), "{mail}");
                continue;
            }
            _ => continue,
        };
        for phone in texts {
            assert!(reserved(phone), "{id}: {phone}");
        }
    }
}

#[test]
fn protected_registration_leaves_no_address_and_no_school() {
    let protected = |child: &&MadeUpChild| child.protection == Protection::Registered;
    let worlds = worlds();
    assert!(worlds.iter().filter(protected).count() > 5);
    for (id, _) in worlds.iter().filter(protected).flat_map(values) {
        assert!(!matches!(id.field().number, "F31" | "F32" | "F42"), "{id}");
        assert_ne!(id.to_string(), "placement.unitName");
    }
}

#[test]
fn about_eight_of_a_hundred_are_protected() {
    let protected = world(4, 2000).iter().filter(|child| child.protection != Protection::None).count();
    assert!((120..200).contains(&protected), "{protected}");
    for child in worlds() {
        let row = child.rows.iter().find(|row| row.section == Section::Protection);
        let level = row.and_then(|row| row.values.iter().find(|(id, _)| id.field().name == "level"));
        let level = level.map_or(Json::from("NONE"), |(_, value)| value.to_json());
        assert_eq!(level, child.protection.code());
    }
}

#[test]
fn exactly_one_agency_leads_at_every_instant() {
    for child in worlds() {
        let mut leads: Vec<&Involvement> = child.involvements.iter().filter(|tie| tie.kind == "LEAD").collect();
        leads.sort_by_key(|tie| tie.opened_at);
        assert_eq!(leads[0].opened_at, child.registered_at);
        for pair in leads.windows(2) {
            assert_eq!(pair[0].closed_at, Some(pair[1].opened_at));
        }
        let last = leads.last().expect("a lead");
        assert_eq!((last.closed_at, last.agency), (None, child.lead));
        for kind in ["RESPONSIBLE", "WHEREABOUTS"] {
            let open = child.involvements.iter().filter(|tie| tie.kind == kind && tie.closed_at.is_none());
            assert!(open.count() <= 1, "{kind}");
        }
        assert!(child.episodes.iter().filter(|episode| episode.closed_at.is_none()).count() <= 1);
        let current =
            |row: &&SectionRow| row.section == Section::Placement && row.entry.is_some_and(|(_, to)| to.is_none());
        assert_eq!(child.rows.iter().filter(current).count(), 1, "one current placement");
    }
}

#[test]
fn nothing_has_happened_in_the_future() {
    for child in worlds() {
        let mut instants = vec![child.registered_at];
        instants.extend(child.involvements.iter().flat_map(|tie| [Some(tie.opened_at), tie.closed_at]).flatten());
        instants.extend(child.episodes.iter().flat_map(|e| [Some(e.opened_at), e.found_at, e.closed_at]).flatten());
        instants.extend(child.consents.iter().flat_map(|c| [Some(c.valid_from), c.withdrawn_at]).flatten());
        instants.extend(child.revisions.iter().map(|revision| revision.at));
        assert!(instants.iter().all(|at| *at <= NOW && *at >= child.registered_at), "{:?}", child.stage);
        assert!(child.involvements.iter().all(|tie| tie.closed_at.is_none_or(|closed| closed >= tie.opened_at)));
        for (id, value) in values(&child) {
            let ahead = value.as_str().is_some_and(|text| text > day(NOW).to_string().as_str());
            let planned = ["reviewOn", "transferOn", "returnPlannedOn", "servedOn", "validUntil", "to"];
            assert!(id.field().kind != Kind::Date || !ahead || planned.contains(&id.field().name), "{id}: {value}");
        }
    }
}

#[test]
fn rows_stamps_and_revisions_agree() {
    for child in worlds() {
        let mut numbers: HashMap<Section, i64> = HashMap::new();
        for revision in &child.revisions {
            let number = numbers.entry(revision.section).or_default();
            *number += 1;
            assert_eq!(revision.number, *number);
        }
        for row in &child.rows {
            let entry = row.entry.map(|(id, _)| id);
            let of_row = |revision: &&Revision| revision.section == row.section && revision.entry == entry;
            let revisions: Vec<&Revision> = child.revisions.iter().filter(of_row).collect();
            assert!(revisions.windows(2).all(|pair| pair[0].at <= pair[1].at));
            let written = |id: &FieldId| matches!(id.field().source, Source::Column | Source::Kept);
            for id in row.section.fields().filter(written) {
                let changes: Vec<_> =
                    revisions.iter().filter_map(|r| Some((r, r.changes.get(id.field().name)?))).collect();
                let stamp = row.stamps.get(id.field().column);
                assert_eq!(stamp.map_or(0, |stamp| stamp.0) as usize, changes.len(), "{id}");
                let last = changes.last();
                assert_eq!(stamp.map(|stamp| (stamp.1, stamp.agency())), last.map(|(r, _)| (r.at, r.agency)), "{id}");
                let value = row.values.iter().find(|(field, _)| *field == id).map_or(Json::Null, |(_, v)| v.to_json());
                assert_eq!(value, last.map_or(Json::Null, |(_, value)| (*value).clone()), "{id}");
            }
        }
    }
}

#[test]
fn flags_tell_whether_there_is_something_to_tell() {
    for child in worlds() {
        for row in &child.rows {
            let value = |id: FieldId| row.values.iter().find(|(field, _)| *field == id).map(|(_, value)| value);
            for flag in row.section.fields().filter(|_| !row.section.is_of_protocols()) {
                let Source::Flag(of) = flag.field().source else { continue };
                let fields: Vec<FieldId> = of.iter().filter_map(|name| row.section.field(name)).collect();
                let was_set = fields.iter().any(|id| row.stamps.get(id.field().column).is_some());
                let raised = fields.iter().any(|id| value(*id).is_some_and(Value::raises_flag));
                assert_eq!(value(flag), was_set.then_some(&Value::Bool(raised)), "{flag}");
            }
        }
    }
}

#[test]
fn whereabouts_follow_the_placement_and_end_while_the_child_is_missing() {
    for child in worlds() {
        let open = child.involvements.iter().find(|tie| tie.kind == "WHEREABOUTS" && tie.closed_at.is_none());
        let missing = child.episodes.iter().any(|episode| episode.found_at.is_none());
        let current =
            |row: &&SectionRow| row.section == Section::Placement && row.entry.is_some_and(|(_, to)| to.is_none());
        let current = child.rows.iter().find(current).expect("a placement");
        let home = current.values.iter().find(|(id, _)| id.field().name == "unitAgency").map(|(_, home)| home.clone());
        let expected = home.filter(|_| !missing);
        assert_eq!(open.map(|tie| Value::Agency(tie.agency)), expected, "{:?}", child.stage);
    }
}

#[test]
fn consents_open_groups_that_can_be_consented_to() {
    for consent in worlds().iter().flat_map(|child| &child.consents) {
        for group in consent.groups {
            assert!(crate::catalogue::group(group).is_some_and(|group| group.consentable), "{group}");
        }
    }
}

#[test]
fn the_children_that_are_pointed_to_keep_their_ids() {
    let ids = |now: i64| CASES.map(|case| case.child(1, now, &agency).id);
    // Years ahead, through leap days, and at every hour.
    for days in (0..1500).step_by(37) {
        assert_eq!(ids(NOW), ids(NOW + days * DAY + days * 131 * MINUTE), "after {days} days");
    }
    let keys: HashSet<&str> = CASES.iter().map(|case| case.key).collect();
    assert_eq!(keys.len(), CASES.len());
}

#[test]
fn what_is_waited_for_has_a_deadline() {
    for child in world(1, 400) {
        let open = child
            .entries
            .iter()
            .filter(|row| row.list == List::Handovers && !row.values.iter().any(|(column, _)| *column == "ended_at"));
        for row in open {
            let steps: Vec<_> =
                child.deadlines.iter().filter(|due| due.about_id == row.id).map(|due| due.step).collect();
            assert_eq!(steps, ["OVERDUE", "COUNTY", "EPISODE"]);
        }
        let reviews = child.deadlines.iter().filter(|due| due.about == "BREAK_GLASS").count();
        assert_eq!(reviews, child.emergencies.len());
    }
    assert_eq!(child(1, 21, NOW, &agency).emergencies.len(), 1);
}
