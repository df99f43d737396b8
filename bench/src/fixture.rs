//! Rows for tests.

use serde_json::json;

use crate::results::Results;

/// Two tables of two workloads; one contender that failed, one limit.
pub(crate) const ROWS: &str = r#"[
{"cpu":"A CPU","cores":2,"kernel":"6.1","governor":null,"toolchain":"rustc 1.95","optimised":true,"commit":"c0ffee","date":"2026-01-02T03:04:05Z","size":"full","warnings":["the load is 3.1"]},
{"workload":"spawn-join","contender":"millpond","workers":2,"params":{"metric":"wall","allocator":"system","size":"full"},"value":100.0,"unit":"ns/job","runs":[95.0,110.0,100.0],"ratio_to_millpond":1.0},
{"workload":"spawn-join","contender":"millpond","workers":2,"params":{"metric":"cpu","allocator":"system","size":"full"},"value":150.0,"unit":"ns/job","runs":[140.0,160.0,150.0],"ratio_to_millpond":1.0},
{"workload":"spawn-join","contender":"tokio","workers":2,"params":{"metric":"wall","allocator":"system","size":"full"},"value":300.0,"unit":"ns/job","runs":[300.0,290.0,310.0],"ratio_to_millpond":3.0},
{"workload":"spawn-join","contender":"rayon","workers":2,"params":{"allocator":"system","size":"full"},"failed":"it hung | badly"},
{"workload":"channel","contender":"millpond-channel","workers":1,"params":{"metric":"wall","allocator":"mimalloc","size":"full","capacity":"1024"},"value":50.0,"unit":"ns/job","runs":[45.0,55.0,50.0],"ratio_to_millpond":1.0},
{"workload":"channel","contender":"kanal","workers":1,"params":{"metric":"wall","allocator":"mimalloc","size":"full","capacity":"1024"},"value":40.0,"unit":"ns/job","runs":[38.0,41.0,40.0],"ratio_to_millpond":0.8},
{"workload":"channel","contender":"flume","workers":1,"params":{"metric":"wall","allocator":"mimalloc","size":"full","capacity":"1024"},"value":48.0,"unit":"ns/job","runs":[48.0,60.0,47.0],"ratio_to_millpond":0.96},
{"workload":"channel","contender":"limit-line-transfer","workers":1,"params":{"metric":"wall","allocator":"mimalloc","size":"full","capacity":"1024"},"value":10.0,"unit":"ns/job","runs":[10.0,10.0,11.0],"ratio_to_millpond":0.2}
]"#;

pub(crate) fn results() -> Results {
    Results::parse(ROWS).expect("the fixture is right")
}

/// A rows file with an empty header.
pub(crate) fn file(rows: &[String]) -> Results {
    Results::parse(&format!("[{{}},{}]", rows.join(","))).expect("the rows are right")
}

/// A row of 2 workers on the system's allocator, with one run.
pub(crate) fn row(workload: &str, variant: &str, contender: &str, figure: (&str, f64, &str)) -> String {
    let (metric, value, unit) = figure;
    let mut params = json!({ "metric": metric });
    if let Some((name, setting)) = variant.split_once('=') {
        params[name] = json!(setting);
    }
    let row = json!({
        "workload": workload, "contender": contender, "workers": 2, "params": params,
        "value": value, "unit": unit, "runs": [value], "ratio_to_millpond": null,
    });
    row.to_string()
}

/// The row of a contender that failed.
pub(crate) fn failure(workload: &str, contender: &str, why: &str) -> String {
    let row = json!({
        "workload": workload, "contender": contender, "workers": 2, "params": {}, "failed": why,
    });
    row.to_string()
}
