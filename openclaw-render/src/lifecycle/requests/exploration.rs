//! Every state in which two requests can be, whatever is known of the rest.

use super::*;

const NOW: i64 = 1_800_000_000;

fn before(seconds: i64) -> Option<Timestamp> {
    Timestamp::from_second(NOW - seconds).ok()
}

/// Everything that one request can be.
fn requests(name: &str) -> Vec<RequestSeen> {
    use SelfConfigPhase::{Applied, Denied, Failed, Pending};
    let mut all = Vec::new();
    for phase in [None, Some(Pending), Some(Applied), Some(Failed), Some(Denied)] {
        for created in [None, before(1), before(ABSENCE), before(2 * KEPT)] {
            for completed in [None, before(1), before(KEPT - 1), before(KEPT)] {
                all.push(RequestSeen { name: name.to_owned(), created, phase, completed });
            }
        }
    }
    all
}

fn proofs() -> Vec<Proof> {
    let verdicts = [
        Enforcement::Enforced,
        Enforcement::NotEnforced,
        Enforcement::Unknown("no answer".to_owned()),
    ];
    let times = [None, before(0), before(PROOF_IS_FRESH), before(PROOF_LASTS)];
    let all =
        verdicts.iter().flat_map(|verdict| times.map(|at| Proof { verdict: verdict.clone(), at }));
    all.collect()
}

/// Every state, with what is decided in it.
fn every_state(mut holds: impl FnMut(&RequestsSeen, &[RequestStep], u32)) -> usize {
    let mut states = 0;
    for first in requests("a") {
        for second in requests("b") {
            for instance in [Asked::Absent, Asked::Unreadable, Asked::Off, Asked::On] {
                for proof in proofs() {
                    for stopped in [None, Some("overwritten".to_owned())] {
                        let requests = vec![first.clone(), second.clone()];
                        let now = Timestamp::from_second(NOW).expect("a time");
                        let proof = proof.clone();
                        let seen = RequestsSeen { requests, instance, proof, stopped, now };
                        let (steps, look_again) = request_steps(&seen);
                        holds(&seen, &steps, look_again);
                        states += 1;
                    }
                }
            }
        }
    }
    states
}

fn of<'a>(step: &'a RequestStep, seen: &'a RequestsSeen) -> Option<&'a RequestSeen> {
    let name = match step {
        RequestStep::Prove => return None,
        RequestStep::Delete(name)
        | RequestStep::CarryOut(name)
        | RequestStep::End { name, .. }
        | RequestStep::Hold { name, .. } => name,
    };
    seen.requests.iter().find(|request| request.name == *name)
}

#[test]
fn nothing_is_carried_out_without_proof_nor_twice_nor_for_who_takes_nothing() {
    let mut carried_out = 0;
    let states = every_state(|seen, steps, _| {
        for step in steps {
            let request = of(step, seen);
            match step {
                RequestStep::CarryOut(_) => {
                    let age = seen.proof.at.map(|at| NOW - at.as_second());
                    assert_eq!(seen.proof.verdict, Enforcement::Enforced, "{seen:?}");
                    assert!(age.is_some_and(|age| age < PROOF_IS_FRESH), "{seen:?}");
                    assert_eq!((seen.instance, &seen.stopped), (Asked::On, &None), "{seen:?}");
                    assert!(request.expect("one").is_open(), "{seen:?}");
                    carried_out += 1;
                }
                RequestStep::End { .. } | RequestStep::Hold { .. } => {
                    assert!(request.expect("one").is_open(), "{seen:?}");
                }
                RequestStep::Delete(_) => {
                    let request = request.expect("one");
                    let end = request.completed.or(request.created);
                    assert!(!request.is_open(), "{seen:?}");
                    assert!(end.is_none_or(|end| NOW - end.as_second() >= KEPT), "{seen:?}");
                }
                RequestStep::Prove => assert_eq!(seen.instance, Asked::On, "{seen:?}"),
            }
        }
    });
    assert!(states > 500_000 && carried_out > 100, "{states} {carried_out}");
}

#[test]
fn every_request_gets_on_and_nobody_is_asked_at_rest() {
    every_state(|seen, steps, look_again| {
        let proves = steps == [RequestStep::Prove];
        for request in &seen.requests {
            let has_step =
                steps.iter().any(|step| of(step, seen).is_some_and(|it| it.name == request.name));
            let end = request.completed.or(request.created);
            let rests = !request.is_open() && end.is_some_and(|end| NOW - end.as_second() < KEPT);
            assert!(proves || has_step != rests, "{seen:?} {steps:?}");
            if rests && !proves {
                let rest = end.map_or(0, |end| KEPT - (NOW - end.as_second()));
                assert!(i64::from(look_again) <= rest, "{seen:?}: {look_again}");
            }
        }
        let waits = steps.iter().any(|step| matches!(step, RequestStep::Hold { .. }));
        assert!(!waits || look_again <= WAITING, "{seen:?}");
    });
}

#[test]
fn of_thousands_the_oldest_come_first_and_few_at_once() {
    let requests = (0..5000).map(|number| RequestSeen {
        name: format!("sc-{number:04}"),
        created: before((5000 - number) / 2),
        ..RequestSeen::default()
    });
    let seen = RequestsSeen {
        requests: requests.collect(),
        instance: Asked::On,
        proof: Proof { verdict: Enforcement::Enforced, at: before(0) },
        stopped: None,
        now: Timestamp::from_second(NOW).expect("a time"),
    };
    let (steps, look_again) = request_steps(&seen);
    let first: Vec<RequestStep> =
        (0..AT_ONCE).map(|number| RequestStep::CarryOut(format!("sc-{number:04}"))).collect();
    assert_eq!((steps, look_again), (first, NEXT_ONES));
}
