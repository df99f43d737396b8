// The closure goes to another thread, so what it holds must be `Send`. Made inside, the `Rc` is welcome.
use std::rc::Rc;

#[millpond::main]
async fn main() {
    let count = Rc::new(3);
    millpond::spawn(move || async move { *count });
}
