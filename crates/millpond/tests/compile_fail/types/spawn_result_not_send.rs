// The result comes back from another thread.
use std::rc::Rc;

#[millpond::main]
async fn main() {
    millpond::spawn(|| async { Rc::new(3) });
}
