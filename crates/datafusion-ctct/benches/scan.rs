//! What a scan computes: domains of a predicate, the plan of its requests, a decoded page.
//!
//! `cargo bench --workspace --features datafusion-ctct/fuzzing --bench scan`

#![expect(clippy::expect_used, reason = "a benchmark that cannot go on has failed")]

use std::collections::BTreeMap;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use datafusion::prelude::{Expr, col, lit};
use datafusion_ctct::fuzzing::columns_of_page;
use datafusion_ctct::predicate::analyse;
use datafusion_ctct::{RequestPlan, ScanSpec};

/// `contact_id IN (…) AND (first_name = 'a' OR …)` with a thousand keys.
fn predicate() -> Expr {
    let keys = (0..1_000).map(|number| lit(format!("contact-{number}"))).collect();
    let names = (0..50).map(|number| col("first_name").eq(lit(format!("name {number}"))));
    let names = names.reduce(Expr::or).expect("some");
    col("contact_id").in_list(keys, false).and(names)
}

fn spec() -> ScanSpec {
    ScanSpec {
        endpoint: "contacts".to_owned(),
        connection: "SHOP".to_owned(),
        columns: vec!["contact_id".to_owned(), "notes".to_owned()],
        domains: analyse(&predicate()).domains,
        fetch: None,
        filtered: true,
        began: None,
        beside: BTreeMap::new(),
    }
}

/// A page of 500 contacts, made from the fuzzer's.
fn page() -> Vec<u8> {
    let file = concat!(env!("CARGO_MANIFEST_DIR"), "/../../fuzz/corpus/page/contacts");
    let sample = std::fs::read(file).expect("the corpus");
    let line = sample.iter().position(|byte| *byte == b'\n').expect("a table's name") + 1;
    let mut page: serde_json::Value = serde_json::from_slice(&sample[line..]).expect("JSON");
    let rows = page["contacts"].as_array_mut().expect("rows");
    let few = rows.clone();
    rows.extend(few.iter().cycle().take(500 - few.len()).cloned());
    serde_json::to_vec(&page).expect("JSON")
}

fn scan(criterion: &mut Criterion) {
    let predicate = predicate();
    criterion.bench_function("domains of a predicate with 1,000 keys", |bencher| {
        bencher.iter(|| analyse(black_box(&predicate)));
    });
    let (contacts, spec) = (ctct_endpoints::find("contacts").expect("declared"), spec());
    criterion.bench_function("plan of a scan by 1,000 keys", |bencher| {
        bencher.iter(|| RequestPlan::new(contacts, black_box(&spec), &|_| 5_000_000));
    });
    let page = page();
    let mut group = criterion.benchmark_group("decode");
    group.throughput(Throughput::Bytes(page.len() as u64));
    let all: Vec<&str> = contacts.fields.iter().map(|field| field.name).collect();
    for (name, columns) in [("all columns", all.as_slice()), ("one column", &["contact_id"])] {
        group.bench_function(format!("a page of 500 contacts, {name}"), |bencher| {
            bencher.iter(|| columns_of_page(contacts, columns, black_box(&page)));
        });
    }
    group.finish();
}

criterion_group!(benches, scan);
criterion_main!(benches);
