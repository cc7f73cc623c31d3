//! What agents cost that do not answer the operator: how long the others take beside them, and how
//! long it takes until everything is there when nobody answers. Run by `scripts/bench deaf N`.

#![allow(
    clippy::expect_used,
    clippy::print_stdout,
    clippy::indexing_slicing,
    reason = "a benchmark that cannot go on says so by failing"
)]

#[path = "../tests/support/mod.rs"]
mod support;

use std::time::Duration;

use support::fleet::Fleet;

/// Long after the last agent is ready.
const PATIENCE: Duration = Duration::from_mins(30);
/// Agents that make a cluster warm up, and those that are changed.
const FEW: usize = 20;

/// What must hold, as ratios to a fleet in which everybody answers; and seconds.
const MOST_READY: f64 = 1.1;
const MOST_OBJECTS: f64 = 1.2;
const MOST_CHANGE: f64 = 5.0;

#[tokio::main]
async fn main() {
    // Cargo adds flags of its own.
    let agents = std::env::args().skip(1).find_map(|each| each.parse::<usize>().ok());
    let agents = agents.expect("scripts/bench deaf N");
    let some = agents / 4;
    let warm = Fleet::new(FEW, 0, PATIENCE).await;
    warm.create().await;
    warm.end().await;

    let calm = Fleet::new(agents, 0, PATIENCE).await;
    let calm_birth = calm.create().await;
    let calm_change = calm.change(FEW).await;
    calm.end().await;
    let mixed = Fleet::new(agents, some, PATIENCE).await;
    let mixed_birth = mixed.create().await;
    let mixed_change = mixed.change(FEW).await;
    mixed.end().await;
    let deaf = Fleet::new(agents, agents, PATIENCE).await;
    let deaf_birth = deaf.create().await;
    deaf.end().await;

    // The same ones in all runs.
    let (calm_ready, mixed_ready) = (calm_birth.p95_from(some), mixed_birth.p95_from(some));
    let (calm_objects, deaf_objects) =
        (calm_birth.objects.as_secs_f64(), deaf_birth.objects.as_secs_f64());
    println!("agents                               {agents}");
    println!("ready, p95, s                        {calm_ready:.1}");
    println!("  beside {some:<3} deaf ones              {mixed_ready:.1}");
    println!("  ratio                              {:.2}", mixed_ready / calm_ready);
    println!("changed, p95, s                      {calm_change:.2}");
    println!("  beside {some:<3} deaf ones              {mixed_change:.2}");
    println!("every object is there, s             {calm_objects:.1}");
    println!("  all deaf                           {deaf_objects:.1}");
    println!("  ratio                              {:.2}", deaf_objects / calm_objects);
    let mut missed = Vec::new();
    for (what, is, most) in [
        ("ready beside deaf ones", mixed_ready / calm_ready, MOST_READY),
        ("changed beside deaf ones, s", mixed_change, MOST_CHANGE),
        ("every object, all deaf", deaf_objects / calm_objects, MOST_OBJECTS),
    ] {
        if is > most {
            missed.push(format!("{what}: {is:.2} is more than {most}"));
        }
    }
    assert!(missed.is_empty(), "{}", missed.join("; "));
}
