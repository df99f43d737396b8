// `block_on` and the body of `main` may borrow; a job made there may not.
fn main() {
    let pool = millpond::Pool::new().unwrap();
    let words = vec![String::from("pond")];
    pool.block_on(async {
        pool.spawn(|| async { words.len() });
    });
}
