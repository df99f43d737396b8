// The jobs of `for_each` return nothing, or a `Result<(), E>`.
#[millpond::main]
async fn main() {
    let pool = millpond::Handle::current();
    let numbers = futures_util::stream::iter(0..3);
    let _squares = pool.for_each(numbers, 2, |n: i32| async move { n * n }).await;
}
