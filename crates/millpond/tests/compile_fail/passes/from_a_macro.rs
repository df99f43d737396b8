// What comes through a declarative macro reaches the attribute in invisible groups.
macro_rules! pooled {
    ($visibility:vis $name:ident, $workers:literal, $driver:expr, $output:ty, $body:block) => {
        #[millpond::main(worker_threads = $workers, driver = $driver)]
        $visibility async fn $name() -> $output $body
    };
}

pooled!(pub three, 3, "epoll", usize, {
    millpond::broadcast(|_| async {}).await.len()
});

fn main() {
    assert_eq!(three(), 3);
}
