//! What is pushed: the metrics as `/metrics` has them, in the words of OTLP/HTTP with JSON.
//!
//! Names, labels and values are those of `/metrics`: whoever pushes and scrapes sees the same series.
//! A request holds a bounded number of points, however many agents there are.

use std::str::Lines;

use serde_json::{Value, json};

/// Points of one request: a few hundred bytes each.
pub(super) const MOST_POINTS: usize = 1000;
const SERVICE: &str = "openclaw-operator";
/// Since the process began, see the OTLP's `AggregationTemporality`.
const CUMULATIVE: u8 = 2;

/// When it was counted, in nanoseconds since 1970.
#[derive(Clone, Copy, Debug)]
pub(super) struct Times {
    /// Since when counters count.
    pub(super) start: u128,
    pub(super) now: u128,
}

#[derive(Clone, Copy, Debug, PartialEq)]
enum Shape {
    Counter,
    Gauge,
    Histogram,
}

type Labels = Vec<(String, String)>;

/// The requests that say what a text of `/metrics` says.
pub(super) struct Requests<'a> {
    lines: Lines<'a>,
    times: Times,
    help: (&'a str, &'a str),
    family: Option<(&'a str, Shape)>,
    /// A histogram whose lines are being read.
    open: Option<Histogram>,
}

struct Histogram {
    labels: Labels,
    sum: f64,
    count: f64,
    /// Bounds with the number of what is not above them.
    buckets: Vec<(f64, f64)>,
}

/// Metrics of one request.
#[derive(Default)]
struct Batch {
    metrics: Vec<Metric>,
    points: usize,
}

struct Metric {
    name: String,
    help: String,
    shape: Shape,
    points: Vec<Value>,
}

impl<'a> Requests<'a> {
    pub(super) fn new(text: &'a str, times: Times) -> Self {
        Self { lines: text.lines(), times, help: ("", ""), family: None, open: None }
    }

    fn take(&mut self, line: &'a str, batch: &mut Batch) {
        if let Some(rest) = line.strip_prefix("# HELP ") {
            self.close(batch);
            self.help = rest.split_once(' ').unwrap_or((rest, ""));
        } else if let Some((name, shape)) =
            line.strip_prefix("# TYPE ").and_then(|rest| rest.split_once(' '))
        {
            self.close(batch);
            let shape = match shape {
                "counter" => Some(Shape::Counter),
                "gauge" => Some(Shape::Gauge),
                "histogram" => Some(Shape::Histogram),
                _ => None,
            };
            self.family = shape.map(|shape| (name, shape));
        } else if let (Some((family, shape)), Some((name, labels, value))) =
            (self.family, sample(line))
        {
            match (shape, name.strip_prefix(family)) {
                (Shape::Counter | Shape::Gauge, Some(_)) => {
                    let point = self.point(&labels, json!({"asDouble": value}));
                    self.add(name, shape, point, batch);
                }
                (Shape::Histogram, Some(part)) => self.part(part, labels, value, batch),
                (_, None) => {}
            }
        }
    }

    /// A line of a histogram. Those of one follow each other.
    fn part(&mut self, part: &str, labels: Labels, value: f64, batch: &mut Batch) {
        let (bounds, labels): (Labels, Labels) =
            labels.into_iter().partition(|(key, _)| part == "_bucket" && key == "le");
        if self.open.as_ref().is_some_and(|open| open.labels != labels) {
            self.close(batch);
        }
        let open = self.open.get_or_insert_with(|| Histogram {
            labels,
            sum: 0.0,
            count: 0.0,
            buckets: Vec::new(),
        });
        match part {
            "_sum" => open.sum = value,
            "_count" => open.count = value,
            "_bucket" => {
                let bound = bounds.first().and_then(|(_, bound)| number(bound));
                open.buckets.extend(bound.map(|bound| (bound, value)));
            }
            _ => {}
        }
    }

    /// The histogram is complete.
    fn close(&mut self, batch: &mut Batch) {
        let (Some(open), Some((family, shape))) = (self.open.take(), self.family) else { return };
        let bounds: Vec<f64> = open
            .buckets
            .iter()
            .map(|(bound, _)| *bound)
            .filter(|bound| bound.is_finite())
            .collect();
        let mut below = 0.0;
        let counts = open.buckets.iter().map(|(_, count)| {
            let within = whole(count - below);
            below = *count;
            within
        });
        let counts: Vec<String> = counts.collect();
        let values = json!({
            "count": whole(open.count), "sum": open.sum,
            "bucketCounts": counts, "explicitBounds": bounds,
        });
        let point = self.point(&open.labels, values);
        self.add(family, shape, point, batch);
    }

