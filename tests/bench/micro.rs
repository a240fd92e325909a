//! What a decision costs.

use samverka_domain::catalogue::FieldId;
use samverka_domain::policy::{Engine, Protection, Purpose, Relation, Role, Situation};
use serde::{Deserialize, Serialize};
use std::hint::black_box;
use std::time::Instant;

/// The cost of decisions.
#[derive(Clone, Copy, Debug, Default, Serialize, Deserialize)]
pub struct Micro {
    /// Nanoseconds a field, from a mask that is at hand.
    pub field: f64,
    /// Nanoseconds a row: the mask of its situation, from the cache.
    pub row: f64,
    /// Microseconds for a situation that was never met: the engine is asked.
    pub cold: f64,
}

/// Measures them.
pub fn run() -> Micro {
    let engine = Engine::embedded();
    let stranger = Situation::stranger(Role::SocialServices, Purpose::Protect);
    let situations = Relation::ALL.iter().flat_map(|relation| {
        Protection::ALL.iter().map(move |protection| Situation {
            relation: *relation,
            protection: *protection,
            ..stranger
        })
    });
    let situations: Vec<Situation> = situations.collect();
    let begun = Instant::now();
    for situation in &situations {
        black_box(engine.decide(*situation));
    }
    let cold = begun.elapsed().as_secs_f64() * 1e6 / situations.len() as f64;
    let fields: Vec<FieldId> = FieldId::all().collect();
    let rounds = 20_000;
    let begun = Instant::now();
    for _ in 0..rounds {
        for situation in &situations {
            black_box(engine.decide(black_box(*situation)));
        }
    }
    let row = begun.elapsed().as_secs_f64() * 1e9 / f64::from(rounds) / situations.len() as f64;
    let decisions = engine.decide(stranger);
    let begun = Instant::now();
    for _ in 0..rounds {
        for id in &fields {
            black_box(black_box(&decisions).shown.contains(black_box(*id)));
        }
    }
    let field = begun.elapsed().as_secs_f64() * 1e9 / f64::from(rounds) / fields.len() as f64;
    Micro { field, row, cold }
}
