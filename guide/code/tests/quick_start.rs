//! The pieces of the chapter "Quick start".

#[test]
fn a_job_gives_its_answer() {
    // ANCHOR: answer
    let pool = millpond::Pool::builder().worker_threads(2).build().expect("two workers start");
    let sum = pool.spawn(|| async { 19 + 23 });
    assert_eq!(sum.join().expect("the job ran"), 42);
    // ANCHOR_END: answer
}