    fn point(&self, labels: &Labels, mut values: Value) -> Value {
        if let Some(fields) = values.as_object_mut() {
            let labels = labels.iter().map(|(key, value)| attribute(key, value));
            fields.insert("attributes".to_owned(), labels.collect());
            fields.insert("startTimeUnixNano".to_owned(), self.times.start.to_string().into());
            fields.insert("timeUnixNano".to_owned(), self.times.now.to_string().into());
        }
        values
    }

    fn add(&self, name: &str, shape: Shape, point: Value, batch: &mut Batch) {
        batch.points += 1;
        if batch.metrics.last().is_none_or(|last| last.name != name) {
            let (of, help) = self.help;
            let help = if name.starts_with(of) { help } else { "" };
            let (name, help) = (name.to_owned(), help.to_owned());
            batch.metrics.push(Metric { name, help, shape, points: Vec::new() });
        }
        if let Some(last) = batch.metrics.last_mut() {
            last.points.push(point);
        }
    }
}

impl Iterator for Requests<'_> {
    type Item = Value;

    fn next(&mut self) -> Option<Value> {
        let mut batch = Batch::default();
        while batch.points < MOST_POINTS {
            let Some(line) = self.lines.next() else {
                self.close(&mut batch);
                break;
            };
            self.take(line, &mut batch);
        }
        (batch.points > 0).then(|| batch.request())
    }
}

impl Batch {
    fn request(self) -> Value {
        let version = env!("CARGO_PKG_VERSION");
        let metrics: Vec<Value> = self.metrics.into_iter().map(Metric::value).collect();
        json!({"resourceMetrics": [{
            "resource": {"attributes": [
                attribute("service.name", SERVICE),
                attribute("service.version", version),
                attribute("telemetry.sdk.language", "rust"),
                attribute("telemetry.sdk.name", SERVICE),
                attribute("telemetry.sdk.version", version),
            ]},
            "scopeMetrics": [{
                "scope": {"name": SERVICE, "version": version},
                "metrics": metrics,
            }],
        }]})
    }
}

impl Metric {
    fn value(self) -> Value {
        let Self { name, help, shape, points } = self;
        let head = json!({"name": name, "description": help});
        let (field, data) = match shape {
            Shape::Gauge => ("gauge", json!({"dataPoints": points})),
            Shape::Counter => (
                "sum",
                json!({
                    "dataPoints": points, "aggregationTemporality": CUMULATIVE, "isMonotonic": true,
                }),
            ),
            Shape::Histogram => {
                ("histogram", json!({"dataPoints": points, "aggregationTemporality": CUMULATIVE}))
            }
        };
        let mut metric = head;
        if let Some(fields) = metric.as_object_mut() {
            fields.insert(field.to_owned(), data);
        }
        metric
    }
}

fn attribute(key: &str, value: &str) -> Value {
    json!({"key": key, "value": {"stringValue": value}})
}

/// A count, as JSON of protobuf has those of 64 bits.
fn whole(count: f64) -> String {
    format!("{:.0}", count.max(0.0))
}

fn number(text: &str) -> Option<f64> {
    match text {
        "+Inf" => Some(f64::INFINITY),
        text => text.parse().ok(),
    }
}

/// Name, labels and value of a line.
fn sample(line: &str) -> Option<(&str, Labels, f64)> {
    if line.starts_with('#') {
        return None;
    }
    let end = line.find(['{', ' '])?;
    let (name, mut rest) = line.split_at_checked(end)?;
    let mut labels = Vec::new();
    if let Some(inside) = rest.strip_prefix('{') {
        rest = inside;
        while !rest.starts_with('}') {
            let (key, after) = rest.split_once("=\"")?;
            let (value, after) = quoted(after)?;
            labels.push((key.trim_start_matches(',').to_owned(), value));
            rest = after;
        }
        rest = rest.strip_prefix('}')?;
    }
    let value = number(rest.split_whitespace().next()?)?;
    value.is_finite().then_some((name, labels, value))
}

