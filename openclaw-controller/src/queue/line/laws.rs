//! What holds of the line whatever happens.

use proptest::prelude::*;

use super::tests::{Clock, NEVER, key};
use super::*;

#[derive(Clone, Debug)]
enum Event {
    See(u8, bool),
    Wake(u8),
    Forget(u8),
    Wait(u16),
    Take,
    PutBack(u8),
}

fn event() -> impl Strategy<Value = Event> {
    prop_oneof![
        (0..6_u8, any::<bool>()).prop_map(|(who, changed)| Event::See(who, changed)),
        (0..6_u8).prop_map(Event::Wake),
        (0..6_u8).prop_map(Event::Forget),
        (0..2000_u16).prop_map(Event::Wait),
        Just(Event::Take),
        any::<u8>().prop_map(Event::PutBack),
    ]
}

proptest! {
    /// Whatever happens: no more workers than there are, no instance in two hands, nobody served
    /// who is not there, and everybody served once for all that woke him since his last pass.
    #[test]
    fn whoever_is_woken_gets_one_pass(events in prop::collection::vec(event(), 0..200)) {
        let who = |number: u8| key(["few", "many"][usize::from(number > 1)], &number.to_string());
        let mut clock = Clock::with_workers(2);
        let mut there = BTreeSet::new();
        let mut owed = BTreeSet::new();
        let mut busy: Vec<InstanceKey> = Vec::new();
        for event in events {
            match event {
                Event::See(number, changed) => {
                    clock.see(&who(number), changed);
                    there.insert(who(number));
                    owed.insert(who(number));
                }
                Event::Wake(number) => {
                    clock.wake(&who(number));
                    if there.contains(&who(number)) {
                        owed.insert(who(number));
                    }
                }
                Event::Forget(number) => {
                    clock.forget(&who(number));
                    there.remove(&who(number));
                    owed.remove(&who(number));
                }
                Event::Wait(milliseconds) => clock.pass(milliseconds.into()),
                Event::Take => if let Some(key) = clock.take() {
                    prop_assert!(owed.remove(&key), "{key:?} was not owed a pass");
                    prop_assert!(!busy.contains(&key), "{key:?} is in two hands");
                    busy.push(key);
                    prop_assert!(busy.len() <= 2);
                },
                Event::PutBack(number) => if !busy.is_empty() {
                    let key = busy.remove(usize::from(number) % busy.len());
                    let still_there = clock.put_back(&key, NEVER);
                    prop_assert_eq!(still_there, there.contains(&key));
                },
            }
            let idle = clock.line.instances.iter().filter(|(_, place)| !place.under_way);
            let waiting: BTreeSet<_> = idle
                .filter_map(|(key, place)| Some((place.request?.at, key.clone())))
                .collect();
            prop_assert_eq!(&clock.line.waiting, &waiting);
            prop_assert_eq!(clock.line.under_way.values().sum::<usize>(), busy.len());
        }
        for key in busy.drain(..) {
            clock.put_back(&key, NEVER);
        }
        for _ in 0..10 {
            clock.pass(15_000);
            while let Some(key) = clock.take() {
                prop_assert!(owed.remove(&key), "{key:?} was not owed a pass");
                clock.put_back(&key, NEVER);
            }
        }
        prop_assert_eq!(owed, BTreeSet::new());
        let known: BTreeSet<_> = clock.line.instances.into_keys().collect();
        prop_assert_eq!(known, there);
    }
}
