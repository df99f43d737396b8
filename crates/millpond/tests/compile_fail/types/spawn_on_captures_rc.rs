use std::rc::Rc;

#[millpond::main]
async fn main() {
    let worker = millpond::spawn(|| async { millpond::worker_id() }).await.unwrap();
    let count = Rc::new(3);
    let _ = millpond::spawn_on(worker, move || async move { *count });
}