/// The text up to the quotation mark that ends it, and what follows.
fn quoted(text: &str) -> Option<(String, &str)> {
    let mut value = String::new();
    let mut letters = text.chars();
    loop {
        match letters.next()? {
            '"' => return Some((value, letters.as_str())),
            '\\' => value.push(match letters.next()? {
                'n' => '\n',
                other => other,
            }),
            letter => value.push(letter),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const TIMES: Times = Times { start: 1, now: 2 };

    fn metrics(text: &str) -> Vec<Value> {
        Requests::new(text, TIMES)
            .flat_map(|request| {
                let metrics = &request["resourceMetrics"][0]["scopeMetrics"][0]["metrics"];
                metrics.as_array().expect("metrics").clone()
            })
            .collect()
    }

    #[test]
    fn each_shape_is_told_with_the_names_and_values_of_the_text() {
        let text = "\
# HELP passes Passes.
# TYPE passes counter
passes_total{namespace=\"a\",of=\"say \\\"x\\\\\\n\"} 3
# HELP depth Depth.
# TYPE depth gauge
depth 2
# HELP took_seconds Time.
# TYPE took_seconds histogram
took_seconds_sum{of=\"a\"} 1.5
took_seconds_count{of=\"a\"} 3
took_seconds_bucket{le=\"0.5\",of=\"a\"} 1
took_seconds_bucket{le=\"1.0\",of=\"a\"} 1
took_seconds_bucket{le=\"+Inf\",of=\"a\"} 3
took_seconds_sum{of=\"b\"} 0.0
took_seconds_count{of=\"b\"} 0
took_seconds_bucket{le=\"0.5\",of=\"b\"} 0
took_seconds_bucket{le=\"1.0\",of=\"b\"} 0
took_seconds_bucket{le=\"+Inf\",of=\"b\"} 0
# EOF
";
        let label = |key: &str, value: &str| attribute(key, value);
        let times = |mut point: Value| {
            point["startTimeUnixNano"] = "1".into();
            point["timeUnixNano"] = "2".into();
            point
        };
        let histogram = |of: &str, count: &str, sum: f64, counts: [&str; 3]| {
            times(json!({
                "attributes": [label("of", of)], "count": count, "sum": sum,
                "bucketCounts": counts, "explicitBounds": [0.5, 1.0],
            }))
        };
        let counter = times(json!({
            "attributes": [label("namespace", "a"), label("of", "say \"x\\\n")], "asDouble": 3.0,
        }));
        let expected = [
            json!({"name": "passes_total", "description": "Passes.", "sum": {
                "dataPoints": [counter], "aggregationTemporality": 2, "isMonotonic": true}}),
            json!({"name": "depth", "description": "Depth.", "gauge": {
                "dataPoints": [times(json!({"attributes": [], "asDouble": 2.0}))]}}),
            json!({"name": "took_seconds", "description": "Time.", "histogram": {
                "dataPoints": [
                    histogram("a", "3", 1.5, ["1", "0", "2"]),
                    histogram("b", "0", 0.0, ["0", "0", "0"]),
                ],
                "aggregationTemporality": 2}}),
        ];
        assert_eq!(metrics(text), expected);
    }

    #[test]
    fn many_points_are_many_requests_and_none_is_lost() {
        let count = 2 * MOST_POINTS + 1;
        let line = |number| format!("here{{of=\"{number}\"}} {number}\n");
        let lines: Vec<String> = (0..count).map(line).collect();
        let text = format!("# TYPE here gauge\n{}", lines.concat());
        let requests: Vec<Value> = Requests::new(&text, TIMES).collect();
        assert_eq!(requests.len(), 3);
        let points: usize = metrics(&text)
            .iter()
            .map(|metric| metric["gauge"]["dataPoints"].as_array().expect("points").len())
            .sum();
        assert_eq!(points, count);
    }

    #[test]
    fn what_is_no_metric_is_passed_over() {
        for text in
            ["", "# EOF\n", "x", "x{", "x{a=\"", "# TYPE x gauge\nx NaN\ny 1\nx{a=\"b\n", "{} 1"]
        {
            assert_eq!(metrics(text), Vec::<Value>::new(), "{text}");
        }
    }
}
