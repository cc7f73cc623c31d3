//! What Gateways say of an HTTPRoute.

use serde_json::Value;

use crate::observed::Gateways;

/// More characters of what a Gateway says are not kept.
const LONGEST_WORDS: usize = 512;
/// More Gateways no route has.
const MOST_GATEWAYS: usize = 32;

/// Returns what all Gateways together say, the first refusal first.
pub(crate) fn gateways(live: &Value) -> Gateways {
    let list = |pointer: &str| {
        let items = live.pointer(pointer).and_then(Value::as_array);
        items.into_iter().flatten().take(MOST_GATEWAYS)
    };
    let generation = live.pointer("/metadata/generation").and_then(Value::as_i64);
    let mut all = Gateways::Silent;
    for wanted in list("/spec/parentRefs") {
        let mut answers =
            list("/status/parents").filter(|it| is_same(it.get("parentRef"), wanted, live));
        let Some(answer) = answers.next() else { return Gateways::Silent };
        match of_one(answer, generation) {
            Gateways::Accept => all = Gateways::Accept,
            other @ (Gateways::Refuse(_) | Gateways::Silent) => return other,
        }
    }
    all
}

/// Whether an answer is of the Gateway that is meant; without a namespace, of the route's.
fn is_same(answered: Option<&Value>, wanted: &Value, live: &Value) -> bool {
    let own = live.pointer("/metadata/namespace").and_then(Value::as_str);
    let field = |of: &Value, name: &str| of.get(name).and_then(Value::as_str).map(str::to_owned);
    let parts = |of: &Value| {
        let namespace = field(of, "namespace").or_else(|| own.map(str::to_owned));
        (field(of, "name"), namespace, field(of, "sectionName"))
    };
    answered.is_some_and(|answered| parts(answered) == parts(wanted))
}

fn of_one(answer: &Value, generation: Option<i64>) -> Gateways {
    let conditions = answer.get("conditions").and_then(Value::as_array);
    let find = |name: &str| {
        let mut all = conditions.into_iter().flatten();
        all.find(|it| it.get("type").and_then(Value::as_str) == Some(name))
    };
    for name in ["Accepted", "ResolvedRefs"] {
        let Some(condition) = find(name) else { return Gateways::Silent };
        if condition.get("observedGeneration").and_then(Value::as_i64) < generation {
            return Gateways::Silent;
        }
        let text = |field: &str| {
            let text = condition.get(field).and_then(Value::as_str).unwrap_or_default();
            let text: String = text.chars().take(LONGEST_WORDS).collect();
            text.split_whitespace().collect::<Vec<_>>().join(" ")
        };
        if text("status") != "True" {
            let gateway = answer.pointer("/parentRef/name").and_then(Value::as_str);
            let gateway: String = gateway.unwrap_or_default().chars().take(LONGEST_WORDS).collect();
            let (reason, message) = (text("reason"), text("message"));
            return Gateways::Refuse(format!(
                "Gateway {gateway} says {name}=False, {reason}: {message}"
            ));
        }
    }
    Gateways::Accept
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::{Gateways, gateways};

    fn route(parents: &Value, answers: &Value) -> Gateways {
        gateways(&json!({
            "metadata": {"name": "ada", "namespace": "agents", "generation": 2},
            "spec": {"parentRefs": parents}, "status": {"parents": answers},
        }))
    }

    fn answer(parent: &Value, accepted: &str, resolved: &str, generation: i64) -> Value {
        let said = |name: &str, status: &str| {
            json!({"type": name, "status": status, "reason": "Why", "message": "so\nit is",
                   "observedGeneration": generation})
        };
        json!({
            "parentRef": parent,
            "conditions": [said("Accepted", accepted), said("ResolvedRefs", resolved)],
        })
    }

    #[test]
    fn every_gateway_must_accept_the_route_as_it_is() {
        let (own, other) = (json!({"name": "a"}), json!({"name": "b", "namespace": "web"}));
        let both = json!([own, other]);
        let own_written_out = json!({"name": "a", "namespace": "agents", "kind": "Gateway"});
        let good = |parent: &Value| answer(parent, "True", "True", 2);
        let refused =
            |what: &str| Gateways::Refuse(format!("Gateway a says {what}=False, Why: so it is"));
        for (answers, expected) in [
            (json!([good(&own_written_out), good(&other)]), Gateways::Accept),
            (json!([good(&own)]), Gateways::Silent),
            (json!([]), Gateways::Silent),
            (json!([good(&own), answer(&other, "True", "True", 1)]), Gateways::Silent),
            (json!([answer(&own, "False", "True", 2), good(&other)]), refused("Accepted")),
            (json!([answer(&own, "True", "False", 2), good(&other)]), refused("ResolvedRefs")),
            (json!([{"parentRef": own, "conditions": "?"}]), Gateways::Silent),
            (json!("nonsense"), Gateways::Silent),
        ] {
            assert_eq!(route(&both, &answers), expected, "{answers}");
        }
    }
}
