//! What one agent costs: resolve, render, serialise and hash, as for every pass of the operator.

#![expect(clippy::disallowed_methods, reason = "fixtures are files")]

use std::fs;
use std::hint::black_box;
use std::path::Path;

use criterion::{Criterion, criterion_group, criterion_main};
use openclaw_render::api::OpenClawInstance;
use openclaw_render::seed::content_hash;
use openclaw_render::{Documents, Object, Observed, Settings, render, resolve};

fn fixture(name: &str) -> Option<(OpenClawInstance, Observed)> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../fixtures/instances").join(name);
    let text = fs::read_to_string(path).ok()?;
    let documents = Documents::read(serde_saphyr::from_multiple(&text).ok()?);
    let instance = documents.instances.first()?.value.clone();
    let observed = documents.observed(&instance);
    Some((instance, observed))
}

fn objects(instance: &OpenClawInstance, observed: &Observed, settings: &Settings) -> Vec<Object> {
    let resolution = resolve(instance, observed, settings);
    resolution.resolved.as_ref().map(render).unwrap_or_default()
}

fn benchmark(criterion: &mut Criterion) {
    let settings = Settings::default();
    for name in ["minimal.yaml", "everything.yaml"] {
        let Some((instance, observed)) = fixture(name) else { continue };
        let rendered = objects(&instance, &observed, &settings);
        assert!(!rendered.is_empty(), "{name} renders nothing");
        let mut group = criterion.benchmark_group(name.trim_end_matches(".yaml"));
        group.bench_function("render", |bencher| {
            bencher.iter(|| {
                let objects = objects(black_box(&instance), &observed, &settings);
                let hashes = objects.iter().map(|object| {
                    let text = object.to_json();
                    (text.len(), content_hash(text.as_bytes()))
                });
                hashes.collect::<Vec<_>>()
            });
        });
        group.bench_function("objects only", |bencher| {
            bencher.iter(|| objects(black_box(&instance), &observed, &settings));
        });
        group.bench_function("values only", |bencher| {
            bencher.iter(|| black_box(&rendered).iter().map(Object::to_value).collect::<Vec<_>>());
        });
        group.bench_function("text only", |bencher| {
            bencher.iter(|| black_box(&rendered).iter().map(Object::to_json).collect::<Vec<_>>());
        });
        let texts: Vec<_> = rendered.iter().map(Object::to_json).collect();
        group.bench_function("hashes only", |bencher| {
            bencher.iter(|| {
                let hashes = black_box(&texts).iter().map(|text| content_hash(text.as_bytes()));
                hashes.collect::<Vec<_>>()
            });
        });
        group.finish();
    }
}

criterion_group!(benches, benchmark);
criterion_main!(benches);
